"""How far the integers of a thermal network may be off: in a tick, and in all of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from thermoc.passes.loihi.design_types import Design, MessageFormat
from thermoc.passes.loihi.drives import Term
from thermoc.passes.loihi.population_types import HeatPopulation
from thermoc.support.array_types import FloatArray

Errors = Mapping[str, FloatArray]
Said = Callable[[Term], tuple[FloatArray, FloatArray]]
"""Of a term: what its source says, and how far that is off; each (inputs, samples)."""
STEPS = 2.0
"""Of a temperature: what a node holds beyond its last step, and what its message leaves out."""


def of_tick(design: Design, sources: Mapping[str, MessageFormat], said: Said) -> tuple[FloatArray, FloatArray]:
    """Return how far a tick may move each node too far, and how far it moves it, (nodes, samples), as temperatures.

    Of a conductance it is half a step at most, times the difference of the temperatures that it lies between. The
    nodes' own temperatures are taken as they are.
    """
    population, step = _heated(design), design.sent / design.scale
    terms, first = population.drive.terms, len(population.T_ambient.terms) if population.A.any() else 0
    T, own_error = said(terms[0])
    off = _off(population.K, step)
    heat, flow = _between(off, T, T), _between(population.K, T, T)
    heat = heat + _applied(population.K, own_error) + population.K.sum(axis=1)[:, np.newaxis] * np.abs(own_error)
    reservoir, reservoir_error = _received(population, said, terms[1 : 1 + first], len(T))
    if population.A.any():
        reservoir = reservoir + population.T_ambient.bias[:, np.newaxis]
        # A reservoir of a constant temperature is rounded to a step of it, its weights like any conductance.
        missed = reservoir_error + np.where(population.T_ambient.bias != 0, 0.5 / design.sent, 0.0)[:, np.newaxis]
        heat = heat + _between(_off(population.A, step), reservoir, T) + _applied(population.A, missed)
        heat = heat + population.A.sum(axis=1)[:, np.newaxis] * np.abs(own_error)
        flow = flow + _between(population.A, reservoir, T)
    for term in terms[1 + first :]:
        x, error = said(term)
        matrix = np.abs(term.map.matrix().rows.toarray())
        off = _off(matrix, sources[term.source].scale / design.scale)
        heat = heat + off @ np.abs(x) + matrix @ np.abs(error)
        flow = flow + matrix @ np.abs(x)
    power = np.abs(population.H @ population.power.bias)[:, np.newaxis]
    heat = heat + np.where(power > 0, 0.5 / design.scale, 0.0)
    C = population.capacity[:, np.newaxis]
    held = np.minimum(np.abs(design.numbers["capacity"] / (design.scale / design.sent) / population.capacity - 1), 1.0)
    moved = (flow + power) / C
    return heat / C * (1 + held)[:, np.newaxis] + held[:, np.newaxis] * moved, moved


def in_all(design: Design, formats: Mapping[str, MessageFormat], errors: Errors) -> FloatArray:
    """Return a bound on how far each node's temperature is off in any tick; infinite where heat gathers for ever.

    What the exact step conserves the integers conserve too, so that an error of the flows alone dies out with the
    slowest mode that decays. An error of what sources give stays in a network that leads no heat away.
    """
    population = _heated(design)
    low, high = _range(design, formats)

    def farthest(term: Term) -> tuple[FloatArray, FloatArray]:
        if term.source == population.name:
            return np.stack([low, high], axis=1), np.full((population.size, 2), 1 / design.sent)
        source, off = formats[term.source].real, errors[term.source]
        return np.stack([-source, source], axis=1), np.stack([off, off], axis=1)

    tick, _ = of_tick(design, formats, farthest)
    # The ends of the range say how far temperatures may be apart; each pair is taken as if it were.
    span = float(high.max() - low.min())
    tick = _widest(design, tick.max(axis=1), span)
    root = np.sqrt(population.capacity)
    kept = np.linalg.eigvalsh(root[:, np.newaxis] * population.decay / root)
    closed = _closed(population)
    decaying, conserves = kept[: len(kept) - closed], closed > 0
    given = any(errors[term.source].any() for term in population.power.terms) or bool(population.power.terms)
    start = 1 / design.sent
    if not tick.any():
        return np.full(population.size, start)
    if conserves and (given or population.power.bias.any()):
        return np.full(population.size, np.inf)
    held = float(np.abs(design.numbers["capacity"] / (design.scale / design.sent) / population.capacity - 1).max())
    slowest = float(decaying.max(initial=0.0))
    # In the norm of C the step is a contraction of what it does not conserve.
    summed = float(np.sqrt((population.capacity * tick**2).sum())) / (1 - slowest) / root
    if not conserves:
        by_node = np.linalg.solve(np.eye(population.size) - population.decay, tick)
        summed = np.minimum(summed, by_node)
    return summed + 2 * start + (2 * held * span if conserves else 0.0)


def _closed(population: HeatPopulation) -> int:
    """Return how many parts of a network lead no heat away: each keeps a mode for ever."""
    import scipy.sparse.csgraph  # not loaded where no network is lowered

    graphs: Any = scipy.sparse.csgraph
    count, part = graphs.connected_components(population.K > 0, directed=False)
    return count - len(np.unique(part[population.A.sum(axis=1) > 0]))


def _widest(design: Design, tick: FloatArray, span: float) -> FloatArray:
    """Return a tick's error where every difference of temperatures is as large as it can be."""
    population, step = _heated(design), design.sent / design.scale
    apart = (_off(population.K, step).sum(axis=1) + _off(population.A, step).sum(axis=1)) * span
    held = np.abs(design.numbers["capacity"] * step / population.capacity - 1)
    moved = held * (population.K.sum(axis=1) + population.A.sum(axis=1)) * span
    return np.maximum(tick, 0.0) + (apart + moved) / population.capacity


def _range(design: Design, formats: Mapping[str, MessageFormat]) -> tuple[FloatArray, FloatArray]:
    real = formats[design.population.name].real
    low = np.where(_heated(design).initial.min() >= 0, 0.0, -real)
    return np.broadcast_to(low, real.shape), real


def _received(
    population: HeatPopulation, said: Said, terms: tuple[Term, ...], size: int
) -> tuple[FloatArray, FloatArray]:
    """Return the temperatures of the reservoirs, and how far they are off, without their constant part."""
    value, error = np.zeros((size, 1)), np.zeros((size, 1))
    for term, inner in zip(terms, population.T_ambient.terms):
        x, off = said(term)
        rows = inner.map.matrix().rows
        value, error = value + rows @ x, error + np.abs(rows) @ np.abs(off)
    return value, error


def _off(real: FloatArray, step: float) -> FloatArray:
    """Return how far each conductance is from its integer: half a step at most."""
    off = np.abs(np.rint(real / step) * step - real)
    return np.where(off < 1e-12 * real, 0.0, off)


def _between(weights: FloatArray, theirs: FloatArray, own: FloatArray) -> FloatArray:
    """Return sum_j w_ij |theirs_j - own_i|, (nodes, samples)."""
    if not weights.any():
        return np.zeros((len(weights), 1))
    return np.stack([w @ np.abs(theirs - own[i]) for i, w in enumerate(weights)])


def _applied(weights: FloatArray, off: FloatArray) -> FloatArray:
    return weights @ np.abs(off) if weights.any() else np.zeros((len(weights), 1))


def _heated(design: Design) -> HeatPopulation:
    assert isinstance(design.population, HeatPopulation)
    return design.population
