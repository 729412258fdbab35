"""Drives of populations: sums of linear maps of other populations and of host values, and a constant."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# (SciPy has no types for sparse arrays)

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from thermoc.ir.dialects import core
from thermoc.ir.element_indices import MOVES, moved
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.types import Shape
from thermoc.ir.values import Value
from thermoc.passes.loihi import linear_maps as maps
from thermoc.passes.loihi.regions import HEAVY, LIGHT
from thermoc.support.array_types import AnyArray, FloatArray, IntArray
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
class LinearDrive:
    """The terms' sum, and the bias, flat."""

    terms: tuple[Term, ...]
    bias: FloatArray

    def scaled(self, gain: Any, offset: Any = 0.0) -> LinearDrive:
        """Return gain * drive + offset, element by element."""
        size = len(self.bias)
        gain = np.broadcast_to(np.asarray(gain, float).reshape(-1), (size,))
        index = np.arange(size)
        terms = tuple(replace(term, map=maps.gathered(term.map, index, gain)) for term in self.terms)
        offset = np.broadcast_to(np.asarray(offset, float).reshape(-1), size)
        return LinearDrive(terms=terms, bias=self.bias * gain + offset)

    def moved(self, index: IntArray) -> LinearDrive:
        """Return the elements of these indices."""
        ones = np.ones(len(index))
        terms = tuple(replace(term, map=maps.gathered(term.map, index, ones)) for term in self.terms)
        return LinearDrive(terms=terms, bias=self.bias[index])

    def plus(self, other: LinearDrive) -> LinearDrive:
        """Return the sum."""
        return LinearDrive(terms=(*self.terms, *other.terms), bias=self.bias + other.bias)


def constant(bias: Any) -> LinearDrive:
    """Return a drive without terms."""
    return LinearDrive(terms=(), bias=np.asarray(bias, float).reshape(-1))


class Drives:
    """Reads a graph's linear part. ``relays`` collects the values that need units of their own to be summed up.

    Each value is read once and kept: a deep network reads the same sums from many ops.
    """

    def __init__(self, graph: Graph, on_loihi: frozenset[str], constants: Mapping[str, AnyArray]):
        self.graph, self.on_loihi, self.constants = graph, on_loihi, constants
        self.relays: dict[str, LinearDrive] = {}
        self._read: dict[str, LinearDrive] = {}
        self._open: set[str] = set()

    def of(self, value: Value) -> LinearDrive:
        """Return what a value is made of. Errors: T205 for a loop of linear ops alone."""
        if value.name not in self._read:
            if value.name in self._open:
                op = self.graph.producers[value.name]
                notes = [f"{value} depends on itself through linear ops alone"]
                raise error("T205", "a loop without a unit has no Loihi form", where=op.location, notes=notes)
            self._open.add(value.name)
            self._read[value.name] = self._drive(value)
            self._open.discard(value.name)
        return self._read[value.name]

    def spread(self, value: Value, shape: Shape) -> LinearDrive:
        """Return a value broadcast to a shape."""
        index = np.broadcast_to(np.arange(value.size).reshape(value.shape), shape).reshape(-1)
        return self.of(value).moved(index)

    def relayed(self, value: Value) -> LinearDrive:
        """Return a value as that of a relay: one unit an element that hands on what it receives."""
        if value.name not in self.relays:
            self.relays[value.name] = self.of(value)
            # Later readers see the relay's units, not the sum once more.
            self._read[value.name] = _itself(value)
        return _itself(value)

    def _drive(self, value: Value) -> LinearDrive:
        numbers = self.constants.get(value.name)
        if numbers is not None:
            return constant(numbers)
        op = self.graph.producers[value.name]
        # What the host computes or a unit sends is a source: the drive ends there.
        if value.name not in self.on_loihi or not isinstance(op, (*HEAVY, *LIGHT)):
            return _itself(value)
        return self._heavy(op) if isinstance(op, HEAVY) else self._light(op)

    def _heavy(self, op: Any) -> LinearDrive:
        """Read a matrix product or a window: of a sum of gathers it takes each, of any other sum a relay."""
        x, outer, bias = self._weights(op)
        inner = self.of(x)
        # Each term becomes a synapse of its own: a long sum would multiply the weights' memory, a relay costs a tick.
        if len(inner.terms) > MOST_TERMS or not all(isinstance(term.map, maps.Gather) for term in inner.terms):
            inner = self.relayed(x)
        terms = tuple(
            replace(term, map=maps.after(outer, term.map)) for term in inner.terms if isinstance(term.map, maps.Gather)
        )
        return LinearDrive(terms=terms, bias=outer.apply(inner.bias) + bias)

    def _weights(self, op: Any) -> tuple[Value, maps.Map, FloatArray]:
        """Return what a linear op maps, its map, and its bias, flat."""
        size = op.results[0].size
        if isinstance(op, core.Pool):
            return op.x, maps.of_pool(op, op.x.shape), np.zeros(size)
        if isinstance(op, core.Matmul):
            return _product(op, self.constants)
        numbers = {name: self.constants[value.name] for name, value in op.operand_values if name != "x"}
        bias, y = numbers.get("bias", np.zeros(1)), op.results[0].shape
        if isinstance(op, core.Conv):
            by_channel = np.broadcast_to(bias.reshape(-1, *(1,) * (len(y) - 1)), y)
            return op.x, maps.of_conv(op, numbers["weight"], op.x.shape), by_channel.reshape(-1)
        bias = np.broadcast_to(bias, y).reshape(-1)
        if isinstance(op, core.SparseAffine):
            return op.x, maps.of_rows(numbers["values"], numbers["columns"], numbers["offsets"], op.x.size), bias
        return op.x, maps.of_affine(numbers["weight"], op.x.shape), bias

    def _light(self, op: Any) -> LinearDrive:
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
        # A constant factor costs nothing: it goes into the rows of the weights.
        return self.spread(x, shape).scaled(1 / gain if isinstance(op, core.Div) else gain)

    def _factor(self, op: Any) -> tuple[AnyArray, Value]:
        first, second = op.inputs
        if second.name in self.constants:
            return self.constants[second.name], first
        return self.constants[first.name], second

    def _delayed(self, op: core.Delay) -> LinearDrive:
        """x(t - ticks): what each term was, and what the delay starts from."""
        inner, initial = self.of(op.x), np.broadcast_to(self.constants[op.initial.name], op.x.shape).reshape(-1)
        start = _start(op, inner, initial)
        terms = tuple(replace(term, delay=term.delay + op.ticks, start=start or term.start) for term in inner.terms)
        return replace(inner, terms=terms)

    def _joined(self, op: core.Concat) -> LinearDrive:
        """Each value's elements in their places; an element of another value takes nothing of this one's."""
        owner = _concatenated(op, [np.full(x.shape, number) for number, x in enumerate(op.xs)])
        index = _concatenated(op, [np.arange(x.size).reshape(x.shape) for x in op.xs])
        total = constant(np.zeros(len(owner)))
        for number, x in enumerate(op.xs):
            mine = owner == number
            # Elements of others are multiplied by 0 rather than left out: every term of the sum keeps one size.
            total = total.plus(self.of(x).moved(np.where(mine, index, 0)).scaled(mine.astype(float)))
        return total


