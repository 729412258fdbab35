"""Populations are cut into pieces that fit a core each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from thermoc.ir.graph import Graph
from thermoc.ir.target import Limit
from thermoc.passes.base import Log, Pass
from thermoc.passes.loihi_limits import Limits, loihi2
from thermoc.passes.loihi_populations import Population, populations
from thermoc.support.errors import ThermocError, error
from thermoc.support.tables import table


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Units start to stop of a population, and what they ask of their core."""

    population: str
    start: int
    stop: int
    memory: int
    axons_in: int
    axons_out: int
    synapses: int

    @property
    def units(self) -> int:
        """Number of units."""
        return self.stop - self.start


@dataclass(frozen=True, kw_only=True)
class Core:
    """One core's pieces. ``use`` tells (used, limit) of each limit."""

    pieces: tuple[Piece, ...]
    limits: Mapping[str, Limit]

    @property
    def use(self) -> dict[str, tuple[int, int]]:
        """(used, limit) by name."""
        asked = {name: sum(getattr(piece, name) for piece in self.pieces) for name in self.limits}
        return {name: (asked[name], limit.value) for name, limit in self.limits.items()}


@dataclass(frozen=True, kw_only=True)
class Cores:
    """Every core of a network; prints as a table."""

    network: str
    cores: tuple[Core, ...]

    @property
    def home(self) -> dict[str, list[int]]:
        """The cores of each population."""
        found: dict[str, list[int]] = {}
        for number, core in enumerate(self.cores):
            for piece in core.pieces:
                found.setdefault(piece.population, []).append(number)
        return found

    def __str__(self) -> str:
        rows = []
        for number, core in enumerate(self.cores):
            held = ", ".join(f"%{p.population}[{p.start}:{p.stop}]" for p in core.pieces)
            use = {name: f"{used} / {limit}" for name, (used, limit) in core.use.items()}
            rows.append({"core": number, "holds": held, **use})
        return table(f"{self.network}: {len(self.cores)} cores", rows)


@dataclass(frozen=True, kw_only=True)
class Partition(Pass):
    """Cut populations so that each piece fits a core, and put small ones together; the graph stays as it is.

    Errors: T207 for a unit that fits no core (which limit, how much, whose number), T304 for more cores than there are.
    """

    name: ClassVar[str] = "partition"

    chips: int = 1

    def run(self, graph: Graph, log: Log) -> Graph:
        limits = loihi2()
        found = partition(graph, limits)
        fits(found, limits, self.chips, graph)
        if found.cores:
            log.changed("cores", old="none", new=len(found.cores), bound="none: no number is changed")
        return graph


def core_limits(limits: Limits) -> dict[str, Limit]:
    """Return the limits of one core by name."""
    return {name: limits[f"core.{name}"] for name in ("units", "memory", "axons_in", "axons_out")}


def partition(graph: Graph, limits: Limits | None = None) -> Cores:
    """Return the cores of a lowered graph: populations in order, each cut as late as a limit allows. Errors: T207."""
    limits = limits or loihi2()
    each = core_limits(limits)
    cores: list[list[Piece]] = []
    for population in populations(graph, limits):
        for piece in _cut(population, each):
            last = cores[-1] if cores else []
            if last and _fit([*last, piece], each):
                last.append(piece)
            else:
                cores.append([piece])
    return Cores(network=graph.name, cores=tuple(Core(pieces=tuple(pieces), limits=each) for pieces in cores))


def fits(found: Cores, limits: Limits, chips: int, graph: Graph) -> None:
    """Check a network against a number of chips. Errors: T304."""
    pieces = [piece for core in found.cores for piece in core.pieces]
    asked = {
        "cores": len(found.cores),
        "units": sum(piece.units for piece in pieces),
        "synapses": sum(piece.synapses for piece in pieces),
    }
    for name, used in asked.items():
        limit = limits[f"chip.{name}"]
        room = limit.value * chips
        if used > room:
            notes = [f"it asks for {used} {name}", f"{chips} chip(s) have {room}: {limit.source}"]
            hint = "boards: " + ", ".join(f"{board} has {count}" for board, count in limits.boards.items())
            raise error("T304", f"network {graph.name!r} does not fit", notes=notes, hint=hint)


def _piece(population: Population, start: int, stop: int) -> Piece:
    return Piece(
        population=population.name,
        start=start,
        stop=stop,
        memory=int(population.bits[start:stop].sum()) + population.shared,
        axons_in=sum(population.senders.values()),
        axons_out=stop - start,
        synapses=int(population.fan_in[start:stop].sum()),
    )


def _fit(pieces: list[Piece], limits: Mapping[str, Limit]) -> bool:
    return all(sum(getattr(piece, name) for piece in pieces) <= limit.value for name, limit in limits.items())


def _cut(population: Population, limits: Mapping[str, Limit]) -> list[Piece]:
    """Return pieces of about equal size, as few as fit."""
    for unit in (int(np.argmax(population.bits)) if population.size else 0,):
        if population.size and not _fit([_piece(population, unit, unit + 1)], limits):
            raise _too_large(population, unit, limits)
    count = 1
    while True:
        ends = np.linspace(0, population.size, count + 1).astype(int)
        pieces = [_piece(population, int(a), int(b)) for a, b in pairwise(ends)]
        if all(_fit([piece], limits) for piece in pieces):
            return pieces
        worst = max(getattr(p, name) / limit.value for p in pieces for name, limit in limits.items())
        count = min(population.size, max(count + 1, int(count * min(worst, 2.0))))


def _too_large(population: Population, unit: int, limits: Mapping[str, Limit]) -> ThermocError:
    piece = _piece(population, unit, unit + 1)
    over = [(name, limit) for name, limit in limits.items() if getattr(piece, name) > limit.value]
    notes = [
        f"unit {unit} asks for {getattr(piece, name)} {limit.unit}, a core has {limit.value}: {limit.source}"
        for name, limit in over
    ]
    what = f"population %{population.name} ({population.op.opname}) does not fit a core"
    hint = "give its units fewer inputs, or sum them in two layers"
    return error("T207", what, where=population.op.location, notes=notes, hint=hint)
