"""How a law is judged: by error bars from its own autocorrelation time, or to rounding."""

from __future__ import annotations

from collections.abc import Iterator

from numpy.typing import NDArray

from thermoc import physics
from thermoc.certificates.law import SIGMAS, Law, Skipped
from thermoc.certificates.observed import Observed

LEAST_AVERAGED = 8
"""Ticks after the warm-up from which on averages are judged: fewer have no error bar to judge them by."""


def too_few(observed: Observed, law: str, ticks: int) -> Skipped:
    """Return that a law is not checked, because its average would be over too few ticks."""
    reason = f"too short: {ticks} ticks after the warm-up, averages need {LEAST_AVERAGED}"
    return Skipped(law=law, op=observed.label, reason=reason)


def unsettled(observed: Observed, laws: str) -> Skipped:
    """Return that laws of the steady state are not checked, because there was none or it was too short."""
    first = observed.first_tick
    cause = f"{observed.moving} changes until tick {first + observed.since} of {first + observed.ticks}"
    return Skipped(law=laws, op=observed.label, reason=f"{cause}; laws at each tick are checked, averages are not")


def equipartition(observed: Observed, share: NDArray, what: str, allowance: float = 0.0) -> Iterator[Law | Skipped]:
    """Yield that the mean of ``share`` after the warm-up is 1, within four standard errors from its own tau (P47)."""
    # Units of one op are correlated, so the series of their mean carries the error, not the units one by one.
    series = share[observed.warmup :].reshape(len(share) - observed.warmup, share.shape[1], -1).mean(axis=-1)
    if len(series) < LEAST_AVERAGED:
        yield too_few(observed, "P47", len(series))
        return
    mean = physics.estimate(series)
    yield within("P47", observed, f"mean {what} is 1", mean, 1.0, allowance)


def converged(observed: Observed, values: NDArray, *, whole: bool = False) -> Iterator[Law | Skipped]:
    """Yield R-hat and effective sample size of the least mixed unit after the warm-up (P49)."""
    series = values if whole else values[observed.warmup :]
    if len(series) < LEAST_AVERAGED:
        yield too_few(observed, "P49", len(series))
        return
    flat = series.reshape(*series.shape[:2], -1)
    # Sixteen units, evenly spaced: autocorrelation times of all would take longer than the run.
    units = range(0, flat.shape[-1], max(1, flat.shape[-1] // 16))
    estimates = [physics.estimate(flat[..., unit]) for unit in units]
    worst = max(estimates, key=lambda estimate: estimate.r_hat - estimate.r_hat_limit)
    count = flat.shape[0] * flat.shape[1]
    yield _converged(observed, "R-hat: chains agree", worst.r_hat, worst.r_hat_limit, "below", count)
    least, shortest = min(estimate.ess for estimate in estimates), min(estimate.length for estimate in estimates)
    yield _converged(observed, "effective sample size", least, physics.LEAST_ESS, "above", count)
    yield _converged(observed, "length of a chain over its tau", shortest, physics.LEAST_LENGTH, "above", count)


def _converged(observed: Observed, statement: str, measured: float, limit: float, side: str, samples: int) -> Law:
    return Law(
        law="P49",
        op=observed.label,
        statement=statement,
        measured=measured,
        expected=float(limit),
        bound=0.0,
        side=side,
        samples=samples,
        details=_from(observed),
    )


def _from(observed: Observed) -> dict[str, float]:
    """Return the tick from which averages were taken."""
    return {"from_tick": float(observed.first_tick + observed.warmup)}


def exact(observed: Observed, law: str, statement: str, gap: float, samples: int) -> Law:
    """Return that a relative gap is zero to rounding."""
    return Law(
        law=law,
        op=observed.label,
        statement=statement,
        measured=float(gap),
        expected=0.0,
        bound=observed.tolerance,
        samples=samples,
    )


def within(
    law: str, observed: Observed, statement: str, mean: physics.Estimate, expected: float, allowance: float = 0.0
) -> Law:
    """Return that a mean is what is expected, within four standard errors."""
    details = {"error": mean.error, "tau": mean.tau, "ess": mean.ess, "allowance": allowance, **_from(observed)}
    return Law(
        law=law,
        op=observed.label,
        statement=statement,
        measured=mean.mean,
        expected=expected,
        bound=SIGMAS * mean.error + allowance * abs(expected),
        samples=mean.samples,
        details=details,
    )


def held(array: NDArray) -> bool:
    """Tell whether an array does not change over the ticks."""
    return bool((array == array[:1]).all())
