"""Activations that spikes carry: does each unit fire as often as its activation says, given what the others fired?

The reference runs the graph before the pass on the means of the spikes so far; so errors do not add up over layers. A
unit that fires with probability p(t) in tick t has fired sum p times but for a martingale, whose chance of leaving its
bound follows from Freedman's inequality, P(|S| >= t) <= 2 exp(-t^2 / (2 (V + c t / 3))), V the sum of the variances, c
the size of a step, and by Hoeffding's, 2 exp(-2 t^2 / (n c^2)); the narrower counts. A unit that integrates and fires
is off by less than one spike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.feed import feed
from thermoc.ir.graph import Graph
from thermoc.ir.reference import interpret
from thermoc.passes.counterparts import ROUNDING, Coded
from thermoc.verification.disturbance import Disturbance
from thermoc.verification.divergence import FALSE_ALARM
from thermoc.verification.forcing import Steered
from thermoc.verification.run_settings import RunSettings
from thermoc.verification.unit_gaps import UnitGap


def judged(
    setting: RunSettings, before: Graph, after: Graph, coded: Sequence[Coded]
) -> tuple[tuple[UnitGap, ...], Disturbance]:
    """Return how often each unit fired against how often it should have; nothing is known of what that does later."""
    probes = setting.reference(after, probes=[code.sender for code in coded]).probes
    now = {code.value: probes[code.sender].astype(float) for code in coded}
    ticks = np.arange(1, setting.ticks + 1)
    means = {name: np.cumsum(array, axis=0) / _along(ticks, array) for name, array in now.items()}
    hook = Steered(means)
    inputs = feed(before, setting.inputs, ticks=setting.ticks, batch=setting.batch)
    with np.errstate(all="ignore"):
        interpret(before, inputs, seed=setting.seed, jitter=hook)  # pyright: ignore[reportArgumentType]
    units = sum(array[0, 0].size for array in now.values())
    gaps = (_gap(code, now[code.value], _stacked(hook, code, setting), units) for code in coded)
    return tuple(gaps), Disturbance(graph=before)


def _along(ticks: NDArray, array: NDArray) -> NDArray:
    return ticks.reshape(-1, *(1,) * (array.ndim - 1))


def _stacked(hook: Steered, code: Coded, setting: RunSettings) -> NDArray:
    arrays = hook.computed[code.value]
    return np.stack([np.broadcast_to(array, (setting.batch, *array.shape[1:])) for array in arrays]).astype(float)


def _gap(code: Coded, fired: NDArray, activation: NDArray, units: int) -> UnitGap:
    """Compare sums over ticks and samples, as means a tick and sample (ticks, 1, units)."""
    ticks, batch = fired.shape[:2]
    largest = code.most.reshape(-1)
    # What lies above the most was cut by the pass, and no unit can say it.
    x, y = (array.reshape(ticks, batch, -1) for array in (fired, np.minimum(activation, code.most)))
    count = np.arange(1, ticks + 1)[:, np.newaxis] * batch
    if code.coding == "rate":
        # An integrating unit is off by less than one spike, in each of the samples.
        tolerance = np.broadcast_to(largest * batch, (ticks, len(largest)))
    else:
        # A unit that says c with probability y / c has the variance y (c - y).
        variance = np.cumsum((y * (largest - y)).sum(axis=1), axis=0)
        # Two inequalities, two sides: each of the four may use a quarter of the chance.
        exponent = float(np.log(4 * units * ticks / FALSE_ALARM))
        tolerance = np.minimum(_freedman(variance, largest, exponent), largest * np.sqrt(count * exponent / 2))
    rate, expected = (np.cumsum(array.sum(axis=1), axis=0) / count for array in (x, y))
    tolerance = tolerance / count + ROUNDING * largest
    top = float(largest.max(initial=0.0))
    return UnitGap(
        name=code.value,
        shape=code.most.shape,
        discrete=False,
        actual=rate[:, np.newaxis],
        expected=expected[:, np.newaxis],
        low=(expected - tolerance)[:, np.newaxis],
        high=(expected + tolerance)[:, np.newaxis],
        slack=tolerance[:, np.newaxis],
        share=float(tolerance[-1].max(initial=0.0)) / top if top else 0.0,
    )


def _freedman(variance: NDArray, step: NDArray, exponent: float) -> NDArray:
    """Return the t at which t^2 / (2 (V + c t / 3)) is the exponent."""
    half = exponent * step / 3
    return half + np.sqrt(half**2 + 2 * exponent * variance)
