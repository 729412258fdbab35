"""Cuts a population into pieces that fit a core each, as few as its orders and its grid allow."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from thermoc.ir.target import Limit
from thermoc.passes.loihi.demand import CorePopulation
from thermoc.passes.loihi.pieces import Piece, piece_of
from thermoc.passes.loihi.tiles import Fits, tiles
from thermoc.support.array_types import IntArray
from thermoc.support.errors import ThermocError, error

WORDS = {"axons_in": "input axons", "axons_out": "output axons", "memory": "bits", "units": "units"}


def cut(population: CorePopulation, limits: Mapping[str, Limit]) -> list[Piece]:
    """Return pieces that fit a core each. Errors: T207 for a unit that fits none.

    Units behind a convolution are cut into tiles of their channels and space; others in a row, in the order that takes
    the fewest cores, and evenly where that takes no more.
    """

    def fits(units: IntArray) -> bool:
        # Whom units read takes longest to find out: what is cheap to know is asked first.
        plausible = len(units) <= _most_units(limits) and population.memory(units) <= limits["memory"].value
        return plausible and sum(map(len, population.reads(units).values())) <= limits["axons_in"].value

    units = np.arange(population.size)
    if not len(units) or fits(units):
        return [piece_of(population, units)] if len(units) else []
    _check_units(population, limits, fits)
    groups = None if population.grid is None else tiles(population.grid, fits, _most_units(limits))
    if groups is None:
        groups = min((_runs(population, order, limits, fits) for order in population.orders), key=len)
    return [piece_of(population, group) for group in groups]


def _most_units(limits: Mapping[str, Limit]) -> int:
    """Return how many units a core can have: each needs an axon to be heard."""
    return min(limits["units"].value, limits["axons_out"].value)


def _runs(population: CorePopulation, order: IntArray, limits: Mapping[str, Limit], fits: Fits) -> list[IntArray]:
    """Return stretches of a row, each as long as fits; of equal length where that makes no more of them."""
    # Bits add up along a row, so their running sum gives a ceiling before any axon is counted.
    bits: IntArray = np.append(0, np.cumsum(population.bits[order]))
    ends = [0]
    while ends[-1] < len(order):
        start = ends[-1]
        full = int(bits[start]) + limits["memory"].value
        by_memory = int(np.searchsorted(bits, full, side="right")) - 1
        ends.append(_last(order, start, min(start + _most_units(limits), by_memory, len(order)), fits))
    even = np.linspace(0, len(order), len(ends)).astype(int)
    groups = [order[a:b] for a, b in pairwise(even)]
    return groups if all(map(fits, groups)) else [order[a:b] for a, b in pairwise(ends)]


def _last(order: IntArray, start: int, ceiling: int, fits: Fits) -> int:
    """Return the largest end up to which units fit; the first always does, and more never ask for less."""
    low, high = start + 1, max(ceiling, start + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(order[start:middle]) else (low, middle - 1)
    return low


def _check_units(population: CorePopulation, limits: Mapping[str, Limit], fits: Fits) -> None:
    """Refuse a unit that fits no core. Errors: T207."""
    # A sieve over all units at once: to ask each of them whom it reads would take long in a large population.
    alone = population.bits + population.table + sum(k.bits * (k.channel >= 0) for k in population.kernels)
    heavy = np.flatnonzero((alone > limits["memory"].value) | (population.fan_in > limits["axons_in"].value))
    # Worst first: the message then names the unit with most inputs.
    suspects = heavy[np.argsort(-population.fan_in[heavy], kind="stable")]
    for unit in suspects:
        if not fits(np.array([unit])):
            raise _too_large(population, int(unit), limits)


def _too_large(population: CorePopulation, unit: int, limits: Mapping[str, Limit]) -> ThermocError:
    single = piece_of(population, np.array([unit]))
    index = ", ".join(str(axis[0]) for axis in np.unravel_index(single.members, population.shape or (1,)))
    notes: list[str] = []
    for name, limit in limits.items():
        demand = getattr(single, name)
        if demand > limit.value:
            notes.append(f"unit [{index}] asks for {demand} {WORDS[name]}, a core has {limit.value}: {limit.source}")
            notes += [_whom(population, single)] if name == "axons_in" else []
            notes += [f"they hold its {single.synapses} synapses, its states and bias"] if name == "memory" else []
    what = f"population %{population.name} ({population.op.opname}) does not fit a core"
    hint = "give its units fewer inputs, or sum them in two layers"
    return error("T207", what, where=population.op.location, notes=notes, hint=hint)


def _whom(population: CorePopulation, single: Piece) -> str:
    """Return whom a unit reads, in words."""
    graph = population.senders.graph
    read: list[str] = []
    for name, units in single.reads.items():
        op = graph.producers[name]
        size = next(value.type.size for value in op.results if value.type is not None)
        read.append(f"{len(units)} of the {size} units of %{name} ({op.opname})")
    return f"it reads {', '.join(read)}: an axon for each"
