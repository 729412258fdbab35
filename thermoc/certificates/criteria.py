"""How a law is judged: by error bars from its own autocorrelation time, or to rounding."""

from __future__ import annotations

from collections.abc import Iterator

from numpy.typing import NDArray

from thermoc import physics
from thermoc.certificates.law import SIGMAS, Law, Skipped
from thermoc.certificates.observed import Seen

LEAST_AVERAGED = 8
"""Ticks after the warm-up from which on averages are judged: fewer have no error bar to judge them by."""


def too_few(seen: Seen, law: str, ticks: int) -> Skipped:
    """Return that a law is not checked, because its average would be over too few ticks."""
    reason = f"too short: {ticks} ticks after the warm-up, averages need {LEAST_AVERAGED}"
    return Skipped(law=law, op=seen.label, reason=reason)


def unsettled(seen: Seen, laws: str) -> Skipped:
    """Return that laws of the steady state are not checked, because there was none or it was too short."""
    cause = f"{seen.moving} changes until tick {seen.first_tick + seen.since} of {seen.first_tick + seen.ticks}"
    return Skipped(law=laws, op=seen.label, reason=f"{cause}; laws at each tick are checked, averages are not")


def equipartition(seen: Seen, share: NDArray, what: str, allowance: float = 0.0) -> Iterator[Law | Skipped]:
    """Yield that the mean of ``share`` after the warm-up is 1, within four standard errors from its own tau (P47)."""
    series = share[seen.warmup :].reshape(len(share) - seen.warmup, share.shape[1], -1).mean(axis=-1)
    if len(series) < LEAST_AVERAGED:
        yield too_few(seen, "P47", len(series))
        return
    mean = physics.estimate(series)
    yield within("P47", seen, f"mean {what} is 1", mean, 1.0, allowance)


def converged(seen: Seen, values: NDArray, *, whole: bool = False) -> Iterator[Law | Skipped]:
    """Yield R-hat and effective sample size of the least mixed unit after the warm-up (P49)."""
    series = values if whole else values[seen.warmup :]
    if len(series) < LEAST_AVERAGED:
        yield too_few(seen, "P49", len(series))
        return
    flat = series.reshape(*series.shape[:2], -1)
    units = range(0, flat.shape[-1], max(1, flat.shape[-1] // 16))
    found = [physics.estimate(flat[..., unit]) for unit in units]
    worst = max(found, key=lambda one: one.r_hat - one.r_hat_limit)
    count = flat.shape[0] * flat.shape[1]
    yield _converged(seen, "R-hat: chains agree", worst.r_hat, worst.r_hat_limit, "below", count)
    least, shortest = min(one.ess for one in found), min(one.length for one in found)
    yield _converged(seen, "effective sample size", least, physics.LEAST_ESS, "above", count)
    yield _converged(seen, "length of a chain over its tau", shortest, physics.LEAST_LENGTH, "above", count)


def _converged(seen: Seen, statement: str, measured: float, limit: float, side: str, samples: int) -> Law:
    return Law(
        law="P49",
        op=seen.label,
        statement=statement,
        measured=measured,
        expected=float(limit),
        bound=0.0,
        side=side,
        samples=samples,
        details=_from(seen),
    )


def _from(seen: Seen) -> dict[str, float]:
    """Return the tick from which averages were taken."""
    return {"from_tick": float(seen.first_tick + seen.warmup)}


def exact(seen: Seen, law: str, statement: str, gap: float, samples: int) -> Law:
    """Return that a relative gap is nought to rounding."""
    return Law(
        law=law,
        op=seen.label,
        statement=statement,
        measured=float(gap),
        expected=0.0,
        bound=seen.tolerance,
        samples=samples,
    )


def within(
    law: str, seen: Seen, statement: str, mean: physics.Estimate, expected: float, allowance: float = 0.0
) -> Law:
    """Return that a mean is what is expected, within four standard errors."""
    details = {"error": mean.error, "tau": mean.tau, "ess": mean.ess, "allowance": allowance, **_from(seen)}
    return Law(
        law=law,
        op=seen.label,
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
