"""Clocks of a network on Loihi: how many of its ticks one of the network takes, and the lag of each population."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from thermoc.passes.loihi import latency
from thermoc.passes.loihi.drives import Term
from thermoc.passes.loihi.population_types import (
    BoltzmannPopulation,
    CurvePopulation,
    GradedPopulation,
    HeatPopulation,
    HostPopulation,
    LifPopulation,
    MemoryPopulation,
    NoisyPopulation,
    Population,
    RelaxationPopulation,
)
from thermoc.support.array_types import FloatArray
from thermoc.support.errors import error


@dataclass(frozen=True, kw_only=True)
class Clocks:
    """The clocks of a network on Loihi. every: its ticks in one of the network; lags: of each population, in ticks."""

    every: int
    lags: Mapping[str, int]


def clocks(populations: Mapping[str, Population]) -> Clocks:
    """Return the clocks of populations. Errors: T205 for two clocks, T206, T209 where delays fit no lags."""
    earliest = {name: _earliest(population, populations) for name, population in populations.items()}
    for name, lag in _waits(populations).items():
        earliest[name] = max(earliest[name], lag)
    edges = [
        latency.LatencyEdge(source=term.source, target=name, cost=1 - term.delay + populations[term.source].offset)
        for name, population in populations.items()
        for term in heard(population)
        if term.source in populations and not is_coupling(population, term)
    ]
    period = _every(populations)
    _check_heating(populations, period)
    # A coupling is left out: in colour by colour sampling a unit reads what stood still for a tick.
    return Clocks(every=period, lags=latency.lags(earliest, edges))


def _check_heating(populations: Mapping[str, Population], every: int) -> None:
    """Check that no unit of Loihi heats or drives a state where a tick has turns: it would be heard between two.

    Errors: T205.
    """
    for population in populations.values() if every > 1 else ():
        for term in population.drive.terms if isinstance(population, HeatPopulation | RelaxationPopulation) else ():
            if term.source in populations and term.source != population.name:
                notes = [f"%{term.source} heats it, and a tick of the network takes {every} of Loihi's"]
                what = f"{population.op.opname} (%{population.name}) is heated where units are sampled in turns"
                raise error(
                    "T205", what, where=population.op.location, notes=notes, hint="heat it by the host's values"
                )


def heard(population: Population) -> tuple[Term, ...]:
    """Return all that a population hears: what drives it, and what heats it."""
    heated = population.heated if isinstance(population, NoisyPopulation | BoltzmannPopulation) else None
    return (*population.drive.terms, *(heated.terms if heated is not None else ()))


def is_coupling(population: Population, term: Term) -> bool:
    """Tell whether a term is the coupling of a sampled network, which its colours time and no lag does."""
    return isinstance(population, NoisyPopulation) and population.turn is not None and term.source == population.name


def _every(populations: Mapping[str, Population]) -> int:
    """Return how many ticks of Loihi one of the network takes: colours times sweeps."""
    slowest = {
        population.ticks: population
        for population in populations.values()
        if isinstance(population, NoisyPopulation) and population.turn is not None
    }
    longest = max(slowest, default=1)
    for population in populations.values() if slowest else ():
        ticks = population.ticks if isinstance(population, NoisyPopulation) else 1
        # What changes its state or draws in every tick of Loihi would do so several times in one of the network.
        steps = isinstance(population, LifPopulation | MemoryPopulation)
        steps = steps or (isinstance(population, NoisyPopulation) and population.categorical)
        if ticks != longest and (ticks > 1 or steps):
            notes = [
                f"{slowest[longest].op.opname} (%{slowest[longest].name}) takes {longest} ticks of Loihi for one",
                f"{population.op.opname} (%{population.name}) takes {ticks}",
            ]
            raise error("T205", "two clocks have no Loihi form", where=population.op.location, notes=notes)
    return longest


def _earliest(population: Population, populations: Mapping[str, Population]) -> int:
    """Return the least lag of a population: a message of the host takes a tick, less what the network delays it."""
    terms = heard(population)
    waits = [1 - term.delay for term in terms if term.source not in populations and not is_coupling(population, term)]
    return max([population.earliest_lag, *waits])


# ------------------------------------------------------------------------------------------------- before the start


def with_initial_levels(populations: Mapping[str, Population]) -> dict[str, Population]:
    """Return the populations with p-bits at the level that a delay behind them starts from.

    Before its first tick a delay says its initial number: what its source says then must be that. Errors: T205.
    """
    levelled = dict(populations)
    for name in populations:
        for term in heard(levelled[name]):
            if (
                term.delay > levelled[name].settling
                and term.source in levelled
                and not is_coupling(levelled[name], term)
            ):
                source = levelled[term.source] = _at_level(levelled[term.source], term.start)
                _check_start(levelled[name], source, term, levelled)
    return levelled


def _at_level(source: Population, start: float) -> Population:
    """Return p-bits and processes of the host without a level of their own at the level that a delay starts from."""
    if isinstance(source, HostPopulation | BoltzmannPopulation) and source.initial is None:
        return replace(source, initial=np.full(source.size, start))
    if not isinstance(source, NoisyPopulation) or source.categorical or source.turn is not None:
        return source
    return source if source.initial.any() or not start else replace(source, initial=np.full(source.size, start))


def _check_start(reader: Population, source: Population, term: Term, populations: Mapping[str, Population]) -> None:
    level = level_before_start(source, populations)
    if level is None or not np.allclose(level, term.start, atol=1e-9):
        notes = [f"the delay starts from {term.start:.6g}", f"%{term.source} says something else before its start"]
        what = f"a delay behind {source.op.opname} (%{term.source}) has no Loihi form"
        raise error("T205", what, where=reader.op.location, notes=notes)


def _waits(populations: Mapping[str, Population]) -> dict[str, int]:
    """Return the lag that sources need so that their initial level is heard for all of a delay."""
    waits: dict[str, int] = {}
    for population in populations.values():
        for term in heard(population):
            if term.delay and term.start and term.source in populations and not is_coupling(population, term):
                lag = term.delay - populations[term.source].offset
                waits[term.source] = max(waits.get(term.source, 0), lag)
    return waits


def level_before_start(
    population: Population, populations: Mapping[str, Population], above: frozenset[str] = frozenset()
) -> FloatArray | None:
    """Return what a population says before its lag is over; None where that is not one number a unit."""
    if isinstance(population, LifPopulation):
        return np.zeros(population.size)
    if isinstance(population, NoisyPopulation):
        return np.broadcast_to(population.initial, population.size)
    if isinstance(
        population, BoltzmannPopulation | MemoryPopulation | RelaxationPopulation | HeatPopulation | HostPopulation
    ):
        return population.initial
    for term in population.drive.terms:
        # Graded populations may feed each other in a loop: one already on the way is not asked again.
        if term.source in populations and term.source not in above:
            level = level_before_start(populations[term.source], populations, above | {population.name})
            if level is None or level.any():
                # A level other than 0 would have to go through the weights: it is refused rather than worked out.
                return None
    bias = population.drive.bias
    if isinstance(population, CurvePopulation):
        return population.curve(bias)
    rectified = isinstance(population, GradedPopulation) and population.rule == "relu"
    return np.maximum(bias, 0) if rectified else bias
