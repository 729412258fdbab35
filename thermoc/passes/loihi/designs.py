"""The integers of each population: table, temperature, decay and bias at the scale that leaves headroom."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from thermoc.ir.values import Value
from thermoc.passes.loihi.design_types import FIELD, Design
from thermoc.passes.loihi.heat_design import heat_design
from thermoc.passes.loihi.lif_design import lif_design
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
from thermoc.passes.loihi.relaxation_design import relaxation_design
from thermoc.passes.loihi.scales import (
    FORMATS,
    GREATEST,
    Arrival,
    arriving,
    fitted,
    full_weight_scale,
    heaviest_weight,
    no_headroom,
    relative,
)
from thermoc.passes.loihi.value_ranges import LEAKLESS_TICKS
from thermoc.passes.loihi.weights import GREATEST_EXPONENT, quantised
from thermoc.support.array_types import AnyArray, FloatArray
from thermoc.support.errors import error

ENTRIES = 512
"""Entries of a table; our choice, of 24 bits each."""
TEMPERATURE_STEPS = 256
"""Temperatures have 8 fractional bits of the drive's integers (``loihi.fermi_dirac``)."""
GREATEST_TEMPERATURE = 2**24 - 1
FINE_TEMPERATURE = 2**12
MOST_FRACTION = 22
"""Bits of a probability, which may be 1: a message has 23 and a sign."""
DEVIATIONS = 8.0
"""A state with noise has headroom for so many standard deviations; beyond, it is clipped."""
LEAST_GAIN_SHIFT = 12
"""A memory's gain is at least 2^-12."""


def designed(population: Population, sources: FORMATS, sent: float | None, T: FloatArray) -> Design:
    """Return the integers of a population.

    sent: the scale its readers asked for, None where it has none. T: between what its temperature lies, or the one of
    the first tick. Errors: T206 where no scale fits.
    """
    if isinstance(population, LifPopulation):
        return lif_design(population, sources)
    if isinstance(population, GradedPopulation):
        return _graded(population, sources, sent)
    if isinstance(population, CurvePopulation):
        return _curve(population, sources, sent)
    if isinstance(population, NoisyPopulation):
        return _noisy(population, sources, T)
    if isinstance(population, BoltzmannPopulation):
        return _probabilities(population, sources, sent, T)
    if isinstance(population, RelaxationPopulation):
        return relaxation_design(population, sources, sent, float(T.max()))
    if isinstance(population, HostPopulation):
        none, format = np.zeros(population.size), sources[population.name]
        numbers = {"farthest": format.bound}
        sent = format.scale
        return Design(population=population, scale=1.0, weights=(), bias=none, reach=none, sent=sent, numbers=numbers)
    if isinstance(population, HeatPopulation):
        return heat_design(population, sources, sources[population.name].scale)
    assert isinstance(population, MemoryPopulation)
    return _memory(population, sources, sent)


def _graded(population: GradedPopulation, sources: FORMATS, sent: float | None) -> Design:
    scale, weights, reach, bias = fitted(population, sources, full_weight_scale(population, sources))
    # 1e-9, for a ratio that is a power of two must not be shifted once too often by the rounding of the logarithm.
    shift = 0 if sent is None or scale <= sent else min(23, math.ceil(math.log2(scale / sent) - 1e-9))
    rounding = (1 << shift) >> 1  # the shift rounds down: half a step more makes it round to nearest
    return Design(
        population=population,
        scale=scale,
        weights=weights,
        bias=bias + rounding,
        reach=reach,
        sent=scale / 2.0**shift,
        numbers={"shift": shift},
    )


