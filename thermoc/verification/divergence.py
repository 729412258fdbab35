"""Trajectories that diverged within rounding must still have the same means: a paired test of known false alarm.

The difference of two runs from the same seed, d(tick, sample), has mean zero where both follow one law. Its standard
error comes from its own autocorrelation time (``physics.estimate``). One rounding at a tie can repeat itself at every
tick, so the mean may also be off by twice what jitter does to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from thermoc import physics
from thermoc.verification.differences import Gap

FALSE_ALARM = 1e-4
"""The chance that a target without fault fails here, over all values and units compared (Bonferroni)."""
LEAST_TICKS, LEAST_ESS = 8, 10
MOST_UNITS = 64
"""Of a wider value, this many units are looked at, evenly spaced."""


@dataclass(frozen=True, kw_only=True)
class Means:
    """The worst unit of a value: the mean difference, its tolerance, and how many effective samples know it."""

    difference: float
    tolerance: float
    samples: float
    unit: int

    @property
    def hold(self) -> bool:
        """Whether the means agree."""
        return abs(self.difference) <= self.tolerance


def means(gaps: Sequence[Gap], diverged: NDArray) -> dict[str, Means]:
    """Compare the means of each value over the samples that diverged; values with too few samples to tell are left out.

    diverged: (batch,) whether a sample's runs diverged.
    """
    if not diverged.any():
        return {}
    units = {gap.name: _units(gap) for gap in gaps if len(gap.size) >= LEAST_TICKS}
    count = sum(len(places) for places in units.values())
    worst_by_name = {gap.name: _worst(gap, units[gap.name], diverged, count) for gap in gaps if gap.name in units}
    return {name: worst for name, worst in worst_by_name.items() if worst is not None}


def correlations(gap: Gap) -> Gap:
    """Return the products of neighbours in a tick, and of each unit with itself a tick before, as another value."""
    units = _units(gap)

    def products(array: NDArray) -> NDArray:
        x = array[:, :, units].astype(float)
        return np.concatenate([x[1:, :, :-1] * x[1:, :, 1:], x[1:] * x[:-1]], axis=2)

    jittered = [products(array) for array in gap.jittered]
    return replace(gap, actual=products(gap.actual), expected=products(gap.expected), jittered=jittered)


def _units(gap: Gap) -> NDArray:
    n = gap.size.shape[2]
    return np.unique(np.linspace(0, n - 1, min(n, MOST_UNITS)).round().astype(int)) if n else np.arange(0)


def _worst(gap: Gap, units: NDArray, diverged: NDArray, count: int) -> Means | None:
    candidates: list[Means] = []
    for unit in units:
        d = _differences(gap.actual, gap.expected, diverged, unit)
        # Equal runs have no error to estimate.
        if not d.any() or not np.isfinite(d).all():
            continue
        about = physics.estimate(d)
        # Below this, the autocorrelation time itself is not known, nor then the error.
        if about.ess < LEAST_ESS:
            continue
        # Two sides of all units compared share the one chance of a false alarm.
        limit = float(student.ppf(1 - FALSE_ALARM / (2 * count), about.ess - 1))
        moved = [abs(_differences(jittered, gap.expected, diverged, unit).mean()) for jittered in gap.jittered]
        # A short run underestimates its own error; what passes declare is a floor under it.
        error = max(about.error, gap.noise / np.sqrt(d.size))
        tolerance = limit * error + gap.offset + 2 * max(moved, default=0.0)
        candidates.append(Means(difference=about.mean, tolerance=float(tolerance), samples=about.ess, unit=int(unit)))
    return max(candidates, key=lambda one: abs(one.difference) - one.tolerance, default=None)


def _differences(a: NDArray, b: NDArray, diverged: NDArray, unit: int) -> NDArray:
    with np.errstate(all="ignore"):
        return a[:, diverged, unit].astype(float) - b[:, diverged, unit].astype(float)
