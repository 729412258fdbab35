"""A network as work for a chip: each op in parts that one core can do, and what they hand to each other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.chip.capacities import ChipShape
from thermoc.backends.chip.reads import elementwise, units_read
from thermoc.ir.dialects import core, sampling, thermo
from thermoc.ir.graph import Graph
from thermoc.ir.ops import CONTINUOUS, STATEFUL, STOCHASTIC, Op
from thermoc.ir.types import Role, Type
from thermoc.ir.values import Value
from thermoc.support.errors import ThermocError, error

WEIGHTED = (core.Affine, core.SparseAffine, core.Conv, core.Matmul, sampling.Gibbs, sampling.GibbsSweeps)


class Kind(StrEnum):
    """What a part does: a product on arrays, sums, sampling, a device's step, arithmetic, storing, the ends."""

    product = "product"
    gather = "gather"
    sample = "sample"
    step = "step"
    vector = "vector"
    store = "store"
    load = "load"
    give = "give"


@dataclass(frozen=True, kw_only=True)
class Part:
    """Work that one core does for an op: elements ``low`` to ``high`` of its result (flat).

    rows, columns: of a product's array, the ``array``-th along the inputs. times: products a tick. elements, passes:
    vector operations, where they are not one for each of the result's elements. updates: of each unit a tick. rounds:
    for coupled units, the units here that each round of a tick updates, one colour of ``colours`` after another.
    heated: the temperature follows a schedule, which heaters carry out.
    """

    op: int
    kind: Kind
    low: int
    high: int
    rows: int = 0
    columns: int = 0
    cells: int = 0
    array: int = 0
    times: int = 1
    passes: int = 1
    updates: int = 1
    elements: int = 0
    rounds: tuple[int, ...] = ()
    colours: int = 1
    heated: bool = False

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.high - self.low


@dataclass(frozen=True, kw_only=True)
class Edge:
    """``bytes`` go from a part to another, ``times`` a tick; ``late`` ones are used at the end of the tick."""

    source: int
    target: int
    bytes: int
    late: bool = False
    times: int = 1

    @property
    def traffic(self) -> int:
        """Bytes a tick."""
        return self.bytes * self.times


@dataclass(kw_only=True)
class Work:
    """Parts in an order in which each follows what acts on it within the tick, and the edges between them.

    ops: names of the IR ops served. sites: for each op at a place's temperature, its parts; colours: the colour of each
    of its units, those of one being drawn together.
    """

    parts: list[Part] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    ops: list[str] = field(default_factory=list)
    sites: dict[str, list[int]] = field(default_factory=dict)
    colours: dict[str, NDArray[np.int64]] = field(default_factory=dict)


def work(graph: Graph, chip: ChipShape) -> Work:
    """Return the parts of a typed graph's ops. Errors: T305 where the chip lacks what an op needs, T306."""
    return _Splitter(graph, chip).run()


Layout = list[tuple[int, int, int]]


