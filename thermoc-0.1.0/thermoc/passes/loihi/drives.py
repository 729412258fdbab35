"""What drives each unit, as a sum of linear maps of other units and of host values, and a constant."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.dialects import core
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.places import MOVES, moved
from thermoc.ir.types import Shape
from thermoc.ir.values import Value
from thermoc.passes.loihi import linear_maps as maps
from thermoc.passes.loihi.regions import HEAVY, LIGHT
from thermoc.support.errors import error

MOST_TERMS = 8
"""A sum of more goes through a relay before it is multiplied again."""


@dataclass(frozen=True, kw_only=True)
class Term:
    """map(x(t - delay)), x the flat value ``source``; ``start`` is x before the first tick."""

    source: str
    map: maps.Map
    delay: int = 0
    start: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Drive:
    """The terms' sum, and the bias, flat."""

    terms: tuple[Term, ...]
    bias: NDArray

    def scaled(self, gain: Any, more: Any = 0.0) -> Drive:
        """Return gain * drive + more, element by element."""
        size = len(self.bias)
        gain = np.broadcast_to(np.asarray(gain, float).reshape(-1), (size,))
        index = np.arange(size)
        terms = tuple(replace(term, map=maps.taken(term.map, index, gain)) for term in self.terms)
        return Drive(terms=terms, bias=self.bias * gain + np.broadcast_to(np.asarray(more, float).reshape(-1), size))

    def moved(self, index: NDArray) -> Drive:
        """Return the elements at these places."""
        ones = np.ones(len(index))
        terms = tuple(replace(term, map=maps.taken(term.map, index, ones)) for term in self.terms)
        return Drive(terms=terms, bias=self.bias[index])

    def plus(self, other: Drive) -> Drive:
        """Return the sum."""
        return Drive(terms=(*self.terms, *other.terms), bias=self.bias + other.bias)


def constant(bias: Any) -> Drive:
    """Return a drive without terms."""
    return Drive(terms=(), bias=np.asarray(bias, float).reshape(-1))


