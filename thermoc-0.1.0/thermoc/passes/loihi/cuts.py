"""A population is cut into pieces that fit a core each, as few as its orders and its grid allow."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from thermoc.ir.target import Limit
from thermoc.ir.types import Shape
from thermoc.passes.loihi.populations import Population
from thermoc.passes.loihi.reads import Index
from thermoc.passes.loihi.tiles import Fits, tiles
from thermoc.support.errors import ThermocError, error

WORDS = {"axons_in": "input axons", "axons_out": "output axons", "memory": "bits", "units": "units"}


@dataclass(frozen=True, kw_only=True, eq=False)
class Piece:
    """Some units of a population, flat and in rising order, and what they ask of their core.

    reads: whom they read, by the sender's name, its elements in rising order.
    """

    population: str
    shape: Shape
    members: Index
    reads: Mapping[str, Index]
    memory: int
    synapses: int

    @property
    def units(self) -> int:
        """Number of units."""
        return len(self.members)

    @property
    def axons_in(self) -> int:
        """Number of axons that come in: one for each unit that is read."""
        return sum(map(len, self.reads.values()))

    @property
    def axons_out(self) -> int:
        """Number of axons that go out: one for each unit."""
        return self.units

    def __str__(self) -> str:
        if not self.shape:
            return f"%{self.population}"
        axes = [np.unique(axis) for axis in np.unravel_index(self.members, self.shape)]
        box = all(len(axis) == np.ptp(axis) + 1 for axis in axes) and math.prod(map(len, axes)) == self.units
        ranges = ", ".join(f"{axis[0]}:{axis[-1] + 1}" for axis in axes)
        if box:
            return f"%{self.population}[{ranges}]"
        first, last = self.members[[0, -1]]
        which = f"{first} to {last}" if last - first < self.units else f"{self.units}"
        return f"{which} of %{self.population}"


def piece(population: Population, units: Index) -> Piece:
    """Return units of a population as a piece."""
    members = np.sort(units)
    return Piece(
        population=population.name,
        shape=population.shape,
        members=members,
        reads=population.reads(members),
        memory=population.memory(members),
        synapses=int(population.fan_in[members].sum()),
    )


def cut(population: Population, limits: Mapping[str, Limit]) -> list[Piece]:
    """Return pieces that fit a core each. Errors: T207 for a unit that fits none.

    Units behind a convolution are cut into tiles of their channels and space; others in a row, in the order that takes
    the fewest cores, and evenly where that takes no more.
    """

    def fits(units: Index) -> bool:
        cheap = len(units) <= _most(limits) and population.memory(units) <= limits["memory"].value
        return cheap and sum(map(len, population.reads(units).values())) <= limits["axons_in"].value

    every = np.arange(population.size)
    if not len(every) or fits(every):
        return [piece(population, every)] if len(every) else []
    _check_units(population, limits, fits)
    groups = None if population.grid is None else tiles(population.grid, fits, _most(limits))
    if groups is None:
        groups = min((_runs(population, order, limits, fits) for order in population.orders), key=len)
    return [piece(population, group) for group in groups]


def _most(limits: Mapping[str, Limit]) -> int:
    """Return how many units a core can have: each needs an axon to be heard."""
    return min(limits["units"].value, limits["axons_out"].value)


def _runs(population: Population, order: Index, limits: Mapping[str, Limit], fits: Fits) -> list[Index]:
    """Return stretches of a row, each as long as fits; of equal length where that makes no more of them."""
    bits = np.append(0, np.cumsum(population.bits[order]))
    ends = [0]
    while ends[-1] < len(order):
        start = ends[-1]
        by_memory = int(np.searchsorted(bits, bits[start] + limits["memory"].value, side="right")) - 1
        ends.append(_last(order, start, min(start + _most(limits), by_memory, len(order)), fits))
    even = np.linspace(0, len(order), len(ends)).astype(int)
    groups = [order[a:b] for a, b in pairwise(even)]
    return groups if all(map(fits, groups)) else [order[a:b] for a, b in pairwise(ends)]


def _last(order: Index, start: int, most: int, fits: Fits) -> int:
    """Return the largest end up to which units fit; the first always does, and more never ask for less."""
    low, high = start + 1, max(most, start + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(order[start:middle]) else (low, middle - 1)
    return low


def _check_units(population: Population, limits: Mapping[str, Limit], fits: Fits) -> None:
    """Refuse a unit that fits no core. Errors: T207."""
    alone = population.bits + population.table + sum(k.bits * (k.channel >= 0) for k in population.kernels)
    heavy = np.flatnonzero((alone > limits["memory"].value) | (population.fan_in > limits["axons_in"].value))
    suspects = heavy[np.argsort(-population.fan_in[heavy], kind="stable")]
    for unit in suspects:
        if not fits(np.array([unit])):
            raise _too_large(population, int(unit), limits)


def _too_large(population: Population, unit: int, limits: Mapping[str, Limit]) -> ThermocError:
    single = piece(population, np.array([unit]))
    place = ", ".join(str(axis[0]) for axis in np.unravel_index(single.members, population.shape or (1,)))
    notes = []
    for name, limit in limits.items():
        asked = getattr(single, name)
        if asked > limit.value:
            notes.append(f"unit [{place}] asks for {asked} {WORDS[name]}, a core has {limit.value}: {limit.source}")
            notes += [_whom(population, single)] if name == "axons_in" else []
            notes += [f"they hold its {single.synapses} synapses, its states and bias"] if name == "memory" else []
    what = f"population %{population.name} ({population.op.opname}) does not fit a core"
    hint = "give its units fewer inputs, or sum them in two layers"
    return error("T207", what, where=population.op.location, notes=notes, hint=hint)


def _whom(population: Population, single: Piece) -> str:
    """Return whom a unit reads, in words."""
    graph = population.readers.graph
    read = []
    for name, units in single.reads.items():
        op = graph.producers[name]
        size = next(value.type.size for value in op.results if value.type is not None)
        read.append(f"{len(units)} of the {size} units of %{name} ({op.opname})")
    return f"it reads {', '.join(read)}: an axon for each"
