"""Collects the populations of a network that goes on Loihi, and which of them holds each value the host reads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

from thermoc.ir.dialects import core
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.values import Value
from thermoc.passes.loihi.clocks import heard
from thermoc.passes.loihi.drives import Drives, is_population
from thermoc.passes.loihi.host_populations import host_populations
from thermoc.passes.loihi.population_table import MAKERS
from thermoc.passes.loihi.population_types import (
    GradedPopulation,
    HostReading,
    LifPopulation,
    MemoryPopulation,
    Population,
    RelaxationPopulation,
)
from thermoc.passes.loihi.regions import Regions
from thermoc.support.errors import error


class Owner(NamedTuple):
    """The population that holds a value, and how the value is read where it is a state of it."""

    population: str
    reading: HostReading | None = None


@dataclass(frozen=True, kw_only=True)
class Populations:
    """Every population of a network by name, and of each value they hold its owner. host_reads: what the host reads."""

    by_name: Mapping[str, Population]
    owners: Mapping[str, Owner]
    host_reads: tuple[Value, ...]


def collect(graph: Graph, regions: Regions) -> Populations:
    """Return the populations of a network, relays behind the others.

    Errors: T205 for an op without a form on Loihi, T301 for a sampler whose units share random words.
    """
    drives = Drives(graph, regions.on_loihi, regions.constants)
    by_name: dict[str, Population] = {
        population.name: population for population in _numbered(graph, _of_ops(graph, regions, drives))
    }
    by_name |= {population.name: population for population in host_populations(graph, regions, drives)}
    owners = _owners(by_name)
    host_reads = _host_reads(graph, regions)
    for value in host_reads:
        if value.name not in owners:
            drives.relayed(value)
    # After the populations: reading their drives is what finds out which sums need relays.
    relays = {name: _relay(graph, name, drives) for name in drives.relays if name not in by_name}
    by_name |= relays
    # Last, for a relay may read what no population sends.
    _check_sources(graph, regions, by_name)
    return Populations(by_name=by_name, owners=owners | _owners(relays), host_reads=host_reads)


def _of_ops(graph: Graph, regions: Regions, drives: Drives) -> Iterator[Population]:
    for op in graph.ops:
        # A constant that is cast is a number known at compile time, and no population.
        if regions.holds(op) and is_population(op) and not _casts_constant(graph, op):
            yield from MAKERS[type(op)](op, drives, graph.dt)


def _casts_constant(graph: Graph, op: Op) -> bool:
    return isinstance(op, core.Cast) and isinstance(graph.producers[op.x.name], core.Constant)


def _numbered(graph: Graph, populations: Iterable[Population]) -> Iterator[Population]:
    """Give memories and schedules, without noise, a stream of random words that no op of the network draws from."""
    # Behind the network's own streams, so that no two noises are correlated.
    stream = max((getattr(op, "stream", -1) for op in graph.ops), default=-1)
    for population in populations:
        if isinstance(population, MemoryPopulation | RelaxationPopulation) and population.stream < 0:
            stream += 1
            population = replace(population, stream=stream)
        yield population


def _owners(populations: Mapping[str, Population]) -> dict[str, Owner]:
    owners = {name: Owner(name) for name in populations}
    for name, population in populations.items():
        if isinstance(population, LifPopulation):
            owners |= {reading.name: Owner(name, reading) for reading in population.readings}
    return owners


def _host_reads(graph: Graph, regions: Regions) -> tuple[Value, ...]:
    """Return the values of Loihi that ops of the host read."""
    read = {
        value.name: value
        for op in graph.ops
        if not regions.holds(op)
        for value in op.inputs
        if value.name in regions.on_loihi
    }
    return tuple(read.values())


def _relay(graph: Graph, name: str, drives: Drives) -> GradedPopulation:
    """Return the population that hands on a sum."""
    op = graph.producers[name]
    shape = next(value for value in op.results if value.name == name).shape
    return GradedPopulation(name=name, op=op, shape=shape, drive=drives.relays[name], rule="abs")


def _check_sources(graph: Graph, regions: Regions, by_name: Mapping[str, Population]) -> None:
    """Check that populations read what others send, and no state of theirs. Errors: T205."""
    for population in by_name.values():
        for term in heard(population):
            if term.source in regions.on_loihi and term.source not in by_name:
                op = graph.producers[term.source]
                what = f"{op.opname}: %{term.source} is read by {population.op.opname} (%{population.name})"
                notes = ["a synapse carries what a population sends, not its membrane"]
                raise error("T205", what, where=population.op.location, notes=notes)


def is_read_sum(name: str, by_name: Mapping[str, Population]) -> bool:
    """Tell whether a population is a sum that the host alone reads: its synapses' result will do."""
    population = by_name[name]
    if not isinstance(population, GradedPopulation) or population.rule != "abs":
        return False
    read = any(term.source == name for reader in by_name.values() for term in heard(reader))
    return not read and bool(population.drive.terms)


def check_stock(by_name: Mapping[str, Population]) -> None:
    """Check that every population is one of Lava's own LIF, or a sum for the host. Errors: T205."""
    for name, population in by_name.items():
        if not isinstance(population, LifPopulation) and not is_read_sum(name, by_name):
            notes = ["Lava's own units are LIF alone: what they do is spike"]
            hint = 'leave stock_only out, or carry activations by spikes: coding="thermal"'
            what = f"{population.op.opname} (%{name}) has no form in stock units"
            raise error("T205", what, where=population.op.location, notes=notes, hint=hint)
