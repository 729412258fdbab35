"""The pass that gives cores places on Loihi's chips: those with much traffic between them stand close."""

# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# (SciPy has no types for sparse arrays)

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from scipy.sparse import csr_array

from thermoc.ir.graph import Graph
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Log
from thermoc.passes.loihi.cores import Cores
from thermoc.passes.loihi.limits import LoihiLimits, loihi2
from thermoc.passes.loihi.mesh import exchanged, greedy, message_hops, slots_of
from thermoc.passes.loihi.partition import check_fit, partition
from thermoc.passes.option_checks import check_positive
from thermoc.support.array_types import IntArray
from thermoc.support.plurals import counted
from thermoc.support.tables import table


@dataclass(frozen=True, kw_only=True)
class LoihiPlacement:
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
class PlaceCores(Pass):
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
            log.changed(
                "places",
                old="none",
                new=f"{counted(len(placement.places), 'core')} on {counted(used, 'chip')}",
                bound=bound,
            )
        return graph


def place(graph: Graph, chips: int = 1, limits: LoihiLimits | None = None) -> LoihiPlacement:
    """Return places for a lowered graph's cores. Errors: T207, T304."""
    limits = limits or loihi2()
    cores = partition(graph, limits)
    check_fit(cores, limits, chips, graph)
    messages = traffic(cores)
    slots = slots_of(len(cores.cores), limits["chip.cores"].value, chips)
    slot = exchanged(greedy(messages, slots), messages, slots)
    places = tuple(tuple(slots[index].tolist()) for index in slot)
    return LoihiPlacement(cores=cores, places=places, traffic=message_hops(slot, messages, slots))


def traffic(cores: Cores) -> csr_array:
    """Return the messages of a tick from core to core, if every unit speaks; each goes to every core that reads it."""
    core_of = _core_of_units(cores)
    source: list[IntArray] = []
    target: list[IntArray] = []
    count: list[IntArray] = []
    for number, core in enumerate(cores.cores):
        for name, index in core.reads.items():
            if name in core_of:  # messages of the host come from outside
                senders, messages = np.unique(core_of[name][index], return_counts=True)
                source.append(senders)
                target.append(np.full(len(senders), number))
                count.append(messages)
    size = len(cores.cores)
    entries = [np.concatenate([np.zeros(0, int), *column]) for column in (source, target, count)]
    # Messages within a core do not travel.
    outside = entries[0] != entries[1]
    rows, columns, messages = (column[outside] for column in entries)
    return csr_array((messages.astype(float), (rows, columns)), shape=(size, size))


def _core_of_units(cores: Cores) -> dict[str, IntArray]:
    """Return the core of each unit, by its population's name."""
    core_of: dict[str, IntArray] = {}
    for number, core in enumerate(cores.cores):
        for piece in core.pieces:
            core_of.setdefault(piece.population, np.zeros(math.prod(piece.shape), int))[piece.members] = number
    return core_of
