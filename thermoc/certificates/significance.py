"""Tests of one law: how far a number may be from what it should be by chance, and what a run would have shown.

Each gives a ``Finding``. Tails are exact, or corrected for what is known of their skewness: at the levels of a whole
certificate, some 1e-6, a normal tail is too thin for most statistics.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from thermoc.certificates.chains import average
from thermoc.certificates.law import LENGTH, Finding
from thermoc.certificates.observed import Observed

POWER = -float(special.ndtri(0.01))
"""Standard errors beyond a bound from where a bias is shown with 99 %."""
MOST_SKEWED = 0.5
"""A mean whose own law is skewed more than this rests on too few events to be judged."""


def exact(
    observed: Observed,
    law: str,
    statement: str,
    gap: float,
    samples: int,
    *,
    side: str = "both",
    bias: float | None = None,
    bias_of: str = "",
    tolerance: float | None = None,
    **details: float,
) -> Finding:
    """Return that a relative gap is zero to rounding. bias: the smallest relative bias that is beyond rounding.

    tolerance: what it may be instead; where that is more than rounding, for a target of integers, it is the bias that
    shows. Where the target states no bound only rounding is told from what is wrong: else it cannot tell.
    """
    slack, rounding = observed.tolerance if tolerance is None else tolerance, observed.tolerance
    if not np.isfinite(slack) and (gap >= -rounding if side == "above" else abs(gap) <= rounding):
        slack, bias = rounding, None
    if bias is None and slack > observed.tolerance:
        bias, bias_of = slack, "the whole"
    return Finding(
        law=law,
        op=observed.label,
        statement=statement,
        statistic="exact",
        measured=float(gap),
        bound=lambda _: slack,
        side=side,
        samples=samples,
        bias=None if bias is None else lambda _: bias,
        bias_of=bias_of,
        ticks=observed.ticks,
        needed=None if np.isfinite(slack) else np.inf,
        details=details,
    )


def long_enough(observed: Observed, statement: str, measured: float, least: float, ticks: int) -> Finding:
    """Return that a run is long enough for P49; how long it would have to be grows with what is missing."""
    fraction = least / measured if measured > 0 else np.inf
    return Finding(
        law="P49",
        op=observed.label,
        statement=statement,
        statistic=LENGTH,
        measured=measured,
        expected=float(least),
        bound=lambda _: 0.0,
        side="above",
        samples=ticks,
        ticks=ticks,
        needed=None if measured >= least else ticks * fraction,
    )


def normal(
    observed: Observed,
    law: str,
    statement: str,
    measured: float,
    error: float,
    samples: int,
    *,
    expected: float = 0.0,
    dof: float = np.inf,
    skew: float = 0.0,
    allowance: float = 0.0,
    slope: float = 1.0,
    tries: int = 1,
    bias_of: str = "",
    **details: float,
) -> Finding:
    """Return that a number is what is expected, by its standard error: Student's t after Hall's transform (1992).

    skew: the skewness of the measured number's own law, where its error was measured too. allowance: what it may differ
    by besides chance. slope: how much it changes for a bias of 1 of ``bias_of``. tries: it is the worst of so many.
    """

    def transformed(score: float) -> float:
        # A mean and its error are both skewed, and lean on each other.
        a = skew / 3
        return score + a * score**2 + a**2 * score**3 / 3 + skew / 6

    def bound(level: float) -> float:
        side = 1.0 if measured >= expected else -1.0
        limit = _score(level / 2 / tries, dof)
        if skew == 0:
            return limit * error + allowance
        return _root(lambda score: side * transformed(side * score) - limit, limit) * error + allowance

    gap = measured - expected
    off = np.sign(gap) * max(abs(gap) - allowance, 0.0)
    score = off / error if error > 0 else (0.0 if off == 0 else np.copysign(np.inf, off))
    p = 2 * tries * _tail(abs(transformed(score)), dof) if np.isfinite(score) else 0.0
    skewed = abs(skew) > MOST_SKEWED
    needed = observed.ticks * (skew / MOST_SKEWED) ** 2 if skewed else None
    # What never moved has no error bar to be judged by.
    needed = np.inf if error == 0 and off != 0 else needed
    return Finding(
        law=law,
        op=observed.label,
        statement=statement,
        statistic="Student's t" if np.isfinite(dof) else "normal score",
        measured=float(measured),
        expected=float(expected),
        bound=bound,
        samples=samples,
        p=min(p, 1.0) if np.isfinite(measured) else 0.0,
        bias=lambda level: (bound(level) + POWER * error) / slope if slope > 0 else np.inf,
        bias_of=bias_of,
        ticks=observed.ticks,
        needed=needed,
        details={"error": float(error), **details},
    )


def _tail(score: float, dof: float) -> float:
    """Return the chance of a score beyond this, by Student's t or the normal law."""
    return float(special.stdtr(dof, -score) if np.isfinite(dof) else special.ndtr(-score))