class Drives:
    """Reads a graph's linear part. ``relays`` collects the values that need units of their own to be summed up."""

    def __init__(self, graph: Graph, chip: frozenset[str], constants: Mapping[str, NDArray]):
        self.graph, self.chip, self.constants = graph, chip, constants
        self.relays: dict[str, Drive] = {}
        self._known: dict[str, Drive] = {}
        self._open: set[str] = set()

    def of(self, value: Value) -> Drive:
        """Return what a value is made of. Errors: T205 for a loop of linear ops alone."""
        if value.name not in self._known:
            if value.name in self._open:
                op = self.graph.producers[value.name]
                notes = [f"{value} depends on itself through linear ops alone"]
                raise error("T205", "a loop without a unit has no Loihi form", where=op.location, notes=notes)
            self._open.add(value.name)
            self._known[value.name] = self._made(value)
            self._open.discard(value.name)
        return self._known[value.name]

    def spread(self, value: Value, shape: Shape) -> Drive:
        """Return a value broadcast to a shape."""
        index = np.broadcast_to(np.arange(value.size).reshape(value.shape), shape).reshape(-1)
        return self.of(value).moved(index)

    def relayed(self, value: Value) -> Drive:
        """Return a value as that of a relay: one unit an element that hands on what it receives."""
        if value.name not in self.relays:
            self.relays[value.name] = self.of(value)
            self._known[value.name] = _alone(value)
        return _alone(value)

    def _made(self, value: Value) -> Drive:
        held = self.constants.get(value.name)
        if held is not None:
            return constant(held)
        op = self.graph.producers[value.name]
        if value.name not in self.chip or not isinstance(op, (*HEAVY, *LIGHT)):
            return _alone(value)
        return self._heavy(op) if isinstance(op, HEAVY) else self._light(op)

    def _heavy(self, op: Any) -> Drive:
        x, outer, bias = self._weights(op)
        inner = self.of(x)
        if len(inner.terms) > MOST_TERMS or not all(isinstance(term.map, maps.Gather) for term in inner.terms):
            inner = self.relayed(x)
        terms = tuple(
            replace(term, map=maps.after(outer, term.map)) for term in inner.terms if isinstance(term.map, maps.Gather)
        )
        return Drive(terms=terms, bias=outer.apply(inner.bias) + bias)

    def _weights(self, op: Any) -> tuple[Value, maps.Map, NDArray]:
        """Return what a linear op maps, its map, and its bias, flat."""
        size = op.results[0].size
        if isinstance(op, core.Pool):
            return op.x, maps.of_pool(op, op.x.shape), np.zeros(size)
        if isinstance(op, core.Matmul):
            return _product(op, self.constants)
        held = {name: self.constants[value.name] for name, value in op.operand_values if name != "x"}
        bias, y = held.get("bias", np.zeros(1)), op.results[0].shape
        if isinstance(op, core.Conv):
            whole = np.broadcast_to(bias.reshape(-1, *(1,) * (len(y) - 1)), y)
            return op.x, maps.of_conv(op, held["weight"], op.x.shape), whole.reshape(-1)
        whole = np.broadcast_to(bias, y).reshape(-1)
        if isinstance(op, core.SparseAffine):
            return op.x, maps.of_rows(held["values"], held["columns"], held["offsets"], op.x.size), whole
        return op.x, maps.of_affine(held["weight"], op.x.shape), whole

    def _light(self, op: Any) -> Drive:
        shape = op.results[0].shape
        if type(op) in MOVES:
            return self.of(op.x).moved(moved(op).reshape(-1))
        if isinstance(op, core.Delay):
            return self._delayed(op)
        if isinstance(op, core.Concat):
            return self._joined(op)
        if isinstance(op, core.Neg):
            return self.of(op.inputs[0]).scaled(-1.0)
        if isinstance(op, core.Add | core.Sub):
            a, b = (self.spread(value, shape) for value in op.inputs)
            return a.plus(b.scaled(-1.0) if isinstance(op, core.Sub) else b)
        factor, x = self._factor(op)
        gain = np.broadcast_to(factor, shape)
        return self.spread(x, shape).scaled(1 / gain if isinstance(op, core.Div) else gain)

    def _factor(self, op: Any) -> tuple[NDArray, Value]:
        first, second = op.inputs
        if second.name in self.constants:
            return self.constants[second.name], first
        return self.constants[first.name], second

    def _delayed(self, op: core.Delay) -> Drive:
        """x(t - ticks): what each term was, and what the delay starts from."""
        inner, initial = self.of(op.x), np.broadcast_to(self.constants[op.initial.name], op.x.shape).reshape(-1)
        rest = initial - inner.bias
        starts = 0.0
        if rest.any():
            alone = len(inner.terms) == 1 and isinstance(inner.terms[0].map, maps.Gather)
            gain = inner.terms[0].map.weights if alone else np.zeros(1)
            if not alone or not gain.all() or np.ptp(rest / gain):
                what = f"{op.opname} ({op.y}) starts from a number that no unit holds"
                notes = [
                    f"initial is up to {np.abs(initial).max():.6g}",
                    "before its first tick a unit says one number",
                ]
                raise error("T205", what, where=op.location, notes=notes, hint="start from 0")
            starts = float((rest / gain)[0])
        terms = tuple(replace(term, delay=term.delay + op.ticks, start=starts or term.start) for term in inner.terms)
        return replace(inner, terms=terms)

    def _joined(self, op: core.Concat) -> Drive:
        """Each part's elements in their places; an element of another part takes nothing of this one's."""
        owner = _joined(op, [np.full(x.shape, number) for number, x in enumerate(op.xs)])
        index = _joined(op, [np.arange(x.size).reshape(x.shape) for x in op.xs])
        total = constant(np.zeros(len(owner)))
        for number, x in enumerate(op.xs):
            mine = owner == number
            part = self.of(x).moved(np.where(mine, index, 0)).scaled(mine.astype(float))
            total = total.plus(part)
        return total


def _joined(op: core.Concat, arrays: list[NDArray]) -> NDArray:
    return np.concatenate(arrays, axis=op.axis).reshape(-1)


def _product(op: core.Matmul, constants: Mapping[str, NDArray]) -> tuple[Value, maps.Map, NDArray]:
    """a b with one of them constant, as a matrix over the other's elements."""
    import scipy.sparse as sp

    right = op.b.name in constants
    x, held = (op.a, constants[op.b.name]) if right else (op.b, constants[op.a.name])
    shape = x.shape
    blocks = held.reshape(-1, *held.shape[-2:])
    each = [sp.kron(sp.eye_array(shape[-2]), b.T) if right else sp.kron(b, sp.eye_array(shape[-1])) for b in blocks]
    return x, maps.Matrix(rows=sp.csr_array(sp.block_diag(each))), np.zeros(op.y.size)


def _alone(value: Value) -> Drive:
    size = value.size
    return Drive(terms=(Term(source=value.name, map=maps.identity(size)),), bias=np.zeros(size))


def is_unit(op: Op) -> bool:
    """Tell whether an op on the chip is a population rather than a linear map."""
    return not isinstance(op, (*HEAVY, *LIGHT, core.Greater, core.GreaterEqual, core.Less, core.LessEqual))
