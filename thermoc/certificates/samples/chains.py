"""Whether samples are long enough to tell, whether their chains agree, and whether they had settled (P49)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from thermoc import physics
from thermoc.certificates.law import LENGTH, Finding
from thermoc.certificates.samples.blocks import LEAST_BLOCKS, slowest
from thermoc.certificates.samples.formats import MachineSamples
from thermoc.certificates.samples.models import BinaryLaw, RealLaw
from thermoc.certificates.samples.scores import limit, two_sided

MOST_UNITS = 8
"""Units that are summaries beside the energy and the mean, evenly spaced."""
LEAST_CHAINS = 8
"""Chains from which on the start of all is held against their end."""


def summaries_of(samples: MachineSamples, law: BinaryLaw | RealLaw) -> NDArray:
    """Return (steps, chains, k): the energy where it is known, the mean of all units, and some units."""
    values = samples.values
    units = np.unique(np.linspace(0, values.shape[2] - 1, MOST_UNITS).round().astype(int))
    parts = [values.mean(axis=2, keepdims=True), values[..., units]]
    if isinstance(law, BinaryLaw):
        parts.insert(0, law.energy(samples.flat).reshape(*values.shape[:2], 1))
    else:
        spread = ((values - values.mean(axis=(0, 1))) ** 2).mean(axis=2, keepdims=True)
        parts.insert(0, spread)
    return np.concatenate(parts, axis=2)


def laws(samples: MachineSamples, summaries: NDArray, op: str) -> Iterator[Finding]:
    """Yield whether samples are many enough, and whether they agree with each other."""
    steps, chains, _ = summaries.shape
    if samples.independent:
        yield _length(op, "independent samples", float(steps), physics.LEAST_ESS, steps)
        if samples.ordered:
            yield _serial(summaries[:, 0, 0], op)
        return
    if steps < 2 * physics.LEAST_LENGTH and chains < LEAST_BLOCKS:
        yield _length(op, "steps of a chain", float(steps), 2 * physics.LEAST_LENGTH, steps * chains)
        return
    yield from _convergence(summaries, op)
    if chains >= LEAST_CHAINS:
        yield _settled(summaries, op)
    if chains > 1:
        yield from _agree(summaries, op)


def _length(op: str, statement: str, measured: float, least: float, samples: int) -> Finding:
    return Finding(
        law="P49",
        op=op,
        statement=statement,
        statistic=LENGTH,
        measured=measured,
        expected=float(least),
        bound=lambda _: 0.0,
        side="above",
        samples=samples,
        needed=None if measured >= least else least / max(measured, 1e-300),
    )


def _convergence(summaries: NDArray, op: str) -> Iterator[Finding]:
    """Yield effective sample sizes by ranks, of the middle and the tails (Vehtari et al. 2021), and length over tau."""
    steps, chains, k = summaries.shape
    if steps < 2 * physics.LEAST_LENGTH:
        # each chain is one sample, and there are enough of them
        yield _length(op, "chains, each one sample", float(chains), LEAST_BLOCKS, steps * chains)
        return
    moving = [summaries[..., i] for i in range(k) if np.ptp(summaries[..., i]) > 0]
    convergence = [physics.convergence(series) for series in moving]
    for statement, values in (
        ("effective sample size by ranks, in the middle", [summary.bulk_ess for summary in convergence]),
        ("effective sample size by ranks, in the tails", [summary.tail_ess for summary in convergence]),
    ):
        yield _length(op, statement, min(values, default=0.0), physics.LEAST_ESS, steps * chains)
    if chains < LEAST_BLOCKS:
        length = steps / max(slowest(summaries), 0.5)
        yield _length(op, "length of a chain over its memory", length, physics.LEAST_LENGTH, steps * chains)


def _serial(energies: NDArray, op: str) -> Finding:
    """Return that draws do not depend on the ones before: what was taken for granted, where their order is known."""
    x = energies - energies.mean()
    size = float((x * x).sum())
    score = float((x[1:] * x[:-1]).sum()) / size * np.sqrt(len(x)) if size > 0 else 0.0
    return Finding(
        law="P49",
        op=op,
        statement="draws do not depend on the ones before",
        statistic="correlation of neighbours",
        measured=score,
        bound=lambda level: limit(level, len(x)),
        samples=len(x),
        p=two_sided(score, len(x)),
    )


def _settled(summaries: NDArray, op: str) -> Finding:
    """Return that the first tenth of all chains is like their second half: they had settled when they were recorded."""
    steps, chains, k = summaries.shape
    early, late = summaries[: max(1, steps // 10)].mean(axis=0), summaries[steps // 2 :].mean(axis=0)
    off = early - late
    error = off.std(axis=0, ddof=1) / np.sqrt(chains)
    scores = np.where(error > 0, off.mean(axis=0) / np.where(error > 0, error, 1.0), 0.0)
    worst = float(scores[np.abs(scores).argmax()])
    return Finding(
        law="P49",
        op=op,
        statement="the start of the chains is like their end",
        statistic="worst score",
        measured=worst,
        bound=lambda level: limit(level / k, chains - 1),
        samples=steps * chains,
        p=min(two_sided(worst, chains - 1) * k, 1.0),
        details={"of": float(k)},
    )


def _agree(summaries: NDArray, op: str) -> Iterator[Finding]:
    """Yield that chains have one mean: R-hat of blocks, judged by what they scatter; by ranks beside it."""
    steps, chains, k = summaries.shape
    comparisons = []
    for i in range(k):
        series = summaries[..., i]
        # about each chain's own mean: chains that disagree must not excuse themselves
        tau = max(physics.integrated_time((series - series.mean(axis=0)).reshape(steps, chains)), 0.5)
        length = int(np.ceil(5 * tau)) if np.isfinite(tau) else steps
        each = steps // length
        if each < 4 or np.ptp(series) == 0:
            continue
        of_blocks = series[steps - each * length :].reshape(each, length, chains).mean(axis=1)
        within = float(of_blocks.var(axis=0, ddof=1).mean()) / (1 - 0.2)
        between = float(of_blocks.mean(axis=0).var(ddof=1)) * each
        ratio = between / within if within > 0 else np.inf
        comparisons.append((float(stats.f.sf(ratio, chains - 1, chains * (each - 1))), each, ratio, i))
    if not comparisons:
        return
    p, each, ratio, i = min(comparisons)
    tries = len(comparisons)
    dof = (chains - 1, chains * (each - 1))
    yield Finding(
        law="P49",
        op=op,
        statement="R-hat: chains agree",
        statistic="F of chains",
        measured=float(np.sqrt(1 + ratio / each)),
        expected=1.0,
        side="below",
        bound=lambda level: float(np.sqrt(1 + stats.f.isf(level / tries, *dof) / each)) - 1,
        samples=steps * chains,
        p=min(p * tries, 1.0),
        details={"of": float(tries), "by_ranks": physics.rank_r_hat(summaries[..., i])},
    )
