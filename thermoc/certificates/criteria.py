"""Averages of a steady state: by error bars from their own autocorrelation time (P47, P49)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from thermoc import physics
from thermoc.certificates import significance
from thermoc.certificates.law import AGREEMENT, Finding, Skipped
from thermoc.certificates.observed import Observed

LEAST_AVERAGED = 8
"""Ticks after the warm-up from which on averages are judged: fewer have no error bar to judge them by."""
MOST_CHAINS = 16
"""Units of an op whose chains are looked at, evenly spaced: autocorrelation times of all would outlast the run."""


def too_few(observed: Observed, law: str, ticks: int) -> Finding:
    """Return that a law cannot be told, because its average would be over too few ticks."""
    statement = f"ticks after the warm-up, to average over ({law})"
    found = significance.long_enough(observed, statement, float(ticks), LEAST_AVERAGED, ticks)
    return found


def unsettled(observed: Observed, laws: str) -> Skipped:
    """Return that laws of the steady state are not checked, because there was none or it was too short."""
    first = observed.first_tick
    cause = f"{observed.moving} changes until tick {first + observed.since} of {first + observed.ticks}"
    return Skipped(law=laws, op=observed.label, reason=f"{cause}; laws at each tick are checked, averages are not")


def equipartition(
    observed: Observed, share: NDArray, what: str, allowance: float = 0.0, law: str = "P47"
) -> Iterator[Finding]:
    """Yield that the mean of ``share`` (ticks, samples, ...) after the warm-up is 1 (P47)."""
    # Units of one op are correlated, so the series of their mean carries the error, not the units one by one.
    series = share[observed.warmup :].reshape(len(share) - observed.warmup, share.shape[1], -1).mean(axis=-1)
    if len(series) < LEAST_AVERAGED:
        yield too_few(observed, law, len(series))
        return
    yield significance.mean(observed, law, f"mean {what} is 1", series, 1.0, allowance=allowance)


def converged(observed: Observed, values: NDArray, *, whole: bool = False) -> Iterator[Finding]:
    """Yield whether the chains are long enough to tell, and whether they agree (P49), over some of the units."""
    series = values if whole else values[observed.warmup :]
    ticks = len(series)
    if ticks < LEAST_AVERAGED:
        yield too_few(observed, "P49", ticks)
        return
    flat = series.reshape(*series.shape[:2], -1)
    units = range(0, flat.shape[-1], max(1, flat.shape[-1] // MOST_CHAINS))
    chains = [physics.estimate(flat[..., unit]) for unit in units]
    ess, length = min(chain.ess for chain in chains), min(chain.length for chain in chains)
    yield significance.long_enough(observed, "effective sample size", ess, physics.LEAST_ESS, ticks)
    yield significance.long_enough(observed, "length of a chain over its tau", length, physics.LEAST_LENGTH, ticks)
    yield _agreement(observed, flat, units, [chain.length for chain in chains])


def _agreement(observed: Observed, flat: NDArray, units: range, lengths: list[float]) -> Finding:
    """Return that the halves of the chains have one mean: F = between / (within 2 tau / n), over all units.

    Halves that differ by more have not mixed, be it that they are stuck or that what is slow in them is hidden by what
    is fast: tau is known no better than from a chain's own length.
    """
    found = [_halves(flat[..., unit], length) for unit, length in zip(units, lengths)]
    p, r_hat, scatter, degrees, dof = min(found)
    tries = len(found)

    def limit(level: float) -> float:
        return float(np.sqrt(1 + scatter * stats.f.isf(level / tries, degrees, dof)))

    count = flat.shape[0] * flat.shape[1]
    shortest = min(lengths)
    short = shortest < physics.LEAST_LENGTH
    ticks = len(flat)
    return Finding(
        law="P49",
        op=observed.label,
        statement="R-hat: chains agree",
        statistic=AGREEMENT,
        measured=r_hat,
        expected=0.0,
        bound=limit,
        side="below",
        samples=count,
        p=min(p * tries, 1.0),
        ticks=ticks,
        needed=(ticks * physics.LEAST_LENGTH / shortest if shortest > 0 else np.inf) if short else None,
        details={"from_tick": float(observed.first_tick + observed.warmup), "units": float(tries)},
    )


def _halves(x: NDArray, length: float) -> tuple[float, float, float, int, float]:
    """Return p, R-hat, the variance of a half's mean over that of one value, and the degrees of freedom of F."""
    half = len(x) // 2
    halves = np.concatenate([x[:half], x[len(x) - half :]], axis=1)
    within, between = float(halves.var(axis=0, ddof=1).mean()), float(halves.mean(axis=0).var(ddof=1))
    degrees, scatter = halves.shape[1] - 1, 2 / max(length / 2, 1e-9)
    # tau is of chains about their own means, which are a little nearer to them than the true one
    scatter *= 1 + scatter
    dof = max(len(x) * x.shape[1] / max(12 * len(x) / max(length, 1e-9), 1), 1.0)
    if within == 0:
        return (1.0, 1.0, scatter, degrees, dof) if between == 0 else (0.0, np.inf, scatter, degrees, dof)
    ratio = between / within
    p = float(stats.f.sf(ratio / scatter, degrees, dof))
    return p, float(np.sqrt((half - 1) / half + ratio)), scatter, degrees, dof


def held(array: NDArray) -> bool:
    """Tell whether an array does not change over the ticks."""
    return bool((array == array[:1]).all())
