"""How many random patterns a Hopfield network recalls, measured, beside the mean-field theory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from thermoc.apps.memory.recall import recall
from thermoc.ir.feed import checked_numbers
from thermoc.learning.hopfield import hebb
from thermoc.physics.checks import positive
from thermoc.physics.hopfield import hopfield_capacity, hopfield_overlap
from thermoc.support.array_types import FloatArray
from thermoc.support.errors import error

WARM = 0.1
"""A temperature at which the capacity is that at T = 0 but for 2 %, and spins leave what only traps them at T = 0."""


@dataclass(frozen=True, kw_only=True)
class CapacityCurve:
    """Recall of random patterns against load p / n.

    recalled: share of the patterns whose overlap is at least ``least``, that of the theory's retrieval state at its
    capacity, (loads,); errors: its standard error, as if patterns were independent. overlaps: their mean, (loads,).
    capacity: the load at which recalled falls to one half. theory: the mean-field capacity at this temperature.
    """

    units: int
    T: float
    loads: FloatArray
    recalled: FloatArray
    errors: FloatArray
    overlaps: FloatArray
    least: float
    capacity: float
    theory: float


def recall_overlaps(
    units: int, load: float, *, T: float = 0.0, sweeps: int = 40, most: int = 64, seed: int = 0
) -> FloatArray:
    """Return the overlaps x.s / n with their patterns of spins that started there, (min(p, most),), p = load * units.

    The patterns are random and stored by Hebb's rule; each is started from by a sample of its own. Colder than ``WARM``
    it is cooled from there: spins that only follow their fields stop in states which keep some overlap at any load.
    Errors: T404, T405.
    """
    seed = checked_numbers(seed=seed)["seed"]
    p = max(round(float(positive("load", load)) * units), 1)
    x = np.random.default_rng([seed, units, p]).choice([-1.0, 1.0], (p, units))
    cues = x[:most]
    warm = WARM if T < WARM else None
    spins = recall(hebb(x), cues, T=T, cooled_from=warm, sweeps=sweeps, seed=seed)
    return (spins * cues).mean(axis=1)


def measured_capacity(
    units: int,
    loads: ArrayLike | Sequence[float],
    *,
    T: float = 0.0,
    networks: int = 1,
    sweeps: int = 40,
    most: int = 64,
    seed: int = 0,
) -> CapacityCurve:
    """Measure the load at which recall breaks: where half of the patterns are recalled (linear between two loads).

    A pattern is recalled where the spins that began at it keep, after ``sweeps`` sweeps, the least overlap that the
    theory's retrieval state has, 0.967 at T = 0: in the theory the overlap jumps from there to 0, in a network of 1,000
    units some patterns are lost before and some later. loads: (k,) increasing, on both sides of it. networks:
    independent ones at each load, of ``most`` patterns each. Errors: T404, T405 where recall does not break within the
    loads.
    """
    x = np.atleast_1d(positive("loads", loads))
    theory = hopfield_capacity(T)
    breaking = hopfield_overlap(theory * (1 - 1e-9), T)
    seeds = range(seed, seed + max(networks, 1))
    overlaps = [
        np.concatenate([recall_overlaps(units, float(load), T=T, sweeps=sweeps, most=most, seed=s) for s in seeds])
        for load in x
    ]
    shares, counts = np.array([(m >= breaking).mean() for m in overlaps]), np.array([len(m) for m in overlaps])
    return CapacityCurve(
        units=units,
        T=T,
        loads=x,
        recalled=shares,
        errors=np.sqrt(shares * (1 - shares) / counts),
        overlaps=np.array([m.mean() for m in overlaps]),
        least=breaking,
        capacity=_half(x, shares),
        theory=theory,
    )


def _half(loads: FloatArray, shares: FloatArray) -> float:
    """Return the load at which the share falls below one half for the first time."""
    below = np.flatnonzero(shares < 0.5)
    if loads.ndim != 1 or (np.diff(loads) <= 0).any() or not len(below) or below[0] == 0:
        notes = [f"load {load:g}: {fraction:.2f} recalled" for load, fraction in zip(np.ravel(loads), shares)]
        raise error(
            "T405", "recall does not break within the loads", notes=notes, hint="take loads on both sides of it"
        )
    k = int(below[0])
    step = (shares[k - 1] - 0.5) / (shares[k - 1] - shares[k])
    return float(loads[k - 1] + step * (loads[k] - loads[k - 1]))