def _curve(population: CurvePopulation, sources: FORMATS, sent: float | None) -> Design:
    """A table over what can arrive, or as far as the curve still changes."""
    scale, weights, reach, bias = fitted(population, sources, full_weight_scale(population, sources))
    # Beyond its edge a curve is its last entry, so the table need not reach there.
    farthest = min(population.edge, float((reach + np.abs(bias)).max(initial=0.0)) / scale)
    # Loihi finds an entry by a shift to the right: the width of one is a power of two.
    shift = max(0, math.ceil(math.log2(max(farthest * scale, 1) / (ENTRIES // 2))))
    # Each entry is the curve in the middle of the inputs that the shift sends there.
    centres = (np.arange(ENTRIES) - ENTRIES // 2) * 2.0**shift + (2.0**shift - 1) / 2
    with np.errstate(over="ignore"):
        values = population.curve((centres / scale).astype(float))
    if not np.isfinite(values).all():
        raise no_headroom(population, sources)
    largest = float(np.abs(values).max(initial=0.0)) or 1.0
    # An entry is a message of 24 bits: the largest value of the curve caps the scale.
    ceiling = 2.0 ** math.floor(math.log2((FIELD - 1) / largest))
    sent = ceiling if sent is None else min(sent, ceiling)
    numbers = {"shift": shift, "table": np.rint(values * sent).astype(np.int64), "width": 2.0**shift / scale}
    return Design(
        population=population, scale=scale, weights=weights, bias=bias, reach=reach, sent=sent, numbers=numbers
    )


def _noisy(population: NoisyPopulation | BoltzmannPopulation, sources: FORMATS, T: FloatArray) -> Design:
    """The temperature has 8 fractional bits of the drive's integers: a scale is raised until it is fine."""
    low, high = float(T.min()), float(T.max())
    # A message of the host has a sign.
    of_host = isinstance(population.T, Value) and population.heated is None
    greatest = FIELD - 1 if of_host else GREATEST_TEMPERATURE
    # The highest temperature must fit its 24 bits, which caps the scale.
    hottest = 2.0 ** math.floor(math.log2(greatest / TEMPERATURE_STEPS / high))
    scale = min(full_weight_scale(population, sources), hottest)
    if population.heated is not None:
        # What heats it has a power of two as its scale: at another one, weights would have to round it.
        scale = 2.0 ** math.floor(math.log2(scale))
    scale, weights, reach, bias = fitted(population, sources, scale)
    steps = TEMPERATURE_STEPS
    # Doubling keeps a power of two one; it ends before the temperature or the drive leaves its bits.
    while steps * scale * low < FINE_TEMPERATURE and 2 * steps * scale * high < greatest:
        arrival = arriving(population, sources, 2 * scale)
        raised = np.rint(population.drive.bias * 2 * scale).astype(np.int64)
        if arrival is None or (arrival.reach + np.abs(raised)).max(initial=0.0) >= FIELD:
            break
        scale, bias = 2 * scale, raised
        weights, reach = arrival
    temperature = np.rint(steps * scale * T).astype(np.int64)
    # A temperature rounded to 0 would turn p-bits into thresholds; one that cools may end as one.
    if temperature.max() < 1 or (temperature.min() < 1 and not isinstance(population.T, Value)):
        notes = [f"its temperature is {low:.6g}", f"the least that Loihi holds is {1 / (steps * scale):.6g}"]
        what = f"the temperature of {population.op.opname} (%{population.name}) is too low for its weights"
        raise error("T206", what, where=population.op.location, notes=notes, hint="narrow the weights, or warm it")
    numbers = {"T": temperature} | _heating(population, sources, steps * scale)
    return Design(
        population=population, scale=scale, weights=weights, bias=bias, reach=reach, sent=1.0, numbers=numbers
    )


def _probabilities(population: BoltzmannPopulation, sources: FORMATS, sent: float | None, T: FloatArray) -> Design:
    """Energies and temperatures as those of categorical units; as many bits as readers can bear."""
    design = _noisy(population, sources, T)
    fraction = MOST_FRACTION if sent is None else min(MOST_FRACTION, max(1, math.floor(math.log2(sent))))
    initial = np.zeros(population.size) if population.initial is None else population.initial
    started = np.rint(initial * 2.0**fraction).astype(np.int64)
    coldest = float(np.min(T)) if len(T) > 1 or not isinstance(population.T, Value) else 0.0
    numbers = {**design.numbers, "fraction": fraction, "initial": started, "coldest": coldest}
    return replace(design, sent=2.0**fraction, numbers=numbers)


def _heating(population: NoisyPopulation | BoltzmannPopulation, sources: FORMATS, scale: float) -> dict[str, Any]:
    """Return the weights by which a temperature of Loihi arrives, and its constant part. Errors: T206."""
    if population.heated is None:
        return {}
    weights = [quantised(relative(term, sources[term.source]) * scale) for term in population.heated.terms]
    if any(synapse is None for synapse in weights):
        raise no_headroom(population, sources)
    return {"heating": tuple(weights), "heating_bias": np.rint(population.heated.bias * scale).astype(np.int64)}


def _memory(population: MemoryPopulation, sources: FORMATS, sent: float | None) -> Design:
    """The state is as fine as its readers, its 24 bits and its weights let it be; gain makes up for weights that are
    heavy, and for light ones, which would lose their bits."""
    ceiling = 2.0 ** math.floor(math.log2((FIELD - 1) / farthest(population, sources)))
    state = min(sent or ceiling, ceiling)
    greatest, heaviest = GREATEST * 2.0**GREATEST_EXPONENT, heaviest_weight(population, sources)
    while True:
        # Weights that are light at the state's scale would lose their bits: a gain below one lets them be heavier.
        light = math.ceil(math.log2(GREATEST / 2 / (heaviest * state))) if heaviest else 0
        for raised in range(-min(max(light, 0), LEAST_GAIN_SHIFT), 5):
            scale = state / 2.0**raised
            if scale * heaviest <= greatest:
                arrival = arriving(population, sources, scale)
                bias = np.rint(population.drive.bias * scale).astype(np.int64)
                if arrival is not None and (arrival.reach + np.abs(bias)).max(initial=0.0) < FIELD:
                    return _memory_at(population, state, raised, arrival, bias)
        # No gain fits: a state half as fine leaves the drive one bit more of headroom.
        state /= 2
        if state < ceiling * 2.0**-40:
            raise no_headroom(population, sources)


def farthest(population: MemoryPopulation, sources: FORMATS) -> float:
    """Return how far a state goes: where its drive holds it, and eight deviations of its noise; without a leak, in
    1,000 ticks."""
    pull = np.abs(population.drive.bias)
    for term in population.drive.terms:
        pull = pull + term.map.with_weights(np.abs(term.map.weights)).apply(sources[term.source].real)
    sigma = float(np.max(population.sigma)) if not isinstance(population.sigma, Value) else 0.0
    leak = 1 - population.keep if population.keep < 1 else 1 / LEAKLESS_TICKS
    # The stationary deviation is sigma / sqrt(1 - keep^2), about sigma / sqrt(2 leak) for a small leak.
    spread = DEVIATIONS * sigma / math.sqrt(min(2 * leak, 1.0))
    start = float(np.abs(population.initial).max(initial=0.0))
    return max(float(pull.max(initial=0.0)) / leak + spread, start, 1e-6)


def _memory_at(population: MemoryPopulation, state: float, raised: int, arrival: Arrival, bias: AnyArray) -> Design:
    """Return the design of a memory whose gain is 2^raised."""
    sigma = population.sigma
    return Design(
        population=population,
        scale=state / 2.0**raised,
        weights=arrival.weights,
        bias=bias,
        reach=arrival.reach,
        sent=state,
        numbers={
            # A memory's gain and decay are in units of 1 / 4096.
            "gain": 4096 << raised if raised >= 0 else 4096 >> -raised,
            "dm": int(np.clip(4096 - round(4096 * population.keep), 0, 4096)),
            "initial": np.rint(population.initial * state).astype(np.int64),
            "sigma": None if isinstance(sigma, Value) else np.rint(sigma * state).astype(np.int64),
        },
    )
