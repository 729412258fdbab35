"""Means of correlated samples, with error bars: autocorrelation, effective sample size, R-hat, jackknife (P34, P49).

A series is (steps, chains), or (steps,) for one chain; steps are equally spaced and chains are independent.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from thermoc.support.array_types import FloatArray, IntArray
from thermoc.support.errors import error

LEAST_STEPS = 4
LEAST_LENGTH, LEAST_ESS = 20, 100
BINS, LEAST_BINNED = 128, 2**12
"""Bins of a chain, and of all chains, that are kept at least where there are as many steps."""


def chain_length(series: ArrayLike) -> float:
    """Return the steps of a chain over the tau of its halves, each about its own mean; 0 below 8 steps (P49)."""
    halves = halves_of(series_of(series))  # a drift of all chains shows less in them than in the whole
    return 2 * len(halves) / time_within(halves) if len(halves) >= LEAST_STEPS else 0.0


def time_within(x: FloatArray) -> float:
    """Return the integrated time of chains (steps, chains) about their own means; infinite where they never moved."""
    covariance = _mean_autocovariance(x)
    return max(_geyer(covariance / covariance[0]), 0.1) if covariance[0] > 0 else float("inf")


def autocovariance(series: ArrayLike) -> FloatArray:
    """Return the autocovariance (steps, chains) of each chain about its own mean, divided by the number of steps."""
    x = series_of(series)
    steps = len(x)
    centred = x - x.mean(axis=0)
    # padded to twice its length: the transform's correlation is circular and would wrap around
    spectrum = np.fft.rfft(centred, 2 * steps, axis=0)
    return np.fft.irfft(np.abs(spectrum) ** 2, 2 * steps, axis=0)[:steps] / steps


def _mean_autocovariance(x: FloatArray) -> FloatArray:
    """Return the mean over chains of ``autocovariance``: the spectra are summed, so that one is transformed back."""
    steps = len(x)
    spectrum = np.fft.rfft((x - x.mean(axis=0)).T, 2 * steps)
    power = (spectrum.real**2 + spectrum.imag**2).mean(axis=0)
    return np.fft.irfft(power, 2 * steps)[:steps] / steps


def integrated_time(series: ArrayLike) -> float:
    """Return the integrated autocorrelation time 1/2 + sum rho_t in steps, of all chains together (P34)."""
    x = series_of(series)
    ess = effective_sample_size(x)
    return x.size / (2 * ess) if ess > 0 else float("inf")


def known_mean(series: ArrayLike) -> tuple[float, float]:
    """Return the standard error of the mean of all, and the effective sample size that it rests on (P34)."""
    x = series_of(series)
    ess = effective_sample_size(x)
    return (float(np.sqrt(_variances(x)[1] / ess)) if ess > 0 else float("inf")), ess


def effective_sample_size(series: ArrayLike) -> float:
    """Return the number of independent samples that know the mean as well (P49).

    rho_t = 1 - (W - mean autocovariance) / V over all chains, summed over Geyer's initial monotone sequence of pairs
    (Vehtari et al. 2021, eq. 10 to 12). A constant series that never moved counts as one sample a chain.
    """
    x = series_of(series)
    within, total = _variances(x)
    # chains that never moved say nothing of their correlation: one sample each
    if total == 0:
        return float(x.shape[1])
    steps = len(x)
    # by n - 1, as W is: the two must agree at lag zero
    mean_cov = _mean_autocovariance(x) * steps / (steps - 1)
    rho = 1 - (within - mean_cov) / total
    # antithetic chains may seem to know more than all their samples: Vehtari et al. cap it at n log10(n)
    return float(x.size / max(2 * _geyer(rho), 1 / np.log10(x.size)))


def _geyer(rho: FloatArray) -> float:
    """Return 1/2 + sum rho_t over Geyer's initial monotone sequence; rho[0] counts as 1."""
    rho = np.concatenate([[1.0], rho[1 : len(rho) // 2 * 2]])
    pairs = rho.reshape(-1, 2).sum(axis=1)
    # pair sums of a reversible chain are positive: the first negative one is noise, and all after it
    negative = np.flatnonzero(pairs < 0)
    summed = np.minimum.accumulate(pairs[: negative[0] if len(negative) else len(pairs)])
    return float(summed.sum()) - 0.5


def split_r_hat(series: ArrayLike) -> float:
    """Return sqrt(V / W) of the chains' halves (P49): 1 where all agree; above 1.01 they have not mixed."""
    x = series_of(series)
    halves = halves_of(x)
    within, total = _variances(halves)
    if within == 0:
        return 1.0 if total == 0 else float("inf")
    return float(np.sqrt(total / within))


def jackknife(
    function: Callable[..., ArrayLike], *series: ArrayLike, blocks: int = 32
) -> tuple[FloatArray, FloatArray]:
    """Return (value, standard error) of a function of averages by leaving out one block at a time.

    series: arrays (steps, chains); they are cut into blocks along the chains where there are at least as many,
    else along the steps. ``function`` takes the series, each (steps, chains), and returns a number or an array.
    """
    arrays = [series_of(item) for item in series]
    steps, chains = arrays[0].shape
    # chains are independent, which blocks of steps are only when longer than tau
    axis, length = (1, chains) if chains >= blocks else (0, steps)
    count = min(blocks, length)
    if count < 2:
        raise error("T405", "a jackknife needs at least two blocks", notes=[f"{steps} steps, {chains} chains"])
    indices: IntArray = np.arange(length, dtype=np.int64)
    cuts: list[IntArray] = np.array_split(indices, count)
    left_out = np.array([function(*(np.delete(a, cut, axis=axis) for a in arrays)) for cut in cuts])
    value = np.asarray(function(*arrays))
    spread = np.sqrt((count - 1) / count * ((left_out - left_out.mean(axis=0)) ** 2).sum(axis=0))
    return value, spread


def series_of(series: ArrayLike) -> FloatArray:
    """Return a series as (steps, chains). Errors: T405 below 4 steps."""
    x = np.asarray(series, float)
    x = x[:, np.newaxis] if x.ndim == 1 else x
    if x.ndim != 2 or len(x) < LEAST_STEPS or not x.size:
        notes = [f"it has shape {list(np.shape(series))}", f"at least {LEAST_STEPS} steps are needed"]
        raise error("T405", "a series is (steps, chains)", notes=notes)
    return x


def halves_of(x: FloatArray) -> FloatArray:
    """Return each chain as two: (steps // 2, 2 chains)."""
    # an odd step in the middle is left out, so that both halves are as long
    half = len(x) // 2
    return np.concatenate([x[:half], x[len(x) - half :]], axis=1)


def bin_count(chains: int) -> int:
    """Return how many bins of a chain are kept at least."""
    return max(BINS, LEAST_BINNED // max(chains, 1))


def binned(x: FloatArray) -> FloatArray:
    """Return the means of bins (bins, chains) of a series, without what is left over at its start; or a short one."""
    steps, chains = x.shape
    size = steps // bin_count(chains)
    return x if size < 2 else x[steps % size :].reshape(-1, size, chains).mean(axis=1)


def _variances(x: FloatArray) -> tuple[float, float]:
    """Return W, the mean variance within chains, and V, the variance of all (Gelman et al. 2013, 11.4)."""
    steps, chains = x.shape
    within = float(x.var(axis=0, ddof=1).mean())
    between = float(x.mean(axis=0).var(ddof=1)) if chains > 1 else 0.0
    return within, (steps - 1) / steps * within + between
