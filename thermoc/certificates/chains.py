"""What chains of a steady state know: error bars, memory, and whether they agree (P34, P49).

Of chains longer than some hundred bins the means of bins are looked at, as by batch means (Flegal and Jones 2010): they
know the mean as well as all ticks do. Memory shorter than a bin shows in how much less bins vary than ticks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from thermoc import physics
from thermoc.physics.statistics import chain_length, effective_sample_size, halves_of

BINS, LEAST_BINNED = 128, 2**12
"""Bins of a chain, and of all chains, that are kept at least where there are as many ticks."""
MOST_AVERAGED = 2**20
"""Numbers of an op over which averages are taken."""


@dataclass(frozen=True, kw_only=True)
class Average:
    """The mean of a series (ticks, chains). tau in its ticks; ess: effective sample size.

    known: independent numbers that the error rests on, at most the bins. skew: that of a single number.
    """

    mean: float
    error: float
    tau: float
    ess: float
    known: float
    skew: float


@dataclass(frozen=True, kw_only=True)
class Chains:
    """ess: effective sample size; length: ticks of a chain over its tau. p: the chance of half chains that differ more.

    r_hat is sqrt(1 + between / within) of the halves' means; it is within sqrt(1 + scatter F), F of these degrees.
    """

    ess: float
    length: float
    p: float
    r_hat: float
    scatter: float
    degrees: tuple[float, float]

    def limit(self, level: float) -> float:
        """Return what R-hat stays below but for ``level``."""
        return float(np.sqrt(1 + self.scatter * special.fdtri(*self.degrees, 1 - level)))


def spacing(ticks: int, numbers: int, chains: int, most: int = MOST_AVERAGED) -> int:
    """Return k, so that every k-th tick, of ``numbers`` each, is enough to average over; never fewer than the bins."""
    return max(1, min(ticks * numbers // most, ticks // _count(chains)))


def average(x: NDArray) -> Average:
    """Return the mean of a series (ticks, chains), and how well it is known."""
    bins = binned(x)
    found, mean = physics.estimate(bins), float(x.mean())
    off = x - mean
    square = off * off
    variance = float(square.mean())
    # An error bar of bins is that of all; of independent numbers as many would know as much as vary alike.
    ess = found.ess * _share(variance, float(bins.var()))
    return Average(
        mean=mean,
        error=found.error,
        tau=x.size / (2 * ess) if ess > 0 else np.inf,
        ess=ess,
        known=found.ess,
        skew=float(np.vdot(square, off)) / x.size / variance**1.5 if variance > 0 else 0.0,
    )


def chains_of(x: NDArray) -> Chains:
    """Return what a series (ticks, chains) shows of its length and its agreement, by the halves of its chains.

    Halves that differ by more than F = between / (within 2 tau / n) allows have not mixed, be it that they are stuck or
    that what is slow in them is hidden by what is fast: tau is known no better than from a chain's own length.
    """
    bins = binned(x)
    ess, length, halves, all_halves = effective_sample_size(bins), chain_length(bins), halves_of(bins), halves_of(x)
    within, between = float(halves.var(axis=0, ddof=1).mean()), float(halves.mean(axis=0).var(ddof=1))
    share = _share(float(all_halves.var(axis=0, ddof=1).mean()), within)
    half, degrees = len(halves), halves.shape[1] - 1
    scatter = 2 / max(length / 2, 1e-9)
    # tau is of chains about their own means, which are a little nearer to them than the true one
    scatter *= 1 + scatter
    dof = max(bins.size / max(12 * len(bins) / max(length, 1e-9), 1), 1.0)
    if within > 0:
        ratio = between / within
        p = float(special.fdtrc(degrees, dof, ratio / scatter))
        r_hat = float(np.sqrt((half - 1) / half + ratio / share))
    else:
        p, r_hat = (1.0, 1.0) if between == 0 else (0.0, np.inf)
    return Chains(
        ess=ess * _share(float(x.var()), float(bins.var())),
        length=length * share,
        p=p,
        r_hat=r_hat,
        scatter=scatter / share,
        degrees=(degrees, dof),
    )


def binned(x: NDArray) -> NDArray:
    """Return the means of bins (bins, chains) of a series, without what is left over at its start; or a short one."""
    ticks, chains = x.shape
    size = ticks // _count(chains)
    return x if size < 2 else x[ticks % size :].reshape(-1, size, chains).mean(axis=1)


def _count(chains: int) -> int:
    return max(BINS, LEAST_BINNED // max(chains, 1))


def _share(of_ticks: float, of_bins: float) -> float:
    return of_ticks / of_bins if of_bins > 0 else 1.0
