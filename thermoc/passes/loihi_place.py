"""Cores get places on chips: those that talk much stand close."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.graph import Graph
from thermoc.passes.base import Log, Pass
from thermoc.passes.loihi_limits import Limits, loihi2
from thermoc.passes.loihi_partition import Cores, fits, partition
from thermoc.passes.loihi_populations import populations
from thermoc.support.tables import table

WIDTH = 16
"""Columns of a chip's mesh of 8 by 16 cores, as press reports of 2021 have it."""
CROSSING = 32
"""A step from chip to chip counts like so many hops; our choice."""
ROUNDS = 4


@dataclass(frozen=True, kw_only=True)
class Placement:
    """Where each core stands, as (chip, row, column), and what the messages of a tick travel; prints as a table."""

    cores: Cores
    places: tuple[tuple[int, int, int], ...]
    traffic: float
    """Messages times hops, if every unit speaks in every tick."""

    def __str__(self) -> str:
        rows = [
            {"core": number, "chip": chip, "row": row, "column": column}
            for number, (chip, row, column) in enumerate(self.places)
        ]
        return table(f"{self.cores.network}: {self.traffic:.6g} message hops a tick at most", rows)


@dataclass(frozen=True, kw_only=True)
class Place(Pass):
    """Give each core a place, so that messages times distance is small; the graph stays. Errors: T207, T304."""

    name: ClassVar[str] = "place"

    chips: int = 1

    def run(self, graph: Graph, log: Log) -> Graph:
        found = place(graph, self.chips)
        if found.places:
            used = len({chip for chip, _, _ in found.places})
            bound = f"at most {found.traffic:.6g} message hops a tick"
            log.changed("places", old="none", new=f"{len(found.places)} cores on {used} chip(s)", bound=bound)
        return graph


def place(graph: Graph, chips: int = 1, limits: Limits | None = None) -> Placement:
    """Return places for a lowered graph's cores: a greedy start, then exchanges that shorten the way; deterministic."""
    limits = limits or loihi2()
    cores = partition(graph, limits)
    fits(cores, limits, chips, graph)
    talk = traffic(graph, cores, limits)
    slots = _slots(len(cores.cores), limits["chip.cores"].value, chips)
    distance = _distances(slots)
    seat = _exchanged(_greedy(talk, distance), talk, distance)
    total = float((talk * distance[np.ix_(seat, seat)]).sum()) if len(seat) else 0.0
    return Placement(cores=cores, places=tuple(slots[i] for i in seat), traffic=total)


def traffic(graph: Graph, cores: Cores, limits: Limits) -> NDArray:
    """Return the messages of a tick from core to core, if every unit speaks; each goes to every core that reads it."""
    talk, home = np.zeros((len(cores.cores),) * 2), cores.home
    sizes = [{p.population: p.units for p in core.pieces} for core in cores.cores]
    for population in populations(graph, limits):
        for sender in population.senders:
            for source in home.get(sender, ()):
                for target in home[population.name]:
                    if source != target:
                        talk[source, target] += sizes[source][sender]
    return talk


def _slots(cores: int, each: int, chips: int) -> list[tuple[int, int, int]]:
    """Return the places of as many chips as are needed, chip by chip, row by row."""
    used = min(chips, -(-cores // each)) if cores else 0
    return [(chip, i // WIDTH, i % WIDTH) for chip in range(used) for i in range(each)]


def _distances(slots: Sequence[tuple[int, int, int]]) -> NDArray:
    where = np.array(slots, float).reshape(-1, 3)
    chip, row, column = (np.abs(where[:, None, axis] - where[None, :, axis]) for axis in range(3))
    return CROSSING * chip + row + column


def _greedy(talk: NDArray, distance: NDArray) -> NDArray[np.int64]:
    """Seat the core that talks most with those seated where that costs least; the first of equals."""
    both = talk + talk.T
    count = len(talk)
    seat = np.full(count, -1)
    free = np.ones(len(distance), bool)
    for _ in range(count):
        seated = seat >= 0
        pull = np.where(seated, -1.0, both[:, seated].sum(axis=1) + 1e-6 * both.sum(axis=1))
        core = int(np.argmax(pull))
        cost = distance[:, seat[seated]] @ both[core, seated]
        chosen = int(np.argmin(np.where(free, cost, np.inf)))
        seat[core], free[chosen] = chosen, False
    return seat


def _exchanged(seat: NDArray, talk: NDArray, distance: NDArray) -> NDArray[np.int64]:
    """Swap pairs of cores as long as a round of swaps shortens the way."""
    both, seat = talk + talk.T, seat.copy()
    for _ in range(ROUNDS):
        moved = False
        for a in range(len(seat)):
            now = distance[seat]
            cost = (both[a] * now[a][seat]).sum()
            gains = np.zeros(len(seat))
            for b in range(a + 1, len(seat)):
                swapped = seat.copy()
                swapped[a], swapped[b] = seat[b], seat[a]
                before = cost + (both[b] * distance[seat[b]][seat]).sum()
                later = (both[a] * distance[swapped[a]][swapped]).sum() + (
                    both[b] * distance[swapped[b]][swapped]
                ).sum()
                gains[b] = before - later
            best = int(np.argmax(gains)) if len(gains) else 0
            if len(gains) and gains[best] > 1e-9:
                seat[a], seat[best] = seat[best], seat[a]
                moved = True
        if not moved:
            break
    return seat
