"""The integers of populations that relax: mantissas and exponents of decays, a state of 48 bits, noise of 24."""

from __future__ import annotations

import math

import numpy as np

from thermoc.ir.values import Value
from thermoc.passes.loihi.design_types import FIELD, Design, limit
from thermoc.passes.loihi.population_types import RelaxationPopulation
from thermoc.passes.loihi.scales import FORMATS, GREATEST, arriving, heaviest_weight, no_headroom
from thermoc.support.array_types import AnyArray, FloatArray

FINE = 24
"""Bits of a state below a step of what it sends (``loihi.relaxation``)."""
MOST_LIFT, MOST_SPREAD, MOST_SHIFT = 31, 23, 63
NOISE_FRACTION = 12
DEVIATIONS = 8.0
"""A state has headroom for so many standard deviations; beyond, it is clipped."""
FARTHEST_NORMAL = 6.8
"""The largest normal of words of 32 bits: sqrt(2 ln 2^33) = 6.764."""


def relaxation_design(population: RelaxationPopulation, sources: FORMATS, sent: float | None, hottest: float) -> Design:
    """Return the integers of units that relax. hottest: the highest temperature of their noise. Errors: T206."""
    sigma = np.sqrt(hottest) * population.spread
    reach = farthest(population, sources, sigma)
    ceiling = 2.0 ** math.floor(math.log2((FIELD - 1) / float(reach.max())))
    steps = min(sent or ceiling, ceiling)
    # Sums are as fine as 32 bits and the state's 24 below a step let them be; heavier weights would gain nothing.
    heaviest = heaviest_weight(population, sources)
    for lift in range(MOST_LIFT + 1):
        scale = steps * 2.0 ** (FINE - lift)
        arrival = arriving(population, sources, scale) if scale * heaviest <= GREATEST else None
        bias = np.rint(population.drive.bias * scale)
        if arrival is not None and (arrival.reach + np.abs(bias)).max(initial=0.0) < limit(population):
            break
    else:
        raise no_headroom(population, sources)
    mantissa, shift = _decays(population.loss)
    # A noise of 24 bits, as many of them below a step of the state as there is room for.
    loudest = float(sigma.max(initial=0.0)) * steps * 2.0**NOISE_FRACTION
    spread = max(0, math.ceil(math.log2(max(loudest, 1.0) / (FIELD - 1))))
    if spread > MOST_SPREAD:
        raise no_headroom(population, sources)
    noise_scale = steps * 2.0 ** (NOISE_FRACTION - spread)
    started = np.rint(population.initial * steps * 2.0**FINE).astype(np.int64)
    numbers = {
        "loss": mantissa,
        "shift": shift,
        "initial": started >> FINE,
        "initial_rest": started & (1 << FINE) - 1,
        "lift": lift,
        "spread": spread,
        "noise_scale": noise_scale,
        "sigma": None if isinstance(population.T, Value) else np.rint(sigma * noise_scale).astype(np.int64),
        "floor": 1 - FIELD if population.floor is None else max(1, round(population.floor * steps)),
        "loudest": sigma,
        "farthest": np.minimum(np.ceil(reach * steps) + 1, FIELD - 1),
    }
    return Design(
        population=population,
        scale=scale,
        weights=arrival.weights,
        bias=bias.astype(np.int64),
        reach=arrival.reach,
        sent=steps,
        numbers=numbers,
    )


def farthest(population: RelaxationPopulation, sources: FORMATS, sigma: FloatArray) -> FloatArray:
    """Return how far each state goes: where its drive holds it, and eight deviations of its noise."""
    start = np.abs(population.initial)
    if population.floor is not None:
        return np.maximum(start, population.floor)
    pull, loss = np.abs(population.drive.bias), population.loss
    for term in population.drive.terms:
        pull = pull + term.map.with_weights(np.abs(term.map.weights)).apply(sources[term.source].real)
    spread = DEVIATIONS * sigma / np.sqrt(loss * (2 - loss))
    return np.maximum(np.maximum(pull / loss + spread, start), 1e-6)


def _decays(loss: FloatArray) -> tuple[AnyArray, AnyArray]:
    """Return mantissas of 24 bits and how far each product with them is shifted beyond these."""
    exponent = np.floor(-np.log2(np.where(loss > 0, loss, 1.0)))
    shift = np.clip(exponent, 0, MOST_SHIFT).astype(np.int64)
    return np.minimum(np.rint(loss * 2.0 ** (FINE + shift)), 2.0**FINE).astype(np.int64), shift
