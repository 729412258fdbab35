"""Populations are cut into pieces that fit a core each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import reduce
from typing import ClassVar

import numpy as np

from thermoc.ir.graph import Graph
from thermoc.ir.target import Limit
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Log
from thermoc.passes.loihi.cuts import Piece, cut
from thermoc.passes.loihi.limits import Limits, loihi2
from thermoc.passes.loihi.populations import populations
from thermoc.passes.loihi.reads import Index
from thermoc.passes.option_checks import check_positive
from thermoc.support.errors import error
from thermoc.support.tables import table


@dataclass(frozen=True, kw_only=True)
class Core:
    """One core's pieces. ``use`` tells (used, limit) of each limit."""

    pieces: tuple[Piece, ...]
    limits: Mapping[str, Limit]

    @property
    def use(self) -> dict[str, tuple[int, int]]:
        """(used, limit) by name. A unit that several pieces read comes by one axon."""
        asked = {name: sum(getattr(piece, name) for piece in self.pieces) for name in self.limits}
        asked |= {"axons_in": sum(map(len, self.reads.values()))}
        return {name: (asked[name], limit.value) for name, limit in self.limits.items()}

    @property
    def reads(self) -> dict[str, Index]:
        """Whom its units read: by the sender's name, its elements in rising order."""
        names = dict.fromkeys(name for piece in self.pieces for name in piece.reads)
        return {
            name: reduce(np.union1d, [piece.reads[name] for piece in self.pieces if name in piece.reads])
            for name in names
        }

    @property
    def fits(self) -> bool:
        """Whether no limit is exceeded."""
        return all(used <= most for used, most in self.use.values())


@dataclass(frozen=True, kw_only=True)
class Cores:
    """Every core of a network; prints as a table."""

    network: str
    cores: tuple[Core, ...]

    def __str__(self) -> str:
        rows = []
        for number, core in enumerate(self.cores):
            use = {name: f"{used} / {limit}" for name, (used, limit) in core.use.items()}
            rows.append({"core": number, "holds": ", ".join(map(str, core.pieces)), **use})
        return table(f"{self.network}: {len(self.cores)} cores", rows)


@dataclass(frozen=True, kw_only=True)
class Partition(Pass):
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
        fits(cores, limits, self.chips, graph)
        if cores.cores:
            log.changed("cores", old="none", new=len(cores.cores), bound="none: no number is changed")
        return graph


def core_limits(limits: Limits) -> dict[str, Limit]:
    """Return the limits of one core by name."""
    return {name: limits[f"core.{name}"] for name in ("units", "memory", "axons_in", "axons_out")}


def partition(graph: Graph, limits: Limits | None = None) -> Cores:
    """Return the cores of a lowered graph: populations in order, each cut into as few as fit. Errors: T207."""
    limits = limits or loihi2()
    each = core_limits(limits)
    cores: list[Core] = []
    for population in populations(graph, limits):
        for piece in cut(population, each):
            alone = Core(pieces=(piece,), limits=each)
            joined = replace(cores[-1], pieces=(*cores[-1].pieces, piece)) if cores else alone
            if cores and joined.fits:
                cores[-1] = joined
            else:
                cores.append(alone)
    return Cores(network=graph.name, cores=tuple(cores))


def fits(cores: Cores, limits: Limits, chips: int, graph: Graph) -> None:
    """Check a network against a number of chips. Errors: T304."""
    pieces = [piece for core in cores.cores for piece in core.pieces]
    asked = {
        "cores": Counter(piece.population for core in cores.cores for piece in core.pieces),
        "units": _total(pieces, "units"),
        "synapses": _total(pieces, "synapses"),
    }
    totals = {"cores": len(cores.cores)} | {name: asked[name].total() for name in ("units", "synapses")}
    for name, used in totals.items():
        limit = limits[f"chip.{name}"]
        most = limit.value * chips
        if used > most:
            notes = [f"it asks for {used} {name}", f"{chips} chip(s) have {most}: {limit.source}"]
            notes += [_of_op(graph, *entry, name) for entry in asked[name].most_common(3)]
            hint = f"chips={-(-used // limit.value)} has as many; boards: "
            hint += ", ".join(f"{board} has {count}" for board, count in limits.boards.items())
            raise error("T304", f"network {graph.name!r} does not fit", notes=notes, hint=hint)


def _total(pieces: Iterable[Piece], name: str) -> Counter[str]:
    """Return how much of something the populations ask for."""
    totals: Counter[str] = Counter()
    for piece in pieces:
        totals[piece.population] += getattr(piece, name)
    return totals


def _of_op(graph: Graph, population: str, count: int, name: str) -> str:
    op = graph.producers[population]
    where = f", at {op.location}" if op.location is not None else ""
    return f"%{population} ({op.opname}) takes {count} {name}{where}"