def _score(p: float, dof: float) -> float:
    """Return the score beyond which one lies with a chance of p."""
    return -float(special.stdtrit(dof, p) if np.isfinite(dof) else special.ndtri(p))


def _root(function: Callable[[float], float], start: float) -> float:
    """Return where a rising function is zero, at or above 0."""
    low, high = 0.0, start
    while function(high) < 0 and high < 1e6:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if function(middle) < 0 else (low, middle)
    return high


def mean(
    observed: Observed,
    law: str,
    statement: str,
    series: NDArray,
    expected: float,
    *,
    allowance: float = 0.0,
    slope: float = 1.0,
    bias_of: str = "temperature",
    every: int = 1,
) -> Finding:
    """Return that the mean of a correlated series (ticks, samples) is what is expected; its error from its own tau.

    every: its ticks are as many of the run apart.

    Degrees of freedom: a variance of ESS numbers and a tau by Geyer's sum together are known to some 12 / ESS
    (Wolff 2004), as is a variance from ESS / 6 numbers.
    """
    estimate = average(series)
    return normal(
        observed,
        law,
        statement,
        estimate.mean,
        estimate.error,
        series.size,
        expected=expected,
        dof=max(estimate.known / 6, 1.0),
        skew=estimate.skew / np.sqrt(max(estimate.ess, 1.0)),
        allowance=allowance,
        slope=slope,
        bias_of=bias_of,
        tau=estimate.tau * every,
        ess=estimate.ess,
        allowance_=allowance,
        from_tick=float(observed.first_tick + observed.warmup),
    )


def variance(observed: Observed, law: str, statement: str, square: float, n: int, bias_of: str) -> Finding:
    """Return that the mean square of n independent normals is 1, by chi-square's law. square: their sum of squares."""
    side = special.gammaincc if square > n else special.gammainc

    def bound(level: float) -> float:
        limit = (special.gammainccinv if square > n else special.gammaincinv)(n / 2, level / 2)
        return abs(2 * float(limit) / n - 1)

    return Finding(
        law=law,
        op=observed.label,
        statement=statement,
        statistic="chi-square",
        measured=square / n,
        expected=1.0,
        bound=bound,
        samples=n,
        p=min(2 * float(side(n / 2, square / 2)), 1.0) if np.isfinite(square) else 0.0,
        bias=lambda level: bound(level) + POWER * np.sqrt(2 / n),
        bias_of=bias_of,
        ticks=observed.ticks,
    )


@dataclass(frozen=True, kw_only=True)
class Sum:
    """A sum of independent numbers of mean 0: off, its value; its variance; the largest that one of them may be.

    information: what the sum would change by for a bias of 1.
    """

    off: float
    variance: float
    largest: float
    information: float