class _Splitter:
    def __init__(self, graph: Graph, chip: ChipShape):
        self.graph, self.chip, self.work = graph, chip, Work()
        self.known: dict[str, NDArray] = {op.y.name: op.value.numpy for op in graph.of(core.Constant)}
        self.layout: dict[str, Layout] = {}
        self.late: list[tuple[Op, Value]] = []

    def run(self) -> Work:
        for op in self.graph.order:
            if not isinstance(op, core.Constant) and not self.still(op):
                self.one(op)
        for op, value in self.late:
            for low, high, part in self.layout[op.results[0].name]:
                self.feed(part, value, _share(value.inferred, low, high, op.results[0].inferred), late=True)
        return self.work

    def still(self, op: Op) -> bool:
        """True for what costs nothing: views, and what follows from the tick alone is done by the host."""
        views = (core.Reshape, core.Flatten, core.Cast, core.Broadcast, core.Tick)
        if isinstance(op, core.Broadcast) and len(self.layout.get(op.x.name, ())) > 1:
            return False  # elements from several cores meet on one
        if isinstance(op, views) or (
            op.results and all(v.name in self.graph.uniform for v in op.results) and not op.states()
        ):
            for value in op.results:
                source = op.inputs[0] if op.inputs and isinstance(op, views) else None
                if source is not None and source.name in self.layout and source.size == value.size:
                    self.layout[value.name] = self.layout[source.name]
                elif source is not None and source.name in self.layout:
                    self.layout[value.name] = [(0, value.size, self.layout[source.name][0][2])]
            return True
        return False

    def one(self, op: Op) -> None:
        """Add the parts of one op."""
        name = op.results[0].name if op.results else f"output {getattr(op, 'name', '')}"
        self.work.ops.append(name)
        if self.sampled(op):
            if not self.chip.samplers:
                raise self.no_sampler(op, name)
            self.sample(op)
        elif isinstance(op, WEIGHTED) and (matrix := self.matrix(op)) is not None:
            self.product(op, matrix)
        elif isinstance(op, sampling.IsingEnergy) and (J := self.couplings(op, op.s.size)) is not None:
            self.energy(op, J)
        elif isinstance(op, core.Input):
            self.spread(op, Kind.load)
        elif isinstance(op, core.Output):
            self.end(op)
        elif isinstance(op, core.Delay):
            self.spread(op, Kind.store)
        else:
            self.arithmetic(op)
        for value in op.inputs:
            if value not in op.instant_inputs:
                self.late.append((op, value))

    def no_sampler(self, op: Op, name: str) -> ThermocError:
        """Return that the chip has no units to draw, or to step what follows an equation in time."""
        draws = STOCHASTIC in op.traits
        units = "p-bits" if draws else "units that follow an equation in time"
        step = "takes a step of its equation in each tick, on a unit of its own"
        needs = "draws at the temperature of its place" if draws else step
        notes = [f"{op.opname} ({name}) {needs}", "the banks of a [sampler] do that, and this chip has none"]
        hint = "take a chip with a [sampler], as thermo-1"
        return error("T305", f"chip {self.chip.name!r} has no {units}", where=op.location, notes=notes, hint=hint)

    def sampled(self, op: Op) -> bool:
        """True for ops that thermal units do: noise at a temperature, and differential equations."""
        return STOCHASTIC in op.traits or (CONTINUOUS in op.traits and STATEFUL in op.traits)

    def add(self, **fields: Any) -> int:
        """Add a part for the op at hand; return its number."""
        self.work.parts.append(Part(op=len(self.work.ops) - 1, **fields))
        return len(self.work.parts) - 1

    def feed(self, part: int, value: Value, span: tuple[int, int], *, late: bool = False) -> None:
        """Let a part read elements of a value; constants and what the host knows are there."""
        for low, high, source in self.layout.get(value.name, ()):
            shared = min(high, span[1]) - max(low, span[0])
            if shared > 0 and source != part:
                self.work.edges.append(Edge(source=source, target=part, bytes=self.bytes(value, shared), late=late))

    def bytes(self, value: Value, count: int) -> int:
        """Return what so many elements take: a bit for a spike, else a value of the chip."""
        return -(-count // 8) if value.role is Role.spike else count * self.chip.value_bytes

    def sums(self, count: int) -> int:
        """Return the bytes of sums of products, which take twice a value's bits."""
        return 2 * count * self.chip.value_bytes

    # ------------------------------------------------------------------------------------------- kinds of ops

    def spread(self, op: Any, what: Kind) -> None:
        """Parts of at most a buffer's quarter each, one where that is enough."""
        (value,) = op.results
        most = max(1, self.chip.buffer // (4 * self.chip.value_bytes))
        size = value.size
        ticks = getattr(op, "ticks", 1)
        cuts = _cuts(size, max(1, most // ticks))
        self.layout[value.name] = [(low, high, self.add(kind=what, low=low, high=high)) for low, high in cuts]

    def end(self, op: core.Output) -> None:
        """What is handed out leaves from where it is."""
        size = op.x.size
        for low, high, part in self.layout.get(op.x.name, [(0, size, -1)]):
            mine = self.add(kind=Kind.give, low=low, high=high)
            if part >= 0:
                self.work.edges.append(Edge(source=part, target=mine, bytes=self.bytes(op.x, high - low)))

    def arithmetic(self, op: Op) -> None:
        """Elementwise ops stay where their largest operand lies; others gather on one core."""
        value = op.results[0]
        size = value.size
        whole = max(v.size for v in (*op.inputs, *op.results))
        like = next((v for v in op.inputs if v.shape == value.shape and v.name in self.layout), None)
        if like is not None and elementwise(op):
            spans = [(low, high) for low, high, _ in self.layout[like.name]]
        else:
            spans = [(0, size)]
        made: Layout = []
        for low, high in spans:
            elements = whole if len(spans) == 1 else high - low
            part = self.add(kind=Kind.vector, low=low, high=high, elements=elements, passes=PASSES.get(op.opname, 1))
            made.append((low, high, part))
            for v in op.instant_inputs:
                self.feed(part, v, _share(v.inferred, low, high, value.inferred) if len(spans) > 1 else (0, v.size))
        for v in op.results:
            self.layout[v.name] = made if v.size == size else [(0, v.size, made[0][2])]

    def product(self, op: Any, matrix: NDArray[np.bool_]) -> None:
        """Arrays of at most rows x columns, and the sums over those that share outputs."""
        y = op.results[0]
        made = self.tiled(self.entering(op), matrix, max(1, y.size // matrix.shape[1]))
        self.layout[y.name] = made or [(0, y.size, self.add(kind=Kind.vector, low=0, high=y.size))]

    def tiled(self, x: Value, matrix: NDArray[np.bool_], times: int) -> Layout:
        """Put a matrix (inputs, outputs) on arrays that x enters; return who holds the sums."""
        n, m = matrix.shape
        made: Layout = []
        for left, right in _filled(m, self.chip.array_columns):
            arrays = []
            for top, bottom in _filled(n, self.chip.array_rows):
                used = matrix[top:bottom, left:right]
                if not used.any():
                    continue
                part = self.add(
                    kind=Kind.product,
                    rows=bottom - top,
                    columns=right - left,
                    cells=int(used.sum()),
                    array=top // self.chip.array_rows,
                    times=times,
                    low=left * times,
                    high=right * times,
                )
                share = (top, bottom) if times == 1 and x.size == n else (0, x.size)
                self.feed(part, x, share)
                arrays.append(part)
            made += self.summed(arrays, left, right, times)
        return made

    def energy(self, op: sampling.IsingEnergy, matrix: NDArray[np.bool_]) -> None:
        """Fields of all units on arrays, then their sum over the units."""
        fields = self.tiled(op.s, matrix, 1)
        part = self.add(kind=Kind.vector, low=0, high=1, elements=len(matrix), passes=2)
        for low, high, source in fields:
            self.work.edges.append(Edge(source=source, target=part, bytes=self.sums(high - low)))
        self.feed(part, op.s, (0, len(matrix)))
        self.layout[op.E.name] = [(0, 1, part)]

    def summed(self, arrays: list[int], left: int, right: int, times: int) -> Layout:
        """Add the sums of products over more rows than an array has; return who holds the result."""
        if not arrays:
            return []
        part, width = arrays[0], (right - left) * times
        if len(arrays) > 1:
            part = self.add(kind=Kind.gather, low=0, high=width, passes=len(arrays) - 1)
            self.work.edges += [Edge(source=one, target=part, bytes=self.sums(width)) for one in arrays]
        return [(left * times, right * times, part)]  # with several places, whole channels

    def sample(self, op: Op) -> None:
        """Banks of units; where they are coupled, arrays whose sums drive them, colour after colour."""
        value = op.results[0]
        size = value.size
        matrix = self.couplings(op, size)
        colours = self.colours(op, size) if matrix is not None else np.zeros(size, np.int64)
        number = int(colours.max(initial=0)) + 1
        sweeps = getattr(op, "sweeps", 1)
        what = Kind.step if CONTINUOUS in op.traits and not isinstance(op, sampling.Gibbs) else Kind.sample
        T = temperature(op)
        heated = T is not None and T.name not in self.known and T.name in self.graph.uniform
        made: Layout = []
        for low, high in _cuts(size, self.chip.samplers):
            counts = tuple(int((colours[low:high] == c).sum()) for c in range(number))
            rounds = counts * sweeps if matrix is not None else ()
            span = {"low": low, "high": high, "updates": max(1, len(rounds))}
            part = self.add(kind=what, rounds=rounds, colours=number, heated=heated, **span)
            made.append((low, high, part))
            for v in op.instant_inputs:
                if v.name not in self.known:
                    self.feed(part, v, _share(v.inferred, low, high, value.inferred))
        first = self.compared(made, value) if isinstance(op, thermo.SampleCategorical) else made
        for v in op.results:
            self.layout[v.name] = first if v.size == size else self.gathered(made, v)
        self.work.sites[value.name] = [part for _, _, part in made]
        self.work.colours[value.name] = colours
        if matrix is not None:
            self.couple(matrix, made)
        else:
            self.exchange(op, made)

    def gathered(self, made: Layout, value: Value) -> Layout:
        """Let one core put a result together that banks have a share of each, such as a sum over all units."""
        size = value.size
        if len(made) == 1:
            return [(0, size, made[0][2])]
        part = self.add(kind=Kind.gather, low=0, high=size, passes=len(made) - 1)
        self.work.edges += [Edge(source=one, target=part, bytes=self.sums(size)) for _, _, one in made]
        return [(0, size, part)]

    def exchange(self, op: Op, made: Layout) -> None:
        """Let banks read the states of others that an op's units depend on, as they were when the tick began."""
        for low, high, target in made if len(made) > 1 else ():
            others = units_read(op, low, high)
            for first, last, source in made:
                count = int(((others >= first) & (others < last)).sum())
                if count and source != target:
                    size = self.bytes(op.results[0], count)
                    self.work.edges.append(Edge(source=source, target=target, bytes=size, late=True))

    def compared(self, made: Layout, value: Value) -> Layout:
        """One unit of a row is drawn: banks hand on the best of theirs and its number, and one core compares them."""
        row = value.shape[-1]
        if all(high % row == 0 for _, high, _ in made):
            return made
        bests = [(high - 1) // row - low // row + 1 for low, high, _ in made]  # rows that a bank has units of
        part = self.add(kind=Kind.gather, low=0, high=value.size, elements=sum(bests))
        for best, (_, _, source) in zip(bests, made):
            self.work.edges.append(Edge(source=source, target=part, bytes=self.sums(best)))
        return [(0, value.size, part)]

    def couple(self, matrix: NDArray[np.bool_], made: Layout) -> None:
        """Arrays for the couplings of banks of units: products of each round, from and to the banks."""
        for low, high, target in made:
            bank = self.work.parts[target]
            for left, right in _filled(high - low, self.chip.array_columns):
                for top, bottom in _filled(len(matrix), self.chip.array_rows):
                    used = matrix[top:bottom, low + left : low + right]
                    if used.any():
                        sides = {"rows": bottom - top, "columns": right - left, "cells": int(used.sum())}
                        part = self.add(
                            kind=Kind.product, low=low + left, high=low + right, rounds=bank.rounds, **sides
                        )
                        times, size = len(bank.rounds), self.sums(right - left)
                        self.work.edges.append(Edge(source=part, target=target, bytes=size, times=times))
                        for first, last, source in made:
                            shared = min(last, bottom) - max(first, top)
                            if shared > 0:
                                size = -(-shared // 8)
                                self.work.edges.append(Edge(source=source, target=part, bytes=size, times=times))

    # ------------------------------------------------------------------------------------------ what ops hold

    def entering(self, op: Any) -> Value:
        """Return the operand that the weights multiply."""
        if isinstance(op, core.Matmul):
            return op.b if op.a.name in self.known else op.a
        return op.x

    def matrix(self, op: Any) -> NDArray[np.bool_] | None:
        """Return which weights (inputs, outputs) an op has, None where they are no constants."""
        if isinstance(op, core.SparseAffine):
            return self.rows_of(op, op.x.size)
        if isinstance(op, core.Matmul):
            a, b = self.known.get(op.a.name), self.known.get(op.b.name)
            found = a.swapaxes(-1, -2) if a is not None else b
            return None if found is None or found.ndim != 2 else found != 0
        W = self.known.get(op.weight.name)
        if W is None:
            return None
        if isinstance(op, core.Conv):  # groups side by side: block by block
            per = W.shape[0] // op.groups
            blocks = [W[g * per : (g + 1) * per].reshape(per, -1).T != 0 for g in range(op.groups)]
            taps = blocks[0].shape[0]
            whole = np.zeros((taps * op.groups, W.shape[0]), bool)
            for g, block in enumerate(blocks):
                whole[g * taps : (g + 1) * taps, g * per : (g + 1) * per] = block
            return whole
        return W.T != 0

    def rows_of(self, op: Any, n: int) -> NDArray[np.bool_] | None:
        """Return the pattern (inputs, outputs) of compressed rows."""
        parts = [self.known.get(getattr(op, name).name) for name in ("columns", "offsets")]
        columns, offsets = parts
        if columns is None or offsets is None:
            return None
        m = len(offsets) - 1
        self.small(op, n, m)
        found = np.zeros((n, m), bool)
        found[columns, np.repeat(np.arange(m), np.diff(offsets))] = True
        return found

    def small(self, op: Op, n: int, m: int) -> None:
        """Refuse matrices far beyond any chip before they are made dense."""
        most = self.chip.cores * self.chip.matrices * self.chip.array_rows * self.chip.array_columns
        if n * m > 64 * most:
            notes = [f"{op.opname} couples {n} with {m} units", f"the chip's arrays hold {most} weights at once"]
            raise error("T306", f"a matrix is far larger than chip {self.chip.name!r}", where=op.location, notes=notes)

    def couplings(self, op: Op, size: int) -> NDArray[np.bool_] | None:
        """Return which units (from, to) are coupled, None where none are."""
        if isinstance(op, sampling.Gibbs | sampling.GibbsSweeps) and op.J is None:
            return self.rows_of(op, size)
        for name in op.operand_specs:
            value = getattr(op, name)
            if isinstance(value, Value) and value.shape == (size, size) and value.name in self.known:
                return self.known[value.name].T != 0
        return None

    def colours(self, op: Op, size: int) -> NDArray[np.int64]:
        """Return the colour of each unit: those of one are updated together."""
        held = getattr(op, "colors", None)
        if held is None or getattr(op, "order", "") == "parallel" or held.name not in self.known:
            return np.zeros(size, np.int64)
        return np.unique(self.known[held.name], return_inverse=True)[1]


PASSES: Mapping[str, int] = {
    "thermo.boltzmann": 4,
    "thermo.fermi_dirac": 3,
    "thermo.maxwell_boltzmann": 4,
    "core.exp": 2,
    "core.div": 2,
}
"""Vector operations an element, where they are not one: exponentials and quotients take more."""


def temperature(op: Op) -> Value | None:
    """Return the operand that is the temperature of an op's noise."""
    specs = op.operand_specs.items()
    names = [name for name, spec in specs if spec.role is Role.temperature and not spec.uniform and not spec.constant]
    return getattr(op, names[0]) if names and STOCHASTIC in op.traits else None


def _cuts(size: int, most: int) -> list[tuple[int, int]]:
    """Return spans of at most ``most``, as equal as can be."""
    count = max(1, math.ceil(size / most))
    edges = [size * k // count for k in range(count + 1)]
    return [(a, b) for a, b in pairwise(edges) if b > a]


def _filled(size: int, most: int) -> list[tuple[int, int]]:
    """Return spans of ``most`` and what is left over, as ``map-crossbars`` fills arrays."""
    return [(low, min(low + most, size)) for low in range(0, size, most)]


def _share(given: Type, low: int, high: int, wanted: Type) -> tuple[int, int]:
    """Return the elements of an operand that elements low to high of the result need; all where shapes differ."""
    return (low, high) if given.shape == wanted.shape else (0, given.size)
