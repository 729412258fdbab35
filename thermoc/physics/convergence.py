"""Whether chains agree and how much they know, by ranks and over many units at once (P49).

A series is (steps, chains), or (steps,) for one chain; of several units (steps, chains, units).
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from thermoc.physics.statistics import effective_sample_size, halves_of, series_of
from thermoc.support.array_types import FloatArray
from thermoc.support.errors import error

LEAST_BATCHES = 4
"""Batches of a chain from which on means of batches say what an error bar is."""


class Convergence(NamedTuple):
    """Rank-normalised split R-hat, and effective sample sizes of the middle and of the tails."""

    r_hat: float
    bulk_ess: float
    tail_ess: float


def convergence(series: ArrayLike) -> Convergence:
    """Return R-hat, bulk and tail ESS of a series by ranks (Vehtari et al. 2021). Errors: T405 below 8 steps."""
    return Convergence(rank_r_hat(series), bulk_ess(series), tail_ess(series))


def rank_normalised(series: ArrayLike) -> FloatArray:
    """Return the normal quantiles of the ranks of all values, equal ones at their mean rank (eq. 14).

    So moments need not exist: R-hat and ESS of them are those of any increasing function of the values.
    """
    x = series_of(series)
    flat = x.ravel()
    order = np.argsort(flat)
    ordered, z = flat[order], np.empty(x.size)
    new = np.concatenate([[True], ordered[1:] != ordered[:-1]])
    if new.all():
        z[order] = _quantiles(x.size)
    else:
        first = np.append(np.flatnonzero(new), x.size)
        # places from first to the next, whose mean rank (of ranks from 1) all of them have
        ranks = (first[:-1] + first[1:] + 1) / 2
        z[order] = np.repeat(_of_ranks(ranks, x.size), np.diff(first))
    return z.reshape(x.shape)


@lru_cache(maxsize=4)
def _quantiles(count: int) -> FloatArray:
    return _of_ranks(np.asarray(np.arange(1, count + 1), float), count)


def _of_ranks(ranks: FloatArray, count: int) -> FloatArray:
    return np.asarray(scipy_part("special").ndtri((ranks - 3 / 8) / (count + 1 / 4)), float)


def rank_r_hat(series: ArrayLike) -> float:
    """Return the larger of split R-hat of the ranks and of the ranks of |x - median|: chains differ in place or spread.

    1.01 is what long chains that agree stay below (Vehtari et al. 2021).
    """
    split = halves_of(series_of(series))
    folded = np.abs(split - np.median(split))
    # the chains are halves already: a second split would look at quarters
    return max(_r_hat(rank_normalised(split)), _r_hat(rank_normalised(folded)))


def bulk_ess(series: ArrayLike) -> float:
    """Return the effective sample size of the ranks, over the chains' halves: that of the middle of the law."""
    return effective_sample_size(rank_normalised(halves_of(series_of(series))))


def tail_ess(series: ArrayLike) -> float:
    """Return the lesser effective sample size of the 5 % and the 95 % quantile; of two levels, that of the levels."""
    split = halves_of(series_of(series))
    below = [(split <= quantile).astype(float) for quantile in np.quantile(split, (0.05, 0.95))]
    # where all values lie at or below a quantile, its indicator never moves and says nothing
    moving = [series for series in below if np.ptp(series) > 0]
    return min(map(effective_sample_size, moving)) if moving else effective_sample_size(split)