def counted(
    observed: Observed,
    law: str,
    statement: str,
    sum_: Sum,
    samples: int,
    *,
    expected: float = 0.0,
    bias_of: str,
    tries: int = 1,
) -> Finding:
    """Return that a sum of bounded numbers is near 0, by Bennett's inequality (1962); the worst of ``tries``.

    The inequality holds for few events too; where there are many, it is sharpened to a normal's tail.
    """
    off, variance_, largest, information = sum_.off, sum_.variance, sum_.largest, sum_.information
    rare = variance_ < 25 * largest**2

    def tail(size: float) -> float:
        u = size * largest / variance_
        bennett = np.exp(-variance_ / largest**2 * ((1 + u) * np.log1p(u) - u))
        # An exponential bound is too wide by z sqrt(2 pi), the ratio of a normal's tail to it.
        return float(bennett if rare else bennett / max(size / np.sqrt(variance_) * np.sqrt(2 * np.pi), 1.0))

    def limit(level: float) -> float:
        goal = np.log(level / 2 / tries)
        return _root(lambda size: goal - np.log(max(tail(size), 1e-300)), 5 * np.sqrt(variance_))

    return Finding(
        law=law,
        op=observed.label,
        statement=statement,
        statistic="counts",
        measured=expected + off / information,
        expected=expected,
        bound=lambda level: limit(level) / information,
        samples=samples,
        p=min(2 * tries * tail(abs(off)), 1.0) if np.isfinite(off) else 0.0,
        bias=lambda level: (limit(level) + POWER * np.sqrt(variance_)) / information,
        bias_of=bias_of,
        ticks=observed.ticks,
        details={"error": float(np.sqrt(variance_) / information)},
    )


def anderson_darling(observed: Observed, law: str, statement: str, z: NDArray) -> Finding:
    """Return that independent numbers are standard normal, by A^2 of Anderson and Darling (1954).

    Its tail is that of its largest weighted square: P(A^2 > a) is sqrt(3) erfc(sqrt(a)), within 10 % up to 0.05.
    """
    n = z.size
    ordered = np.sort(z, axis=None)
    weights = (2 * np.arange(n) + 1) / n
    a2 = float(-n - (weights * (special.log_ndtr(ordered) + special.log_ndtr(-ordered[::-1]))).sum())

    def limit(level: float) -> float:
        return float(special.erfcinv(level / np.sqrt(3)) ** 2)

    return Finding(
        law=law,
        op=observed.label,
        statement=statement,
        statistic="Anderson-Darling",
        measured=a2 if np.isfinite(a2) else np.inf,
        expected=0.0,
        bound=limit,
        side="below",
        samples=n,
        p=min(float(np.sqrt(3) * special.erfc(np.sqrt(max(a2, 0.0)))), 1.0) if np.isfinite(a2) else 0.0,
        # Of a law that is off by d (weighted root mean square of the distribution function), A^2 is near n d^2.
        bias=lambda level: (np.sqrt(limit(level)) + POWER / np.sqrt(2)) / np.sqrt(n),
        bias_of="distribution",
        ticks=observed.ticks,
    )


def correlations(
    observed: Observed, law: str, statement: str, families: list[tuple[NDArray, int]], samples: int
) -> Finding:
    """Return that no pair is correlated, with one bound over all pairs.

    families: correlation coefficients about 0 of pairs of standard normals, each with the rows that it is over; they
    follow Student's t. Bonferroni over all pairs of all families.
    """
    pairs = max(sum(r.size for r, _ in families), 1)
    worst, least, rows, fewest = 0.0, 2.0, 1, min((n for _, n in families), default=1)
    for r, n in families:
        top = float(np.abs(r).max(initial=0.0))
        top = 1.0 if np.isnan(top) else top
        p = _correlated(top, n)
        if p < least:
            worst, least, rows = top, p, n

    def limit(level: float, rows: int = rows) -> float:
        t = _score(level / 2 / pairs, max(rows - 1, 1))
        return t / np.sqrt(t**2 + max(rows - 1, 1))

    return Finding(
        law=law,
        op=observed.label,
        statement=statement,
        statistic="largest of all pairs",
        measured=worst,
        expected=0.0,
        bound=limit,
        samples=samples,
        p=min(least * pairs, 1.0),
        # Draws that share all of their variance have correlation 1; where two share a part of it, its root.
        bias=lambda level: min(limit(level, fewest) + POWER / np.sqrt(fewest), 1.0) ** 2,
        bias_of="shared variance",
        falls=1.0,
        ticks=observed.ticks,
        details={"pairs": float(pairs), "rows": float(rows)},
    )


def _correlated(r: float, rows: int) -> float:
    """Return the chance of a correlation beyond r, about 0, of two independent normals."""
    dof = max(rows - 1, 1)
    return 2 * _tail(r * np.sqrt(dof / max(1 - r**2, 1e-300)), dof)
