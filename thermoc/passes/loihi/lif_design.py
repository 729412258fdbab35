"""The integers of a LIF population: threshold, weights, bias and decays at one scale.

Two scales are tried: a power of two, and the one at which the heaviest weight is the largest mantissa. Neither is
always finer: a power of two keeps whole numbers whole, the other uses all bits of the weights.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from thermoc.passes.loihi.design_types import FIELD, FRACTION, Design, limit
from thermoc.passes.loihi.population_types import LifPopulation
from thermoc.passes.loihi.scales import FORMATS, GREATEST, Arrival, arriving, fitted, heaviest_weight, may_be_whole
from thermoc.passes.loihi.weights import GREATEST_EXPONENT, Weights
from thermoc.support.array_types import AnyArray, FloatArray

GREATEST_THRESHOLD = 2**17 - 1
"""lava-nc 0.10.0: the mantissa of vth has 17 bits."""
GREATEST_BIAS = 4095 << 7
"""lava-nc 0.10.0: a mantissa of 13 bits with its sign, an exponent of 0 to 7."""
FINEST = 2.0**20
FINE_THRESHOLD = 1024
"""A threshold of so many integers is fine enough: its rounding is below that of the weights."""


def lif_design(population: LifPopulation, sources: FORMATS) -> Design:
    """Return the integers of a LIF population. Errors: T206 where no scale fits."""
    ceiling = _ceiling(population, sources)
    # Without any rounding there is nothing left to weigh.
    exact = _exact_power(population, sources, ceiling)
    if exact is not None:
        return _at(population, *exact)
    heaviest, span = heaviest_weight(population, sources), population.threshold
    # Beyond full weights and a fine threshold a larger scale gains nothing and costs headroom.
    enough = max(GREATEST / heaviest if heaviest else 0.0, FINE_THRESHOLD / span if span else 0.0)
    scale = 2.0 ** math.floor(math.log2(min(ceiling, 2 * enough or ceiling)))
    # The bias of a LIF enters its membrane, not a, so it takes none of a's headroom.
    scale, weights, reach, _ = fitted(population, sources, scale, with_bias=False)
    if population.reset == "subtract":
        # What is left of a membrane after a subtraction may be the threshold and all that arrives.
        while scale * span + reach.max(initial=0.0) >= FIELD / FRACTION:
            scale, weights, reach, _ = fitted(population, sources, scale / 2, with_bias=False)
    finest = (_roughness(population, sources, scale, weights), scale, weights, reach)
    if finest[0] and heaviest:
        full = _full_mantissa(population, sources, scale, ceiling)
        finest = min(finest, full, key=lambda candidate: candidate[0]) if full is not None else finest
    return _at(population, finest[1], Arrival(*finest[2:]))


def _ceiling(population: LifPopulation, sources: FORMATS) -> float:
    """Return the largest scale at which threshold, weights, bias and initial states fit their bits."""
    heaviest, span = heaviest_weight(population, sources), population.threshold
    bounds = [GREATEST_THRESHOLD / span if span else FINEST]
    if heaviest:
        bounds.append(GREATEST * 2.0**GREATEST_EXPONENT / heaviest)
    bias = float(np.abs(population.drive.bias).max(initial=0.0))
    if bias:
        bounds.append(GREATEST_BIAS / FRACTION / bias)
    states = (population.v_initial, population.u_initial)
    initial = float(max(np.abs(state).max(initial=0.0) for state in states))
    if initial:
        bounds.append((FIELD - 1) / FRACTION / initial)
    return min(bounds)


def _exact_power(population: LifPopulation, sources: FORMATS, ceiling: float) -> tuple[float, Arrival] | None:
    """Return the least power of two at which nothing is rounded, and what arrives at it; None where there is none."""
    for exponent in range(-6, 7):
        scale = 2.0**exponent
        # To round all weights takes long in a large layer: a few say no at once.
        if not all(may_be_whole(term, sources[term.source], scale) for term in population.drive.terms):
            continue
        arrival = arriving(population, sources, scale) if scale <= ceiling else None
        bias = population.drive.bias * scale * FRACTION
        mantissa, shift = _bias(bias)
        states = np.concatenate([population.v_initial, population.u_initial]) * scale * FRACTION
        exact = (mantissa * 2.0**shift == bias).all() and (np.rint(states) == states).all()
        if arrival is None or not exact or _roughness(population, sources, scale, arrival.weights):
            continue
        span = scale * population.threshold if population.reset == "subtract" else 0.0
        reach = arrival.reach.max(initial=0.0)
        if reach < limit(population) and span + reach < FIELD / FRACTION:
            return scale, arrival
    return None


def _full_mantissa(
    population: LifPopulation, sources: FORMATS, scale: float, ceiling: float
) -> tuple[float, float, tuple[Weights, ...], FloatArray] | None:
    """Return (roughness, scale, weights, reach) with the heaviest weight as the largest mantissa; None if none fits."""
    heaviest = heaviest_weight(population, sources)
    exponent = math.floor(math.log2(scale * heaviest / GREATEST)) + 1
    full = GREATEST * 2.0**exponent / heaviest
    arrival = arriving(population, sources, full) if full <= ceiling else None
    if arrival is None:
        return None
    if arrival.reach.max() + full * population.threshold >= min(limit(population), FIELD / FRACTION):
        return None
    return _roughness(population, sources, full, arrival.weights), full, arrival.weights, arrival.reach


def _at(population: LifPopulation, scale: float, arrival: Arrival) -> Design:
    """Return the design of a population at a scale."""
    mantissa, exponent = _bias(population.drive.bias * scale * FRACTION)
    numbers = {
        "vth": round(population.threshold * scale),
        "bias_exp": exponent,
        "v_initial": np.rint(population.v_initial * scale * FRACTION).astype(np.int64),
        "u_initial": np.rint(population.u_initial * scale * FRACTION).astype(np.int64),
        # Lava keeps (4095 - du) / 4096 of a current and (4096 - dv) / 4096 of a membrane: the two differ by one.
        "du": np.clip(4095 - np.rint(4096 * population.fall), 0, 4095).astype(np.int64),
        "dv": np.clip(4096 - np.rint(4096 * population.keep), 0, 4096).astype(np.int64),
    }
    weights, reach = arrival
    return Design(
        population=population, scale=scale, weights=weights, bias=mantissa, reach=reach, sent=1.0, numbers=numbers
    )


def _roughness(population: LifPopulation, sources: FORMATS, scale: float, weights: Sequence[Weights]) -> float:
    """Return the largest error of a tick's drive and of the threshold, in the network's units."""
    total = np.zeros(population.size)
    for term, integers in zip(population.drive.terms, weights):
        source = sources[term.source]
        off = np.abs(integers.real / scale * source.scale - term.map.weights)
        total = total + term.map.with_weights(off).apply(source.real) + integers.floors / scale
    threshold = population.threshold * scale
    return float(total.max(initial=0.0)) + abs(round(threshold) - threshold) / scale


def _bias(exact: FloatArray) -> tuple[AnyArray, int]:
    """Return mantissas of 13 bits and the smallest exponent that they all fit."""
    mantissa = np.zeros(0, np.int64)
    for exponent in range(8):
        mantissa = np.rint(exact / 2.0**exponent).astype(np.int64)
        if np.abs(mantissa).max(initial=0) <= 4095:
            return mantissa, exponent
    return np.clip(mantissa, -4096, 4095), 7
