"""Fewer ops: what stands around a linear map goes into its weights, chains of reshapes into one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from thermoc.ir.dialects import core
from thermoc.ir.graph import Graph, NameSource, fresh_names
from thermoc.ir.infer import infer
from thermoc.ir.ops import Op
from thermoc.ir.parameters import ParameterCone
from thermoc.ir.reference import evaluate
from thermoc.ir.types import DType, Role, Type
from thermoc.ir.values import Array, Value
from thermoc.passes.base import Pass
from thermoc.passes.canonicalize import drop_dead
from thermoc.passes.change_log import Log

Linear = core.Affine | core.Conv


@dataclass(frozen=True, kw_only=True)
class Fuse(Pass):
    """Fuse into an affine or conv whose only reader it is: a constant added, a sign, a constant scalar factor.

    Fuse into an affine that alone reads it: a constant factor of each element, so that spikes meet their weights as
    spikes. Parameters count as constants: what becomes of their numbers is written in ops.

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
        self.known = {op.y.name for op in graph.of(core.Constant)} | ParameterCone(graph).names
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
        left, right = a.name in self.known, b.name in self.known
        if isinstance(op, core.Mul) and right and b.shape == ():
            return self._scaled(op, a, b)
        if isinstance(op, core.Mul) and left and a.shape == ():
            return self._scaled(op, b, a)
        if isinstance(op, core.Div) and right and b.shape == ():
            return self._scaled(op, a, b, inverse=True)
        if isinstance(op, core.Add) and right:
            return self._biased(op, a, b)
        if isinstance(op, core.Add) and left:
            return self._biased(op, b, a)
        if isinstance(op, core.Sub) and right:
            return self._biased(op, a, b, negative=True)
        return op

    def _fed(self, op: core.Affine) -> Op:
        """W (c x) + b is (W c) x + b."""
        before = self.producers.get(op.x.name)
        # A second reader would need the factor by itself, and both the product and the map would stay.
        alone = len(self.graph.consumers.get(op.x.name, ())) == 1
        if not isinstance(before, core.Mul) or op.weight.name not in self.known or not alone:
            return op
        for x, factor in (before.inputs, before.inputs[::-1]):
            if factor.name in self.known and factor.shape in ((), op.weight.shape[1:]) and x.shape == op.x.shape:
                bound = "one rounding in each weight instead of one in each input"
                self.log.changed(f"weights of {op.y}", old="W", new=f"W times {factor}", bound=bound)
                return op.with_(x=x, weight=self._computed(op, core.Mul, a=op.weight, b=factor))
        return op

    def _linear(self, value: Value, op: Op) -> Linear | None:
        """Return the map behind ``value`` if only ``op`` reads it, keeping its shape, and its weights are known."""
        source = self.producers.get(value.name)
        alone = len(self.graph.consumers.get(value.name, ())) == 1
        # A result that is spread to a larger shape is no longer the map's own: no factor can go back into it.
        if not isinstance(source, core.Affine | core.Conv) or not alone or value.shape != op.results[0].shape:
            return None
        parts = [source.weight] + ([source.bias] if source.bias is not None else [])
        return source if all(operand.name in self.known for operand in parts) else None

    def _constant(self, value: Value) -> np.ndarray | None:
        source = self.producers.get(value.name)
        return source.value.numpy if isinstance(source, core.Constant) else None

    def _scaled(self, op: Op, value: Value, by: Value | float, *, inverse: bool = False) -> Op:
        """inverse: divide by the number instead."""
        source = self._linear(value, op)
        number = self._constant(by) if isinstance(by, Value) else np.asarray(by)
        # 1 / 0 would put infinities into every weight.
        if source is None or (inverse and number == 0):
            return op
        factor = by if number is None else float(number)
        if inverse:
            factor = self._computed(op, core.Div, a=1.0, b=factor) if isinstance(factor, Value) else 1.0 / factor
        self._tell_scaled(source, factor)
        parts = ((name, value) for name, value in source.operand_values if name in ("weight", "bias"))
        scaled = {name: self._computed(op, core.Mul, a=operand, b=factor) for name, operand in parts}
        return source.with_(**scaled, y=op.results[0], location=op.location)

    def _tell_scaled(self, source: Linear, factor: Value | float) -> None:
        if isinstance(factor, float) and abs(np.frexp(factor)[0]) == 0.5:
            return  # exact: a power of two moves no digit
        text = factor if isinstance(factor, Value) else repr(factor)
        bound = "one rounding in each weight instead of one in each output"
        self.log.changed(f"weights of {source.y}", old="W, b", new=f"{text} W, {text} b", bound=bound)

    def _biased(self, op: Op, value: Value, bias: Value, *, negative: bool = False) -> Op:
        source = self._linear(value, op)
        # A second bias added to the first would change the order of additions, and so the rounding.
        if source is None or source.bias is not None:
            return op
        channels, shape = source.weight.shape[0], source.y.shape
        axis = len(shape) - 1 if isinstance(source, core.Affine) else 0
        full = (1,) * (len(shape) - len(bias.shape)) + bias.shape
        # A bias is one number a channel: what varies along other axes stays an addition.
        if any(length != 1 for i, length in enumerate(full) if i != axis):
            return op
        signed = self._computed(op, core.Neg, x=bias) if negative else bias
        flat = signed if len(bias.shape) == 1 else self._computed(op, core.Reshape, x=signed, shape=(bias.size,))
        one_each = flat.shape == (channels,)
        by_channel = flat if one_each else self._computed(op, core.Broadcast, x=flat, shape=(channels,))
        return source.with_(bias=by_channel, y=op.results[0], location=op.location)

    def _computed(self, op: Op, cls: type[Op], **fields: Any) -> Value:
        """Return a pure op of known values: a constant where constants alone are behind it, else written out."""
        kind = next(item.inferred for item in fields.values() if isinstance(item, Value))
        numbers = {name: item for name, item in fields.items() if isinstance(item, float)}
        known: dict[Value, np.ndarray] = {}
        for name, number in numbers.items():
            fields[name] = Value(f"?{name}", Type((), kind.dtype, Role.signal))
            known[fields[name]] = np.asarray(number, kind.dtype.numpy)
        new = cls(**fields, **dict.fromkeys(cls.result_specs, Value("?")), location=op.location)
        new = new.with_(**{key: Value("?", type_) for key, type_ in infer(new)[0].items()})
        for value in new.inputs:
            array = self._constant(value)
            known |= {} if array is None else {value: array}
        if len(known) == len(new.inputs):
            return self._new(op, evaluate(new, known)[0])
        (result,) = new.results
        constants = {name: self._new(op, known[fields[name]]) for name in numbers}
        y = Value(self.names(f"{op.results[0].name}.c"), result.type)
        return self._add(op, new.with_(**constants, **dict.fromkeys(new.result_specs, y)))

    def _new(self, op: Op, array: np.ndarray) -> Value:
        dtype = DType.of(array.dtype)
        assert dtype is not None
        value = Value(self.names(f"{op.results[0].name}.c"), Type(array.shape, dtype, Role.signal))
        return self._add(op, core.Constant(value=Array(array), y=value, location=op.location))

    def _add(self, op: Op, new: Op) -> Value:
        (value,) = new.results
        self.fresh.setdefault(op.results[0].name, []).append(new)
        self.producers[value.name] = new
        self.known.add(value.name)
        return value
