"""What chains of a steady state know: error bars, memory, and whether they agree (P34, P49).

Of chains longer than some hundred bins the means of bins are looked at, as by batch means (Flegal and Jones 2010): they
know the mean as well as all ticks do. Memory shorter than a bin shows in how much less bins vary than ticks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermoc import physics
from thermoc.physics.statistics import (
    bin_count,
    binned,
    chain_length,
    effective_sample_size,
    halves_of,
    known_mean,
)

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
    """ess: effective sample size; length: ticks of a chain over its tau; agreement: whether they have one law."""

    ess: float
    length: float
    agreement: physics.Agreement


def spacing(ticks: int, numbers: int, chains: int, most: int = MOST_AVERAGED) -> int:
    """Return k, so that every k-th tick, of ``numbers`` each, is enough to average over; never fewer than the bins."""
    return max(1, min(ticks * numbers // most, ticks // bin_count(chains)))


def average(x: NDArray) -> Average:
    """Return the mean of a series (ticks, chains), and how well it is known."""
    bins = binned(x)
    (error, known), mean = known_mean(bins), float(x.mean())
    off = x - mean
    square = off * off
    variance = float(square.mean())
    # An error bar of bins is that of all; of independent numbers as many would know as much as vary alike.
    ess = known * _share(variance, float(bins.var()))
    return Average(
        mean=mean,
        error=error,
        tau=x.size / (2 * ess) if ess > 0 else np.inf,
        ess=ess,
        known=known,
        skew=float(np.vdot(square, off)) / x.size / variance**1.5 if variance > 0 else 0.0,
    )


def chains_of(x: NDArray) -> Chains:
    """Return what a series (ticks, chains) shows of its length, by the halves of its chains, and of its agreement."""
    bins = binned(x)
    ess, length, halves, all_halves = effective_sample_size(bins), chain_length(bins), halves_of(bins), halves_of(x)
    share = _share(float(all_halves.var(axis=0, ddof=1).mean()), float(halves.var(axis=0, ddof=1).mean()))
    return Chains(
        ess=ess * _share(float(x.var()), float(bins.var())),
        length=length * share,
        agreement=physics.agreement(x),
    )


def _share(of_ticks: float, of_bins: float) -> float:
    return of_ticks / of_bins if of_bins > 0 else 1.0
