"""Cores get places on chips: those that talk much stand close."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from thermoc.ir.graph import Graph
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Log
from thermoc.passes.loihi.limits import Limits, loihi2
from thermoc.passes.loihi.partition import Cores, fits, partition
from thermoc.passes.option_checks import check_positive
from thermoc.support.tables import table

WIDTH = 16
"""Columns of a chip's mesh of 8 by 16 cores, as press reports of 2021 have it."""
CROSSING = 32
"""A step from chip to chip counts like so many hops; our choice."""
ROUNDS, LEAST_GAIN = 4, 1e-9


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

    def __post_init__(self) -> None:
        check_positive(self.name, "chips", self.chips)

    def run(self, graph: Graph, log: Log) -> Graph:
        placement = place(graph, self.chips)
        if placement.places:
            used = len({chip for chip, _, _ in placement.places})
            bound = f"at most {placement.traffic:.6g} message hops a tick"
            log.changed("places", old="none", new=f"{len(placement.places)} cores on {used} chip(s)", bound=bound)
        return graph


def place(graph: Graph, chips: int = 1, limits: Limits | None = None) -> Placement:
    """Return places for a lowered graph's cores: a greedy start, then exchanges that shorten the way; deterministic."""
    limits = limits or loihi2()
    cores = partition(graph, limits)
    fits(cores, limits, chips, graph)
    talk = traffic(cores)
    slots = _slots(len(cores.cores), limits["chip.cores"].value, chips)
    seat = exchanged(greedy(talk, slots), talk, slots)
    return Placement(cores=cores, places=tuple(tuple(slots[i].tolist()) for i in seat), traffic=way(seat, talk, slots))


def traffic(cores: Cores) -> csr_array:
    """Return the messages of a tick from core to core, if every unit speaks; each goes to every core that reads it."""
    homes = _homes(cores)
    source, target, count = [], [], []
    for number, core in enumerate(cores.cores):
        for name, index in core.reads.items():
            if name in homes:
                senders, messages = np.unique(homes[name][index], return_counts=True)
                source.append(senders)
                target.append(np.full(len(senders), number))
                count.append(messages)
    size = len(cores.cores)
    entries = [np.concatenate([np.zeros(0, int), *column]) for column in (source, target, count)]
    away = entries[0] != entries[1]
    rows, columns, messages = (column[away] for column in entries)
    return csr_array((messages.astype(float), (rows, columns)), shape=(size, size))


def _homes(cores: Cores) -> dict[str, NDArray]:
    """Return the core of each unit, by its population's name."""
    homes: dict[str, NDArray] = {}
    for number, core in enumerate(cores.cores):
        for piece in core.pieces:
            homes.setdefault(piece.population, np.zeros(math.prod(piece.shape), int))[piece.members] = number
    return homes


def _slots(cores: int, each: int, chips: int) -> NDArray[np.int64]:
    """Return the places (chip, row, column) of as many chips as are needed, chip by chip, row by row."""
    used = min(chips, -(-cores // each)) if cores else 0
    chip, core = np.divmod(np.arange(used * each), each)
    return np.stack([chip, core // WIDTH, core % WIDTH], axis=1)


def distances(some: NDArray, others: NDArray) -> NDArray[np.int64]:
    """Return the hops from each of some places (n, 3) to each of others (m, 3), (n, m)."""
    chip, row, column = np.abs(some[:, None] - others[None]).transpose(2, 0, 1)
    return CROSSING * chip + row + column


def way(seat: NDArray, talk: csr_array, slots: NDArray) -> float:
    """Return messages times hops."""
    source, target = talk.nonzero()
    hops = np.abs(slots[seat[source]] - slots[seat[target]]) @ np.array([CROSSING, 1, 1])
    return float((talk[source, target] * hops).sum()) if len(source) else 0.0


def greedy(talk: csr_array, slots: NDArray) -> NDArray[np.int64]:
    """Seat the core that talks most with those seated where that costs least; the first of equals."""
    both = (talk + talk.T).tocsr()
    seat = np.full(both.shape[0], -1)
    free = np.ones(len(slots), bool)
    pull, in_all = np.zeros(len(seat)), 1e-6 * both.sum(axis=1)
    for _ in range(len(seat)):
        core = int(np.argmax(np.where(seat >= 0, -1.0, pull + in_all)))
        partners, messages = _row(both, core)
        seated = seat[partners] >= 0
        cost = distances(slots, slots[seat[partners[seated]]]) @ messages[seated]
        chosen = int(np.argmin(np.where(free, cost, np.inf)))
        seat[core], free[chosen] = chosen, False
        pull[partners] += messages
    return seat


def exchanged(seat: NDArray, talk: csr_array, slots: NDArray) -> NDArray[np.int64]:
    """Move cores to free places, or swap two, as long as a round of moves shortens the way."""
    both, seat = (talk + talk.T).tocsr(), seat.copy()
    for _ in range(ROUNDS):
        moved = False
        for core in range(len(seat)):
            gains = _gains(core, seat, both, slots)
            place = int(np.argmax(gains))
            if gains[place] > LEAST_GAIN:
                seat[seat == place] = seat[core]
                seat[core], moved = place, True
        if not moved:
            break
    return seat


def _gains(core: int, seat: NDArray, both: csr_array, slots: NDArray) -> NDArray:
    """Return what the way is shortened by if a core goes to each place, and who has that place to its.

    With t messages and d hops a swap of a and b saves the sum over k of (t_ak - t_bk) (d_ak - d_bk), less 2 t_ab d_ab:
    the way between the two stays.
    """
    partners, messages = _row(both, core)
    there = distances(slots, slots[seat[partners]]) @ messages
    gains = there[seat[core]] - there
    hops = distances(slots[seat[core]][None], slots)[0]
    gains[seat] += _costs(both, slots[seat]) - both @ hops[seat]
    gains[seat[partners]] -= 2 * messages * hops[seat[partners]]
    gains[seat[core]] = 0.0
    return gains


def _row(both: csr_array, core: int) -> tuple[NDArray, NDArray]:
    """Return a core's partners and the messages between them."""
    start, stop = both.indptr[core : core + 2]
    return both.indices[start:stop], both.data[start:stop]


def _costs(both: csr_array, places: NDArray) -> NDArray:
    """Return the way of each core's messages."""
    rows = np.repeat(np.arange(len(places)), np.diff(both.indptr))
    hops = np.abs(places[rows] - places[both.indices]) @ np.array([CROSSING, 1, 1])
    return np.bincount(rows, both.data * hops, minlength=len(places))
