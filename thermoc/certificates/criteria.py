"""Averages of a steady state: by error bars from their own autocorrelation time (P47, P49)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from thermoc import physics
from thermoc.certificates import significance
from thermoc.certificates.chains import MOST_AVERAGED, Chains, chains_of, spacing
from thermoc.certificates.law import AGREEMENT, Finding, Skipped
from thermoc.certificates.observed import Observed
from thermoc.physics.statistics import BINS

LEAST_AVERAGED = 8
"""Ticks after the warm-up from which on averages are judged: fewer have no error bar to judge them by."""
MOST_CHAINS = 16
"""Units of an op whose chains are looked at, evenly spaced: autocorrelation times of all would outlast the run."""
LEAST_SAMPLES = 64
"""Samples of which all chains are looked at."""


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
    observed: Observed, share: NDArray, what: str, allowance: float = 0.0, law: str = "P47", every: int = 1
) -> Iterator[Finding]:
    """Yield that the mean of ``share`` (ticks, samples, ...), every so many ticks after the warm-up, is 1 (P47)."""
    # Units of one op are correlated, so the series of their mean carries the error, not the units one by one.
    series = share.reshape(*share.shape[:2], -1).mean(axis=-1)
    if len(series) < LEAST_AVERAGED:
        yield too_few(observed, law, len(series))
        return
    yield significance.mean(observed, law, f"mean {what} is 1", series, 1.0, allowance=allowance, every=every)


def converged(observed: Observed, values: NDArray, *, whole: bool = False, every: int = 1) -> Iterator[Finding]:
    """Yield whether the chains are long enough to tell, and whether they agree (P49), over some of the units.

    whole: the warm-up was left out already, and of the other ticks all but every so many.
    """
    series = values if whole else values[observed.warmup :]
    ticks = len(series) * every
    if len(series) < LEAST_AVERAGED:
        yield too_few(observed, "P49", ticks)
        return
    found = _chains(series.reshape(*series.shape[:2], -1))
    ess, length = min(chains.ess for chains in found), min(chains.length for chains in found)
    yield significance.long_enough(observed, "effective sample size", ess, physics.LEAST_ESS, ticks)
    yield significance.long_enough(observed, "length of a chain over its tau", length, physics.LEAST_LENGTH, ticks)
    yield _agreement(observed, found, ticks)


def _chains(flat: NDArray) -> list[Chains]:
    """Return what chains (ticks, samples, units) show, of some units and ticks, evenly spaced."""
    ticks, samples, units = flat.shape
    chosen = np.arange(0, units, max(1, units // MOST_CHAINS))
    most = max(LEAST_SAMPLES, MOST_AVERAGED // (BINS * len(chosen)))
    step = spacing(ticks, min(samples, most) * len(chosen), samples)
    series = np.ascontiguousarray(np.moveaxis(flat[::step, :most, chosen], -1, 0))
    return [chains_of(one) for one in series]


def _agreement(observed: Observed, found: list[Chains], ticks: int) -> Finding:
    """Return that the halves of the chains have one mean, over all units."""
    worst = min((chains.agreement for chains in found), key=lambda one: one.p)
    tries, shortest = len(found), min(chains.length for chains in found)
    short = shortest < physics.LEAST_LENGTH
    return Finding(
        law="P49",
        op=observed.label,
        statement="R-hat: chains agree",
        statistic=AGREEMENT,
        measured=worst.r_hat,
        expected=0.0,
        bound=lambda level: worst.limit(level / tries),
        side="below",
        samples=ticks * (int(worst.degrees[0]) + 1) // 2,
        p=min(worst.p * tries, 1.0),
        ticks=ticks,
        needed=(ticks * physics.LEAST_LENGTH / shortest if shortest > 0 else np.inf) if short else None,
        details={"from_tick": float(observed.first_tick + observed.warmup), "units": float(tries)},
    )


def held(array: NDArray) -> bool:
    """Tell whether an array does not change over the ticks."""
    return bool((array == array[:1]).all())
