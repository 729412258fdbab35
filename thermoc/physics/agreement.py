"""Whether chains agree, by ranks: split R-hat, and what it may be for chains as short as these that do (P49).

A series is (steps, chains), or (steps,) for one chain; steps are equally spaced and chains are independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from thermoc.physics.convergence import rank_normalised, scipy_part
from thermoc.physics.statistics import (
    LEAST_ESS,
    LEAST_LENGTH,
    binned,
    chain_length,
    halves_of,
    known_mean,
    series_of,
    time_within,
)
from thermoc.support.array_types import FloatArray

R_HAT = 1.01
"""What long chains that agree stay below (Vehtari et al. 2021)."""
AGREEMENT_LEVEL = 1e-6
"""The chance that an estimate says of chains that agree that they do not; a hundred units are looked at."""


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """p: the chance of half chains that differ more.

    r_hat is sqrt(1 + between / within) of the halves' ranks; it is within sqrt(1 + scatter F), F of these degrees.
    """

    r_hat: float
    p: float
    scatter: float
    degrees: tuple[float, float]

    def limit(self, level: float) -> float:
        """Return what R-hat stays below but for ``level``; 1 for chains that never moved."""
        special = scipy_part("special")
        return float(np.sqrt(1 + self.scatter * special.fdtri(*self.degrees, 1 - level / FORMS)))


FORMS = 2
"""Ranks of the values, and of how far they are from the median: chains differ in place or in spread."""


def agreement(series: ArrayLike) -> Agreement:
    """Return how far the chains' halves differ, by the ranks of bins of their steps. Errors: T405 below 4 steps.

    Halves that differ by more than F = between / (within 2 tau / n) allows have not mixed, be it that they are stuck or
    that what is slow in them is hidden by what is fast: tau is known no better than from a chain's own length. Of
    values and distances from the median the ones that differ more are told of (Vehtari et al. 2021).
    """
    x = series_of(series)
    halves, all_halves = halves_of(binned(x)), halves_of(x)
    within, of_steps = (float(array.var(axis=0, ddof=1).mean()) for array in (halves, all_halves))
    # Bins vary less than steps, and R-hat is that of steps.
    share = of_steps / within if within > 0 else 1.0
    folded = np.abs(halves - np.median(halves))
    found = [_differing(rank_normalised(form), share) for form in (halves, folded)]
    return min(found, key=lambda form: (form.p, -form.r_hat))


def _differing(z: FloatArray, share: float) -> Agreement:
    half, degrees = len(z), z.shape[1] - 1
    within, between = float(z.var(axis=0, ddof=1).mean()), float(z.mean(axis=0).var(ddof=1))
    if within == 0:
        p, r_hat = (1.0, 1.0) if between == 0 else (0.0, float("inf"))
        return Agreement(r_hat=r_hat, p=p, scatter=0.0, degrees=(degrees, 1.0))
    tau = time_within(z)
    scatter = 2 * tau / half
    # tau is of chains about their own means, which are a little nearer to them than the true one
    scatter *= 1 + scatter
    freedom, ratio = max(z.size / max(12 * tau, 1), 1.0), between / within
    p = float(scipy_part("special").fdtrc(degrees, freedom, ratio / scatter))
    return Agreement(
        r_hat=float(np.sqrt((half - 1) / half + ratio / share)),
        p=min(FORMS * p, 1.0),
        scatter=scatter / share,
        degrees=(degrees, freedom),
    )


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """A mean and how well it is known.

    error: standard error. tau: integrated autocorrelation time in steps (1/2 for independent steps). ess: effective
    sample size. r_hat: split R-hat by ranks, near 1 where the chains agree with each other and with themselves.
    r_hat_limit: what it may be for chains as short as these that do agree (``agreement``). length: steps of a chain
    over its tau.
    """

    mean: float
    error: float
    tau: float
    ess: float
    r_hat: float
    r_hat_limit: float
    length: float
    samples: int

    @property
    def mixed(self) -> bool:
        """Whether the chains agree (R-hat), are long enough to tell (20 tau), and hold 100 independent samples."""
        return self.r_hat <= self.r_hat_limit and self.length >= LEAST_LENGTH and self.ess >= LEAST_ESS

    def __str__(self) -> str:
        return f"{self.mean:.6g} +- {self.error:.2g} (tau {self.tau:.3g}, ESS {self.ess:.4g}, R-hat {self.r_hat:.4g})"


def estimate(series: ArrayLike) -> Estimate:
    """Return mean, error bar, tau, ESS and R-hat of a series (steps, chains). Errors: T405 below 4 steps."""
    x = series_of(series)
    (error_bar, ess), chains = known_mean(x), agreement(x)
    return Estimate(
        mean=float(x.mean()),
        error=error_bar,
        tau=x.size / (2 * ess) if ess > 0 else float("inf"),
        ess=ess,
        r_hat=chains.r_hat,
        r_hat_limit=max(R_HAT, chains.limit(AGREEMENT_LEVEL)),
        length=chain_length(x),
        samples=x.size,
    )