def batch_covariance(series: ArrayLike, *, lugsail: bool = True) -> FloatArray:
    """Return n times the covariance of the mean, (units, units), from means of batches of about sqrt(n) steps.

    Batches of all chains are taken about the mean of all, so chains that disagree widen it. lugsail: 2 Sigma_b -
    Sigma_(b/3), which is too wide rather than too narrow where batches are shorter than the memory (Vats and Flegal
    2022). Errors: T405 below 16 steps.
    """
    x = _units(series)
    length = int(np.sqrt(len(x)))
    if len(x) < LEAST_BATCHES**2:
        notes = [f"{len(x)} steps", f"at least {LEAST_BATCHES**2} are needed"]
        raise error("T405", "a chain is too short for means of batches", notes=notes)
    wide = _batched(x, length)
    return 2 * wide - _batched(x, max(1, length // 3)) if lugsail else wide


def multivariate_ess(series: ArrayLike) -> float:
    """Return n (|covariance| / |Sigma|)^(1/p) of p units together (Vats, Flegal and Jones 2019); none fixes another.

    Sigma is ``batch_covariance`` without lugsail where that would not be positive definite. Chains that disagree show
    in ``multivariate_r_hat``, and in this by little. Errors: T405.
    """
    x = _units(series)
    flat = x.reshape(-1, x.shape[2])
    spread, n = _log_det(np.asarray(np.cov(flat.T), float).reshape(x.shape[2], -1)), len(flat)
    if spread is None:
        notes = [f"{x.shape[2]} units, {n} samples"]
        raise error("T405", "a combination of units never moves", notes=notes, hint="leave out units that others fix")
    for lugsail in (True, False):
        total = _log_det(batch_covariance(x, lugsail=lugsail))
        if total is not None:
            return float(n * np.exp((spread - total) / x.shape[2]))
    notes = [f"{x.shape[2]} units", f"{len(x)} steps in {x.shape[1]} chains"]
    raise error("T405", "the chains are too short for so many units", notes=notes)


def multivariate_r_hat(series: ArrayLike) -> float:
    """Return the split R-hat of the combination of units that differs most between chains (Brooks and Gelman 1998).

    sqrt((n - 1) / n + lambda), lambda the largest eigenvalue of W^-1 B: covariances within the chains' halves, and of
    their means. Of one unit it is ``split_r_hat``; of p units that agree it is near sqrt(1 + p / ESS). Errors: T405.
    """
    x = _units(series)
    half = len(x) // 2
    split = np.concatenate([x[:half], x[len(x) - half :]], axis=1)
    middle = split.mean(axis=0)
    off = (split - middle).reshape(-1, x.shape[2])
    within = off.T @ off / (len(off) - split.shape[1])
    if half < 2 or _log_det(within) is None:
        notes = [f"{x.shape[2]} units", f"{len(x)} steps in {x.shape[1]} chains"]
        raise error("T405", "a combination of units never moves, or the chains are too short", notes=notes)
    between: FloatArray = np.asarray(np.cov(middle.T), float).reshape(within.shape)
    largest = _largest(within, between)
    return float(np.sqrt((half - 1) / half + largest))


def least_multivariate_ess(units: int, *, confidence: float = 0.95, precision: float = 0.05) -> float:
    """Return the ESS at which the mean is known to ``precision`` of the law's own size (Vats et al. 2019, eq. 10)."""
    special, stats = scipy_part("special"), scipy_part("stats")
    p = units
    size = 2 / p * np.log(2) + np.log(np.pi) - 2 / p * (np.log(p) + float(special.gammaln(p / 2)))
    return float(np.exp(size) * float(stats.chi2.ppf(confidence, p)) / precision**2)


def scipy_part(name: str) -> Any:
    """Return a part of SciPy, which has no types, and which importing thermoc does not load."""
    return import_module(f"scipy.{name}")


def _r_hat(split: FloatArray) -> float:
    within, steps = float(split.var(axis=0, ddof=1).mean()), len(split)
    between = float(split.mean(axis=0).var(ddof=1))
    if within == 0:
        return 1.0 if between == 0 else float("inf")
    return float(np.sqrt((steps - 1) / steps + between / within))


def _units(series: ArrayLike) -> FloatArray:
    x = np.asarray(series, float)
    if x.ndim == 2:
        x = x[:, np.newaxis]
    if x.ndim != 3 or not x.size:
        notes = [f"it has shape {list(np.shape(series))}"]
        raise error("T405", "a series of several units is (steps, chains, units)", notes=notes)
    return x


def _batched(x: FloatArray, length: int) -> FloatArray:
    count = len(x) // length
    # what is left over at the start is nearest to where the chain began
    means = x[len(x) - count * length :].reshape(count, length, *x.shape[1:]).mean(axis=1)
    off = (means - x.mean(axis=(0, 1))).reshape(-1, x.shape[2])
    return length * off.T @ off / (len(off) - 1)


def _largest(within: FloatArray, between: FloatArray) -> float:
    """Return the largest eigenvalue of within^-1 between, by the symmetric matrix of the same eigenvalues."""
    root = np.linalg.inv(np.linalg.cholesky(within))
    return float(np.asarray(np.linalg.eigvalsh(root @ between @ root.T), float).max())


def _log_det(matrix: FloatArray) -> float | None:
    """Return the logarithm of the determinant, or None where the matrix is not positive definite."""
    try:
        factor = np.linalg.cholesky(matrix)
    except np.linalg.LinAlgError:
        return None
    return float(2 * np.log(np.diag(factor)).sum())
