"""Fewer ops: what stands around a linear map goes into its weights, chains of reshapes into one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from thermoc.ir.dialects import core
from thermoc.ir.graph import Graph, NameSource, fresh_names
from thermoc.ir.ops import Op
from thermoc.ir.types import Role, Type
from thermoc.ir.values import Array, Value
from thermoc.passes.base import Pass
from thermoc.passes.canonicalize import drop_dead
from thermoc.passes.change_log import Log

Linear = core.Affine | core.Conv


@dataclass(frozen=True, kw_only=True)
class Fuse(Pass):
    """Fuse into an affine or conv whose only reader it is: a constant added, a sign, a constant scalar factor.

    Fuse into an affine that alone reads it: a constant factor of each element, so that spikes meet their weights as
    spikes.

    Adding a bias to a map without one and a change of sign are exact; a factor moves the rounding, which the report
    says. Reshapes of reshapes become one.
    """

    name: ClassVar[str] = "fuse"

    def run(self, graph: Graph, log: Log) -> Graph:
        return drop_dead(_Fuser(graph, log).run())


class _Fuser:
    def __init__(self, graph: Graph, log: Log):
        self.graph, self.log = graph, log
        self.names: NameSource = fresh_names(graph)
        self.producers: dict[str, Op] = dict(graph.producers)
        self.fresh: dict[str, list[Op]] = {}

    def run(self) -> Graph:
        done: dict[str, Op] = {}
        # In dataflow order, so that what one fusion makes the next can fuse further.
        for op in self.graph.order:
            new = self._fused(op)
            for value in new.results:
                self.producers[value.name] = new
            if new.results:
                done[new.results[0].name] = new
        return self.graph.with_ops(item for op in self.graph.ops for item in self._final(op, done))

    def _final(self, op: Op, done: dict[str, Op]) -> list[Op]:
        if not op.results:
            return [op]
        name = op.results[0].name
        return [*self.fresh.get(name, []), done[name]]

    def _fused(self, op: Op) -> Op:
        if isinstance(op, core.Reshape | core.Flatten):
            return self._reshape(op)
        if isinstance(op, core.Affine):
            return self._fed(op)
        if isinstance(op, core.Neg):
            return self._scaled(op, op.inputs[0], -1.0)
        if isinstance(op, core.Mul | core.Add | core.Sub | core.Div):
            return self._arithmetic(op)
        return op

    def _reshape(self, op: core.Reshape | core.Flatten) -> Op:
        before = self.producers.get(op.x.name)
        if isinstance(before, core.Reshape | core.Flatten):
            return core.Reshape(x=before.x, shape=op.y.shape, y=op.y, location=op.location)
        return op

    def _arithmetic(self, op: Op) -> Op:
        a, b = op.inputs
        left, right = self._constant(a), self._constant(b)
        if isinstance(op, core.Mul) and right is not None and right.ndim == 0:
            return self._scaled(op, a, float(right))
        if isinstance(op, core.Mul) and left is not None and left.ndim == 0:
            return self._scaled(op, b, float(left))
        # 1 / 0 would put infinities into every weight.
        if isinstance(op, core.Div) and right is not None and right.ndim == 0 and right != 0:
            return self._scaled(op, a, 1.0 / float(right))
        if isinstance(op, core.Add) and right is not None:
            return self._biased(op, a, right)
        if isinstance(op, core.Add) and left is not None:
            return self._biased(op, b, left)
        if isinstance(op, core.Sub) and right is not None:
            return self._biased(op, a, -right)
        return op

    def _fed(self, op: core.Affine) -> Op:
        """W (c x) + b is (W c) x + b."""
        before, weight = self.producers.get(op.x.name), self._constant(op.weight)
        # A second reader would need the factor by itself, and both the product and the map would stay.
        alone = len(self.graph.consumers.get(op.x.name, ())) == 1
        if not isinstance(before, core.Mul) or weight is None or not alone:
            return op
        for x, factor in (before.inputs, before.inputs[::-1]):
            factors = self._constant(factor)
            if factors is not None and factors.shape in ((), weight.shape[1:]) and x.shape == op.x.shape:
                bound = "one rounding in each weight instead of one in each input"
                self.log.changed(f"weights of {op.y}", old="W", new=f"W times {factor}", bound=bound)
                return op.with_(x=x, weight=self._new(op, op.weight, weight * factors))
        return op

    def _linear(self, value: Value, op: Op) -> Linear | None:
        """Return the map behind ``value`` if only ``op`` reads it, keeping its shape, and its weights are constant."""
        source = self.producers.get(value.name)
        alone = len(self.graph.consumers.get(value.name, ())) == 1
        # A result that is spread to a larger shape is no longer the map's own: no factor can go back into it.
        if not isinstance(source, core.Affine | core.Conv) or not alone or value.shape != op.results[0].shape:
            return None
        parts = [source.weight] + ([source.bias] if source.bias is not None else [])
        return source if all(self._constant(part) is not None for part in parts) else None

    def _constant(self, value: Value) -> np.ndarray | None:
        source = self.producers.get(value.name)
        return source.value.numpy if isinstance(source, core.Constant) else None

    def numbers(self, value: Value) -> np.ndarray:
        """Return the array of a value known to be constant."""
        array = self._constant(value)
        assert array is not None
        return array

    def _scaled(self, op: Op, value: Value, factor: float) -> Op:
        source = self._linear(value, op)
        if source is None:
            return op
        exact = abs(np.frexp(factor)[0]) == 0.5  # a power of two moves no digit
        if not exact:
            bound = "one rounding in each weight instead of one in each output"
            self.log.changed(f"weights of {source.y}", old="W, b", new=f"{factor!r} W, {factor!r} b", bound=bound)
        parts = ((name, value) for name, value in source.operand_values if name in ("weight", "bias"))
        scaled = {name: self._new(op, part, self.numbers(part) * factor) for name, part in parts}
        return source.with_(**scaled, y=op.results[0], location=op.location)

    def _biased(self, op: Op, value: Value, bias: np.ndarray) -> Op:
        source = self._linear(value, op)
        # A second bias added to the first would change the order of additions, and so the rounding.
        if source is None or source.bias is not None:
            return op
        channels = source.weight.shape[0]
        shape = source.y.shape
        axis = len(shape) - 1 if isinstance(source, core.Affine) else 0
        full = np.reshape(bias, (1,) * (len(shape) - bias.ndim) + bias.shape)
        # A bias is one number a channel: what varies along other axes stays an addition.
        if any(length != 1 for i, length in enumerate(full.shape) if i != axis):
            return op
        by_channel = np.broadcast_to(full.reshape(-1), (channels,))
        return source.with_(bias=self._new(op, source.weight, by_channel), y=op.results[0], location=op.location)

    def _new(self, op: Op, like: Value, array: np.ndarray) -> Value:
        kind = like.inferred
        array = np.ascontiguousarray(array, dtype=kind.dtype.numpy)
        value = Value(self.names(f"{op.results[0].name}.c"), Type(array.shape, kind.dtype, Role.signal))
        constant = core.Constant(value=Array(array), y=value, location=op.location)
        self.fresh.setdefault(op.results[0].name, []).append(constant)
        self.producers[value.name] = constant
        return value
