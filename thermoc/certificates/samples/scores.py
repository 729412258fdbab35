"""Scores of means over blocks: one mean, or the worst of many."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import special

from thermoc.certificates.law import Finding
from thermoc.certificates.samples.blocks import Blocks, means
from thermoc.certificates.significance import POWER

LEAST_EVENTS = 50
"""Changes of mind of a unit, as the law foresees them, from which on its mean is judged."""


def two_sided(score: float, dof: float) -> float:
    """Return how often Student's t is as far from zero; a score that is not a number is never right."""
    return 0.0 if math.isnan(score) else float(2 * special.stdtr(dof, -abs(score)))


def limit(level: float, dof: float) -> float:
    """Return what |t| stays below but for ``level``."""
    return -float(special.stdtrit(dof, level / 2))


def most_pairs(rows: int) -> int:
    """Return how many pairs of units are looked at in so many rows, so that all their products take half a gigabyte."""
    return int(np.clip(2**26 // max(rows, 1), 64, 2048))


def worst(
    blocks: Blocks, op: str, statement: str, off: NDArray, variance: NDArray | float, most: float, law: str = "P47"
) -> Finding:
    """Return that many means are zero, by the worst of them; Bonferroni over all.

    most: what one row may add. Sums of few events have heavier tails than normal ones: their variance is widened by
    a third of the deviation, as in Bernstein's inequality.
    """
    count, dof = off.shape[1], blocks.count - 1
    if not count:
        return nothing(blocks, op, statement, law)
    estimate = means(blocks, off, variance)
    n = len(off)
    wide = np.sqrt(estimate.error**2 + most * estimate.memory * np.abs(estimate.mean) / (3 * n))
    scores = np.where(wide > 0, estimate.mean / np.where(wide > 0, wide, 1.0), 0.0)
    worst = int(np.abs(scores).argmax())
    p = min(two_sided(float(scores[worst]), dof) * count, 1.0)
    typical = float(np.median(estimate.error))
    return Finding(
        law=law,
        op=op,
        statement=statement,
        statistic="worst score",
        measured=float(scores[worst]),
        bound=lambda level: limit(level / count, dof),
        samples=n,
        p=p,
        bias=lambda level: (limit(level / count, dof) + POWER) * typical,
        bias_of="a mean",
        decides=False,
        details={"of": float(count), "where": float(worst)},
    )


def nothing(blocks: Blocks, op: str, statement: str, law: str) -> Finding:
    """Return that a law cannot be told, because no unit changes its mind often enough."""
    return Finding(
        law=law, op=op, statement=statement, statistic="worst score", measured=0.0, bound=lambda _: np.inf,
        samples=len(blocks.values), needed=np.inf,
    )  # fmt: skip


def mean(blocks: Blocks, op: str, statement: str, feature: NDArray, expected: float, scale: float) -> Finding:
    """Return that the mean of a feature (rows,) is what is expected. scale: its size, in which a bias is stated."""
    estimate = means(blocks, feature[:, np.newaxis])
    measured, error, dof = float(estimate.mean[0]), float(estimate.error[0]), blocks.count - 1
    score = (measured - expected) / error if error > 0 else (0.0 if measured == expected else np.inf)
    return Finding(
        law="P48",
        op=op,
        statement=statement,
        statistic="Student's t",
        measured=measured,
        expected=expected,
        bound=lambda level: limit(level, dof) * error,
        samples=len(feature),
        p=two_sided(score, dof),
        bias=lambda level: (limit(level, dof) + POWER) * error / scale,
        bias_of="its size",
        decides=False,
        details={"error": error},
    )
