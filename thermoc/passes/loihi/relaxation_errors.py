"""Error bounds of populations that relax: of one tick, and of all that a state remembers."""

from __future__ import annotations

import numpy as np

from thermoc.passes.loihi.design_types import Design
from thermoc.passes.loihi.population_types import RelaxationPopulation
from thermoc.passes.loihi.relaxation_design import FARTHEST_NORMAL, FINE
from thermoc.support.array_types import FloatArray

NORMAL = 0.045
"""The most a normal of the chip is off, in standard deviations: 0.0222 by its radius (the root of a logarithm with 12
fractional bits), pi / 1024 times a radius of 6.7 by its angle of 10 bits, and the last bits (``loihi.memory``)."""


def relaxed(population: RelaxationPopulation, design: Design, drive: FloatArray, before: FloatArray) -> FloatArray:
    """Return how far a tick may move each state too far. drive: how far that of the tick is off; before: |state|.

    The same random words give a normal of the chip's own, off by at most ``NORMAL`` deviations.
    """
    n, step = design.numbers, 1 / design.sent
    kept = n["loss"] * 2.0 ** (-FINE - n["shift"])
    # A mantissa of 24 bits: at most half of its last one.
    off = np.minimum(np.abs(kept - population.loss), population.loss * 2.0**-FINE)
    noise = NORMAL * n["loudest"] + np.where(n["loudest"] > 0, FARTHEST_NORMAL * 0.5 / n["noise_scale"], 0.0)
    total = drive + off * before + noise
    floors = np.where((n["loss"] != 0) | (noise > 0), 2 * step * 2.0**-FINE, 0.0)
    return total + floors


def relaxed_for_ever(population: RelaxationPopulation, design: Design, drive: FloatArray) -> FloatArray:
    """Return how far a state that is sent may be off in any tick: what a tick moves it too far, over what it keeps.

    A schedule without a ratio falls until its floor, and adds up what it is off till there.
    """
    n, step = design.numbers, 1 / design.sent
    tick = relaxed(population, design, drive, n["farthest"] * step)
    if (population.loss > 0).all() and not n["loss"].all():
        return n["farthest"] * step  # a loss below 2^-64 a tick is none
    if population.floor is None or population.loss.any():
        ticks = 1 / (n["loss"] * 2.0 ** (-FINE - n["shift"]))
    else:
        fallen: FloatArray = np.maximum(population.initial - population.floor, 0.0)
        ticks = np.ceil(fallen / -population.drive.bias) + 1
    floor = 0.0
    if population.floor is not None:
        # It is rounded to a step, and is at least one.
        most = max(step / 2, step - population.floor) * (1 + 1e-9)
        floor = min(abs(n["floor"] * step - population.floor), most)
    # What is sent leaves out less than a step.
    return np.maximum(step * 2.0**-FINE + tick * ticks, floor) + step
