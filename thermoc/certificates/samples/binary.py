"""Laws of binary units whose partition function nobody knows: each unit given all others (P6, P12, P47, P48)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from thermoc import physics
from thermoc.certificates.law import Finding
from thermoc.certificates.samples.blocks import Blocks, means
from thermoc.certificates.samples.models import BinaryLaw
from thermoc.certificates.samples.scores import LEAST_EVENTS, limit, mean, most_pairs, two_sided, worst
from thermoc.certificates.significance import POWER
from thermoc.physics.pseudolikelihood import TemperatureFit, binary_temperatures, interval, probability_up

MOST_ENUMERATED, BINS = 16, 32
"""Units whose states are counted; classes of states of about equal probability."""


def laws(blocks: Blocks, law: BinaryLaw) -> Iterator[Finding]:
    """Yield what samples of exp(-E / T) must be, as far as it follows without Z."""
    s = blocks.values
    drive = law.drive(s)
    up, p = s > 0, probability_up(drive)
    yield temperature(blocks, law, up, drive)
    variance = (p * (1 - p)).mean(axis=0)
    informative = variance * blocks.values.shape[0] / (2 * blocks.tau) >= LEAST_EVENTS
    off = up - p
    yield worst(
        blocks, law.op, "each unit is up as often as its drive says", off[:, informative], variance[informative], 1.0
    )
    yield from _pairs(blocks, law, off, p, informative)
    if _even(law):
        yield _symmetric(blocks, law, s)
    if law.units <= MOST_ENUMERATED and np.ptp(law.T) == 0:
        yield from _enumerated(blocks, law, s)


def temperature(blocks: Blocks, law: BinaryLaw, up: NDArray, drive: NDArray) -> Finding:
    """Return that the temperature of greatest pseudolikelihood, of all units together, is the model's (P6)."""
    fit, error = pooled(blocks, up, drive)
    dof = blocks.count - 1
    score = (fit - 1) / error if error > 0 else np.nan
    nothing = not np.isfinite(error) or error <= 0
    return Finding(
        law="P47",
        op=law.op,
        statement="temperature over the model's, by how units follow their drives",
        statistic="pseudolikelihood",
        measured=1 / fit if fit > 0 else np.inf,
        expected=1.0,
        bound=lambda level: limit(level, dof) * error / abs(fit),
        samples=len(up),
        p=None if nothing else two_sided(score, dof),
        bias=lambda level: (limit(level, dof) + POWER) * error,
        bias_of="temperature",
        ticks=1,
        needed=np.inf if nothing else None,
        details={"error": error / fit**2 if fit else np.inf, "tau": blocks.tau},
    )  # fmt: skip


def pooled(blocks: Blocks, up: NDArray, drive: NDArray) -> tuple[float, float]:
    """Return the factor on all drives of greatest pseudolikelihood, and its error, a sandwich of the blocks' scores."""
    factor, information = 1.0, 0.0
    for _ in range(60):
        p = probability_up(factor * drive)
        information = float((drive * drive * p * (1 - p)).sum(axis=1).mean())
        if information <= 0:
            return 1.0, np.inf
        step = float((drive * (up - p)).sum(axis=1).mean()) / information
        factor += float(np.clip(step, -0.5, 0.5))
        if abs(step) < 1e-12:
            break
    scores = (drive * (up - probability_up(factor * drive))).sum(axis=1)[:, np.newaxis]
    return factor, float(means(blocks, scores).error[0]) / information


def unit_temperatures(blocks: Blocks, law: BinaryLaw, *, sigmas: float = 2.5758) -> TemperatureFit:
    """Return the temperature of each unit with its interval, autocorrelation counted."""
    drive = law.drive(blocks.values) * law.T
    up = blocks.values > 0
    plain = binary_temperatures(up, drive)
    beta = np.where(np.isfinite(plain.beta), plain.beta, 1 / law.T)
    scores = drive * (up - probability_up(beta * drive))
    memory = means(blocks, scores).memory
    return interval(plain.beta, plain.beta_error * np.sqrt(memory), sigmas)


def _pairs(blocks: Blocks, law: BinaryLaw, off: NDArray, p: NDArray, told: NDArray) -> Iterator[Finding]:
    """Yield that what a unit does beyond its drive tells nothing of its neighbours: the couplings are the model's."""
    rows, columns = law.J.nonzero()
    chosen = told[rows]
    rows, columns = rows[chosen], columns[chosen]
    if not len(rows):
        return
    places = np.unique(np.linspace(0, len(rows) - 1, min(len(rows), most_pairs(len(off)))).round().astype(int))
    rows, columns = rows[places], columns[places]
    s = np.where(blocks.values > 0, 1.0, -1.0)
    variance = (p * (1 - p)).mean(axis=0)[rows]
    statement = "each unit follows each neighbour as coupled"
    yield worst(blocks, law.op, statement, off[:, rows] * s[:, columns], variance, 1.0)


def _even(law: BinaryLaw) -> bool:
    return law.levels == "spin" and not law.h.any()


def _symmetric(blocks: Blocks, law: BinaryLaw, s: NDArray) -> Finding:
    """Return that without fields no side is preferred (P12): the mean of all spins."""
    statement = "no side is preferred, as no field acts"
    return worst(blocks, law.op, statement, s.mean(axis=1, keepdims=True), np.zeros(1), 2.0, "P12")


def _enumerated(blocks: Blocks, law: BinaryLaw, s: NDArray) -> Iterator[Finding]:
    """Yield mean energy and heat capacity, and how often classes of states come, against all states (P48)."""
    T, n = float(law.T[0]), law.units
    exact = physics.enumerate_ising(law.J.toarray(), T, law.h, law.levels)
    E = physics.ising_energy(s, law.J, law.h)
    for statement, feature, expected, scale in (
        ("mean energy is that of all states weighed by e^(-E/T)", E, exact.U, max(T * np.sqrt(exact.C), 1e-300)),
        ("heat capacity Var(E) / T^2 is dU/dT", (E - exact.U) ** 2 / T**2, exact.C, max(exact.C, 1e-300)),
    ):
        yield mean(blocks, law.op, statement, feature, expected, scale)
    p = exact.probabilities
    order = np.argsort(-p, kind="stable")
    classes = np.empty(len(p), int)
    classes[order] = np.minimum((np.cumsum(p[order]) - p[order] / 2) * BINS, BINS - 1).astype(int)
    expected = np.bincount(classes, p, minlength=BINS)
    state = ((s > 0) @ (1 << np.arange(n - 1, -1, -1))).astype(int)
    membership = classes[state][:, np.newaxis] == np.arange(BINS)
    used = expected * len(s) / (2 * blocks.tau) >= LEAST_EVENTS
    variance = (expected * (1 - expected))[used]
    statement = "states come as often as e^(-E/T) / Z, in classes"
    yield worst(blocks, law.op, statement, membership[:, used] - expected[used], variance, 1.0, "P48")
