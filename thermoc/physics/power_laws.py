"""Power laws of whole numbers, by maximum likelihood (Clauset, Shalizi and Newman 2009)."""

# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false
# (SciPy has no types)

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import ArrayLike

from thermoc.physics.checks import positive
from thermoc.support.array_types import FloatArray, IntArray
from thermoc.support.errors import error

LEAST_TAIL = 50
"""So many sizes must lie in the tail that is fitted: the estimate is biased below it (Clauset et al., 3.2)."""


@dataclass(frozen=True, kw_only=True)
class PowerLaw:
    """P(s) ~ s^-exponent for least <= s <= most, with the standard error of the exponent.

    tail: how many sizes lie there. distance: the largest between the two cumulative distributions (Kolmogorov and
    Smirnov). p: share of samples of the fitted law that lie farther from their own fit; below 0.1 it is ruled out.
    advantage: log-likelihood a size above that of an exponential (geometric) law between the same ends.
    """

    exponent: float
    error: float
    least: int
    most: int
    tail: int
    distance: float
    p: float
    advantage: float


def power_law(
    sizes: ArrayLike, *, least: int | None = None, most: int | None = None, repeats: int = 100, seed: int = 0
) -> PowerLaw:
    """Return the power law of whole numbers >= 1 whose tail fits best.

    least: where the tail begins; by default where the distance is smallest. most: where it is cut off, by default the
    largest size. repeats: samples for ``p``; 0 gives nan. Errors: T405 for sizes that are no whole numbers >= 1, or
    fewer than 50 in every tail.
    """
    s = positive("sizes", sizes).reshape(-1)
    if not s.size or (s != np.round(s)).any():
        raise error("T405", "sizes are whole numbers >= 1", notes=[f"{s.size} sizes"])
    counts: IntArray = np.bincount(s.astype(np.int64))
    most = int(most or len(counts) - 1)
    counts = np.pad(counts, (0, max(0, most + 1 - len(counts))))[: most + 1]
    starts = range(1, most) if least is None else [least]
    fits = [_fit(counts, start) for start in starts if counts[start] and counts[start:].sum() >= LEAST_TAIL]
    if not fits:
        notes = [f"{len(s)} sizes up to {most}", f"at least {LEAST_TAIL} are needed in the tail"]
        raise error("T405", "too few sizes for a power law", notes=notes)
    distance, start, exponent = min(fits)
    tail = counts[start:]
    n = int(tail.sum())
    return PowerLaw(
        exponent=exponent,
        error=1 / float(np.sqrt(n * _log_moments(exponent, start, most)[1])),
        least=start,
        most=most,
        tail=n,
        distance=distance,
        p=_goodness(counts, start, exponent, distance, least is None, repeats, seed),
        advantage=_advantage(tail, exponent, start, most),
    )


def _law(exponent: float, least: int, most: int) -> FloatArray:
    """Return the probabilities of least, ..., most."""
    weight = np.arange(least, most + 1, dtype=float) ** -exponent
    return weight / weight.sum()


def _log_moments(exponent: float, least: int, most: int) -> tuple[float, float]:
    """Return mean and variance of ln s."""
    p, logs = _law(exponent, least, most), np.log(np.arange(least, most + 1))
    mean = float(p @ logs)
    return mean, float(p @ (logs - mean) ** 2)


def _fit(counts: IntArray, least: int) -> tuple[float, int, float]:
    """Return (distance, least, exponent): the exponent at which the law's mean of ln s is the sizes'."""
    from scipy.optimize import brentq

    last, tail = len(counts) - 1, counts[least:]
    weights = tail / tail.sum()
    mean = float(weights @ np.log(np.arange(least, last + 1)))

    def excess(exponent: float) -> float:
        return _log_moments(exponent, least, last)[0] - mean

    low, high = -5.0, 30.0
    exponent = cast(float, brentq(excess, low, high)) if excess(low) > 0 > excess(high) else high
    gap = np.abs(np.cumsum(weights) - np.cumsum(_law(exponent, least, last))).max()
    return float(gap), least, exponent


def _goodness(
    counts: IntArray, least: int, exponent: float, distance: float, free: bool, repeats: int, seed: int
) -> float:
    """Return the share of samples, of the law above ``least`` and of the sizes below, that fit worse than the sizes."""
    if repeats == 0:
        return float("nan")
    rng, total, last = np.random.default_rng(seed), int(counts.sum()), len(counts) - 1
    below, n = counts[:least] / total, int(counts[least:].sum())
    mixed = np.concatenate([below, n / total * _law(exponent, least, last)])
    worse = 0
    for _ in range(repeats):
        sample = rng.multinomial(total, mixed / mixed.sum())
        # a start beyond four times the one of the sizes costs time and has never been the best
        starts = range(1, min(4 * least, last)) if free else [least]
        gaps = [_fit(sample, k)[0] for k in starts if sample[k] and sample[k:].sum() >= LEAST_TAIL]
        worse += min(gaps, default=1.0) >= distance
    return worse / repeats


def _advantage(tail: IntArray, exponent: float, least: int, most: int) -> float:
    from scipy.optimize import brentq

    k, weights = np.arange(most - least + 1, dtype=float), tail / tail.sum()
    mean = float(weights @ k)

    def geometric(rate: float) -> FloatArray:
        weight = np.exp(-rate * k - max(0.0, -rate * k[-1]))
        return weight / weight.sum()

    def excess(rate: float) -> float:
        return float(geometric(rate) @ k) - mean

    rate = cast(float, brentq(excess, -5.0, 50.0))
    # sizes that did not occur add nothing, however unlikely
    seen = tail > 0
    logs = np.log(_law(exponent, least, most)[seen]) - np.log(np.maximum(geometric(rate)[seen], 1e-300))
    return float(weights[seen] @ logs)
