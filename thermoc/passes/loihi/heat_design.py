"""The integers of a thermal network: temperatures, heat capacities, and conductances that keep every quantum of heat.

A node's temperature is a message of up to 17 bits; what a step of it holds is many quanta of heat. Each conductance is
rounded once and taken for both its ends: what leaves one node enters another, to the last bit, and nodes of equal
temperature exchange nothing.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from thermoc.passes.loihi.design_types import Design
from thermoc.passes.loihi.drives import Term
from thermoc.passes.loihi.population_types import HeatPopulation
from thermoc.passes.loihi.scales import FORMATS, no_headroom
from thermoc.passes.loihi.weights import Weights
from thermoc.support.array_types import AnyArray, FloatArray

TEMPERATURE_BITS = 16
"""Of the largest temperature, as long as its readers ask for no fewer; our choice."""
MOST_CAPACITY_BITS, LEAST_CAPACITY_BITS = 22, 4
"""Of the largest heat capacity: as many as its 24 bits, the conductances' 15 and the sums' 32 leave it."""
PLANE = 7
"""A conductance has 15 bits, in two synapses: one of 8 bits << 7, and one of the 7 bits below."""
HEAVIEST = (255 << PLANE) + 127


def heat_design(population: HeatPopulation, sources: FORMATS, sent: float) -> Design:
    """Return the integers of a thermal network at a scale of its temperatures. Errors: T206 where no heat fits."""
    for capacity_bits in range(MOST_CAPACITY_BITS, LEAST_CAPACITY_BITS - 1, -1):
        # The largest capacity is a power of two, so equal ones are exact.
        quantum = 2.0**capacity_bits * sent / float(population.capacity.max())
        design = _at(population, sources, sent, quantum)
        heaviest = max(int(np.abs(weights.mantissa).max(initial=0)) for weights in design.weights)
        if heaviest <= HEAVIEST and design.reach.max() < 2**31 and design.numbers["capacity"].min() >= 1:
            return design
    raise no_headroom(population, sources)


def _at(population: HeatPopulation, sources: FORMATS, sent: float, quantum: float) -> Design:
    """Return the design at which ``quantum`` quanta of heat make one."""
    K, A = (np.rint(matrix * quantum / sent).astype(np.int64) for matrix in (population.K, population.A))
    own = K - np.diag(K.sum(axis=1) + A.sum(axis=1))
    terms, first = population.drive.terms, len(population.T_ambient.terms) if population.A.any() else 0
    weights = [_on(terms[0], own)]
    for term, inner in zip(terms[1 : 1 + first], population.T_ambient.terms):
        # The same integers that a node's own weight takes away: at the reservoir's temperature nothing flows.
        finer = sent / sources[term.source].scale
        weights.append(_on(term, finer * (A @ inner.map.matrix().rows.toarray())))
    for term in terms[1 + first :]:
        weights.append(_rounded(term.map.weights * quantum / sources[term.source].scale))
    steps = np.rint(population.T_ambient.bias * sent).astype(np.int64)
    bias = A @ steps + np.rint(quantum * (population.H @ population.power.bias)).astype(np.int64)
    reach = np.abs(bias).astype(float)
    for term, integers in zip(terms, weights):
        reach = reach + term.map.with_weights(np.abs(integers.mantissa).astype(float)).apply(sources[term.source].bound)
    capacity = np.rint(population.capacity * quantum / sent).astype(np.int64)
    quanta = np.rint(np.maximum(capacity, 1) * sent * population.initial).astype(np.int64)
    numbers = {
        "capacity": capacity,
        "initial": quanta // np.maximum(capacity, 1),
        "initial_rest": quanta % np.maximum(capacity, 1),
        "farthest": sources[population.name].bound,
    }
    return Design(
        population=population,
        scale=quantum,
        weights=tuple(weights),
        bias=bias,
        reach=reach,
        sent=sent,
        numbers=numbers,
    )


def _on(term: Term, integers: AnyArray) -> Weights:
    """Return the integers that stand where a term has weights."""
    rows = term.map.matrix().rows.tocoo()
    return _rounded(integers[rows.coords[0], rows.coords[1]].astype(float))


def _rounded(weights: FloatArray) -> Weights:
    return Weights(mantissa=np.rint(weights).astype(np.int64), exponent=0, sign_mode="mixed")


def planes(weights: Weights) -> Iterator[Weights]:
    """Yield weights of 8 bits that add up to these: of either sign, their high and their low bits."""
    for mode, sign in (("excitatory", 1), ("inhibitory", -1)):
        size = np.maximum(sign * weights.mantissa, 0)
        split = [(size >> PLANE, PLANE), (size & (1 << PLANE) - 1, 0)]
        parts = [(size, 0)] if size.max(initial=0) <= 255 else split
        for mantissa, exponent in parts:
            if mantissa.any():
                yield Weights(mantissa=sign * mantissa, exponent=exponent, sign_mode=mode)
