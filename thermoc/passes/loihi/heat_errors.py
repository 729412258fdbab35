"""How far the integers of a thermal network may be off: in a tick, and in all of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from thermoc.passes.loihi.design_types import Design, MessageFormat
from thermoc.passes.loihi.drives import Term
from thermoc.passes.loihi.population_types import HeatPopulation
from thermoc.support.array_types import BoolArray, FloatArray

Errors = Mapping[str, FloatArray]
Pair = tuple[FloatArray, FloatArray]
Said = Callable[[Term], tuple[FloatArray, FloatArray]]
"""Of a term: what its source says, and how far that is off; each (inputs, samples)."""
CLOSED = 1e-12
"""A mode that loses a smaller share of itself in a tick counts as one that nothing leads away."""
STARTED = 1024
"""So many ticks are worked out one by one at most; what comes later is bounded mode by mode."""
WORK = 400_000_000
"""Of an impulse response: products of two numbers, at most."""
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
    deviation = np.minimum(
        np.abs(design.numbers["capacity"] / (design.scale / design.sent) / population.capacity - 1), 1.0
    )
    moved = (flow + power) / C
    return heat / C * (1 + deviation)[:, np.newaxis] + deviation[:, np.newaxis] * moved, moved


def in_all(design: Design, formats: Mapping[str, MessageFormat], errors: Errors) -> FloatArray:
    """Return a bound on how far each node's temperature is off in any tick; infinite where heat gathers for ever.

    Both networks are linear, and known: that of the numbers, and that of the integers before they are rounded. So the
    distance of the two is worked out, for the start and for every input by its impulse response; and each message of a
    temperature leaves out less than a step of it, which enters at both ends of a conductance (``_summed``).
    """
    population = _heated(design)
    step = design.sent / design.scale
    exact = _Linear.of(population.capacity, population.K, population.A)
    K, A = (np.rint(matrix / step) * step for matrix in (population.K, population.A))
    capacity = design.numbers["capacity"] * step
    integers = _Linear.of(capacity, K, A)
    initial_heat = design.numbers["capacity"] * design.numbers["initial"] + design.numbers["initial_rest"]
    biases = population.drive.bias / population.capacity, design.bias / design.scale / capacity
    start = population.initial, initial_heat / design.numbers["capacity"] / design.sent
    total = _apart(exact, integers, start, biases)
    for term, weights in zip(population.drive.terms[1:], design.weights[1:]):
        source, off = formats[term.source], errors[term.source]
        inputs = [term.map.matrix().rows.toarray(), _integers(term, weights.real * source.scale / design.scale)]
        enters = inputs[0] / population.capacity[:, np.newaxis], inputs[1] / capacity[:, np.newaxis]
        total = total + _responses(exact, integers, enters) @ source.real
        total = total + (_summed(integers, enters[1]) @ off if off.any() else 0.0)
    # A step of the messages, half of it to either side; and what the node's own message leaves out.
    identity = np.eye(population.size)
    return total + (_summed(integers, integers.matrix - identity).sum(axis=1) / 2 + 1) / design.sent


@dataclass(frozen=True, kw_only=True)
class _Linear:
    """T' = matrix T, by its modes: matrix = V diag(keep) U. closed: the modes that nothing leads away."""

    matrix: FloatArray
    keep: FloatArray
    V: FloatArray
    U: FloatArray

    @classmethod
    def of(cls, capacity: FloatArray, K: FloatArray, A: FloatArray) -> _Linear:
        heat = K - np.diag(K.sum(axis=1) + A.sum(axis=1))
        root = np.sqrt(capacity)
        rates, modes = np.linalg.eigh(heat / root[:, np.newaxis] / root)
        V, U = modes / root[:, np.newaxis], modes.T * root
        return cls(matrix=np.eye(len(K)) + heat / capacity[:, np.newaxis], keep=1 + rates, V=V, U=U)

    @property
    def closed(self) -> BoolArray:
        return self.keep > 1 - CLOSED

    def rest(self, start: FloatArray, given: FloatArray) -> FloatArray:
        """Return where temperatures end; infinite where a mode that nothing leads away is given heat."""
        into, closed = self.U @ given, self.closed
        if (np.abs(into[closed]) > 1e-12 * (1 + np.abs(given).max(initial=0.0))).any():
            return np.full(len(start), np.inf)
        settled = np.where(closed, self.U @ start, into / np.where(closed, 1.0, 1 - self.keep))
        return self.V @ settled

    def left(self, x: FloatArray, ticks: int) -> FloatArray:
        """Return a bound on what is left of the decaying modes of x after so many ticks, and later."""
        factor = np.where(self.closed, 0.0, np.abs(self.keep) ** ticks)
        return np.abs(self.V) @ (factor * np.abs(self.U @ x))


def _apart(exact: _Linear, integers: _Linear, start: Pair, given: Pair) -> FloatArray:
    """Return how far two networks come apart that start from these temperatures, and are given this much a tick."""
    ends = exact.rest(start[0], given[0]), integers.rest(start[1], given[1])
    if not all(np.isfinite(end).all() for end in ends):
        return np.full(len(start[0]), np.inf)
    farthest, one, other = np.abs(start[0] - start[1]), *start
    for _ in range(STARTED):
        one, other = exact.matrix @ one + given[0], integers.matrix @ other + given[1]
        farthest = np.maximum(farthest, np.abs(one - other))
    later = exact.left(start[0] - ends[0], STARTED) + integers.left(start[1] - ends[1], STARTED)
    return np.maximum(farthest, np.abs(ends[0] - ends[1]) + later)


def _responses(exact: _Linear, integers: _Linear, enters: Pair) -> FloatArray:
    """Return the sum over all ticks of how far two impulse responses are apart, element by element."""
    if any((np.abs(response.U @ B)[response.closed] > 1e-12).any() for response, B in zip((exact, integers), enters)):
        return np.full(enters[0].shape, np.inf)
    total, one, other = np.zeros(enters[0].shape), *enters
    ticks = _ticks(len(one))
    for _ in range(ticks):
        total = total + np.abs(one - other)
        one, other = exact.matrix @ one, integers.matrix @ other
    return total + _tail(exact, enters[0], ticks) + _tail(integers, enters[1], ticks)


def _summed(network: _Linear, enters: FloatArray) -> FloatArray:
    """Return the sum over all ticks of an impulse response's magnitude, element by element."""
    if (np.abs(network.U @ enters)[network.closed] > 1e-9).any():
        return np.full(enters.shape, np.inf)
    total, response = np.zeros(enters.shape), enters
    ticks = _ticks(len(enters))
    for _ in range(ticks):
        total = total + np.abs(response)
        response = network.matrix @ response
    return total + _tail(network, enters, ticks)


def _tail(network: _Linear, enters: FloatArray, ticks: int) -> FloatArray:
    """Return a bound on what an impulse response adds up to from a tick on, mode by mode."""
    keep = np.where(network.closed, 0.0, np.abs(network.keep))
    tail = np.where(network.closed, 0.0, keep**ticks / (1 - keep))
    return np.abs(network.V) @ (tail[:, np.newaxis] * np.abs(network.U @ enters))


def _ticks(nodes: int) -> int:
    """Return how many ticks of a response are worked out one by one."""
    return int(min(STARTED, max(1, WORK // max(nodes, 1) ** 3)))


def _integers(term: Term, weights: FloatArray) -> FloatArray:
    return term.map.with_weights(weights).matrix().rows.toarray()


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
