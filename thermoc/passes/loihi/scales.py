"""Scales of a population: how many integers make one of its drive, so that weights keep their bits and sums fit.

A scale is a power of two wherever Loihi leaves the choice, so numbers that are whole already stay what they are.
Headroom: with every source at its largest, |a| stays below 2^23, or, where the population keeps a current in 24 bits,
|a| << 6 summed over all the ticks it is kept does. If the weights are too large for that, they give up bits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from thermoc.passes.loihi.design_types import MessageFormat, limit
from thermoc.passes.loihi.drives import Term
from thermoc.passes.loihi.population_types import Population
from thermoc.passes.loihi.weights import LEAST_EXPONENT, Weights, quantised
from thermoc.support.array_types import AnyArray, FloatArray
from thermoc.support.errors import ThermocError, error

GREATEST = 254
"""The largest mantissa of a weight of mixed signs."""
PROBED = 256
"""So many weights are looked at before all of them are."""
UNWEIGHTED = 1024.0
"""The scale of a population without weights; our choice."""
FORMATS = Mapping[str, MessageFormat]


class Arrival(NamedTuple):
    """What arrives at a population at a scale: the weights of each term, and the largest |a|, flat."""

    weights: tuple[Weights, ...]
    reach: FloatArray


class Fit(NamedTuple):
    """A scale that leaves headroom, what arrives at it, and the bias in integers."""

    scale: float
    weights: tuple[Weights, ...]
    reach: FloatArray
    bias: AnyArray


def relative(term: Term, source: MessageFormat) -> FloatArray:
    """Return a term's weights for messages in integers."""
    return term.map.weights / source.scale


def heaviest_weight(population: Population, sources: FORMATS) -> float:
    """Return the largest magnitude of a weight for messages in integers, 0 without weights."""
    sizes = [float(np.abs(relative(t, sources[t.source])).max(initial=0.0)) for t in population.drive.terms]
    return max(sizes, default=0.0)


def may_be_whole(term: Term, source: MessageFormat, scale: float) -> bool:
    """Tell from a few weights whether all of them may be whole numbers: a quick no."""
    probe = np.ravel(term.map.weights)[:PROBED] / source.scale * scale * 2.0**-LEAST_EXPONENT
    return bool((np.rint(probe) == probe).all())


def full_weight_scale(population: Population, sources: FORMATS) -> float:
    """Return the scale at which the heaviest weight has all its bits; a power of two where that is exact."""
    heaviest = heaviest_weight(population, sources)
    if not heaviest:
        return UNWEIGHTED
    power = 2.0 ** math.floor(math.log2(GREATEST / heaviest))
    terms = population.drive.terms
    # Rounding all weights to find out takes long for large layers; a few say no at once.
    if not all(may_be_whole(term, sources[term.source], power) for term in terms):
        return GREATEST / heaviest
    arrival = arriving(population, sources, power)
    exact = (relative(term, sources[term.source]) * power for term in terms)
    if arrival is not None and all((w.real == real).all() for w, real in zip(arrival.weights, exact)):
        return power
    return GREATEST / heaviest


def arriving(population: Population, sources: FORMATS, scale: float) -> Arrival | None:
    """Return what arrives at a scale; None where a weight is too large."""
    integers: list[Weights] = []
    reach = np.zeros(population.size)
    for term in population.drive.terms:
        source = sources[term.source]
        weights = quantised(relative(term, source) * scale)
        if weights is None:
            return None
        integers.append(weights)
        # A sum that is shifted right loses up to one, toward minus infinity, so |a| may grow by one.
        reach = reach + term.map.with_weights(np.abs(weights.real)).apply(source.bound) + weights.floors
    return Arrival(tuple(integers), reach)


def fitted(population: Population, sources: FORMATS, scale: float, *, with_bias: bool = True) -> Fit:
    """Return the largest scale from this one down, by halves, that leaves headroom. Errors: T206."""
    # After 24 halvings no weight of 8 bits has a bit left.
    bound, lowest = limit(population), scale * 2.0**-24
    while scale > lowest:
        arrival = arriving(population, sources, scale)
        bias = np.rint(population.drive.bias * scale)
        if arrival is not None:
            total = arrival.reach + np.abs(bias) * with_bias
            if total.max(initial=0.0) < bound:
                return Fit(scale, *arrival, bias.astype(np.int64))
        scale /= 2
    raise no_headroom(population, sources)


def no_headroom(population: Population, sources: FORMATS) -> ThermocError:
    """Return the error that a population's drive fits no scale."""
    notes = [
        f"its heaviest weight is {heaviest_weight(population, sources):.6g}",
        f"|a| must stay below {limit(population):.6g}",
    ]
    what = f"the drive of {population.op.opname} (%{population.name}) leaves Loihi's 24 bits at every scale"
    return error(
        "T206", what, where=population.op.location, notes=notes, hint="narrow the weights or the inputs' range"
    )
