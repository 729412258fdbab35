"""The pass that cuts populations into pieces that fit a core of Loihi each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import ClassVar

from thermoc.ir.graph import Graph
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Log
from thermoc.passes.loihi.cores import Core, Cores
from thermoc.passes.loihi.cuts import cut
from thermoc.passes.loihi.demand import core_populations
from thermoc.passes.loihi.limits import LoihiLimits, loihi2
from thermoc.passes.loihi.pieces import Piece
from thermoc.passes.option_checks import check_positive
from thermoc.support.errors import error
from thermoc.support.plurals import counted


@dataclass(frozen=True, kw_only=True)
class PartitionCores(Pass):
    """Cut populations so that each piece fits a core, and put small ones together; the graph stays as it is.

    Errors: T207 for a unit that fits no core (which limit, how much, whose number), T304 for more cores than there are.
    """

    name: ClassVar[str] = "partition"

    chips: int = 1

    def __post_init__(self) -> None:
        check_positive(self.name, "chips", self.chips)

    def run(self, graph: Graph, log: Log) -> Graph:
        limits = loihi2()
        cores = partition(graph, limits)
        check_fit(cores, limits, self.chips, graph)
        if cores.cores:
            log.changed("cores", old="none", new=len(cores.cores), bound="none: no number is changed")
        return graph


def partition(graph: Graph, limits: LoihiLimits | None = None) -> Cores:
    """Return the cores of a lowered graph: populations in order, each cut into as few as fit. Errors: T207."""
    limits = limits or loihi2()
    of_core = limits.of_core
    cores: list[Core] = []
    for population in core_populations(graph, limits):
        for piece in cut(population, of_core):
            # Only the last core is tried: neighbours in the graph then share a core, and with it axons.
            joined = replace(cores[-1], pieces=(*cores[-1].pieces, piece)) if cores else None
            if joined is not None and joined.fits:
                cores[-1] = joined
            else:
                cores.append(Core(pieces=(piece,), limits=of_core))
    return Cores(network=graph.name, cores=tuple(cores))


def check_fit(cores: Cores, limits: LoihiLimits, chips: int, graph: Graph) -> None:
    """Check a network against a number of chips. Errors: T304."""
    pieces = [piece for core in cores.cores for piece in core.pieces]
    demand = {
        "cores": Counter(piece.population for piece in pieces),
        "units": _by_population(pieces, "units"),
        "synapses": _by_population(pieces, "synapses"),
    }
    totals = {"cores": len(cores.cores)} | {name: demand[name].total() for name in ("units", "synapses")}
    for name, used in totals.items():
        limit = limits[f"chip.{name}"]
        capacity = limit.value * chips
        if used > capacity:
            notes = [f"it asks for {used} {name}", f"{counted(chips, 'chip')}: {capacity}, {limit.source}"]
            notes += [_of_op(graph, *entry, name) for entry in demand[name].most_common(3)]
            hint = f"chips={-(-used // limit.value)} has as many; boards: "
            hint += ", ".join(f"{board} has {count}" for board, count in limits.boards.items())
            raise error("T304", f"network {graph.name!r} does not fit", notes=notes, hint=hint)


def _by_population(pieces: Iterable[Piece], name: str) -> Counter[str]:
    """Return how much of something the populations ask for."""
    totals: Counter[str] = Counter()
    for piece in pieces:
        totals[piece.population] += getattr(piece, name)
    return totals


def _of_op(graph: Graph, population: str, count: int, name: str) -> str:
    op = graph.producers[population]
    where = f", at {op.location}" if op.location is not None else ""
    return f"%{population} ({op.opname}) takes {count} {name}{where}"