def _start(op: core.Delay, inner: LinearDrive, initial: AnyArray) -> float:
    """Return what the source of a delay must say before its first tick. Errors: T205 where it is not one number."""
    # The inner bias is there from the first tick on; only what remains must come from the source.
    remainder = initial - inner.bias
    if not remainder.any():
        return 0.0
    single = inner.terms[0].map if len(inner.terms) == 1 else None
    gain = single.weights if isinstance(single, maps.Gather) else np.zeros(1)
    if not gain.all() or np.ptp(remainder / gain):
        what = f"{op.opname} ({op.y}) starts from a number that no unit holds"
        notes = [f"initial is up to {np.abs(initial).max():.6g}", "before its first tick a unit says one number"]
        raise error("T205", what, where=op.location, notes=notes, hint="start from 0")
    return float((remainder / gain)[0])


def _concatenated(op: core.Concat, arrays: list[IntArray]) -> IntArray:
    return np.concatenate(arrays, axis=op.axis).reshape(-1)


def _product(op: core.Matmul, constants: Mapping[str, AnyArray]) -> tuple[Value, maps.Map, FloatArray]:
    """a b with one of them constant, as a matrix over the other's elements."""
    right = op.b.name in constants
    x, matrix = (op.a, constants[op.b.name]) if right else (op.b, constants[op.a.name])
    shape = x.shape
    blocks = matrix.reshape(-1, *matrix.shape[-2:])
    # Row-major: a matrix on the right acts on the last axis, one on the left on the axis before it.
    rows = [sp.kron(sp.eye_array(shape[-2]), b.T) if right else sp.kron(b, sp.eye_array(shape[-1])) for b in blocks]
    return x, maps.Matrix(rows=sp.csr_array(sp.block_diag(rows))), np.zeros(op.y.size)


def _itself(value: Value) -> LinearDrive:
    size = value.size
    return LinearDrive(terms=(Term(source=value.name, map=maps.identity(size)),), bias=np.zeros(size))


def is_population(op: Op) -> bool:
    """Tell whether an op on Loihi is a population rather than a linear map."""
    return not isinstance(op, (*HEAVY, *LIGHT, core.Greater, core.GreaterEqual, core.Less, core.LessEqual))
