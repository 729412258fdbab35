"""How many random patterns a Hopfield network recalls, measured, beside the mean-field theory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from thermoc.apps.memory.recall import recall
from thermoc.physics.checks import positive
from thermoc.physics.hopfield import hopfield_capacity, hopfield_overlap
from thermoc.physics.ising import hopfield_couplings
from thermoc.support.array_types import FloatArray
from thermoc.support.errors import error


@dataclass(frozen=True, kw_only=True)
class CapacityCurve:
    """Recall of random patterns against load p / n.

    recalled: share of the patterns that are recalled at each load, (loads,); errors: its binomial standard error.
    overlaps: mean overlap at each load. capacity: the load at which recalled falls to one half. theory: the
    mean-field capacity at this temperature.
    """

    units: int
    T: float
    loads: FloatArray
    recalled: FloatArray
    errors: FloatArray
    overlaps: FloatArray
    capacity: float
    theory: float


def recall_overlaps(
    units: int, load: float, *, T: float = 0.0, sweeps: int = 40, most: int = 64, seed: int = 0
) -> FloatArray:
    """Return the overlaps x.s / n with their patterns of spins that started there, (min(p, most),), p = load * units.

    The patterns are random and stored by Hebb's rule; each is started from by a sample of its own. Errors: T404, T405.
    """
    p = max(round(float(positive("load", load)) * units), 1)
    x = np.random.default_rng([seed, units, p]).choice([-1.0, 1.0], (p, units))
    cues = x[:most]
    spins = recall(hopfield_couplings(x), cues, T=T, sweeps=sweeps, seed=seed)
    return (spins * cues).mean(axis=1)


def measured_capacity(
    units: int,
    loads: ArrayLike | Sequence[float],
    *,
    T: float = 0.0,
    sweeps: int = 40,
    most: int = 64,
    seed: int = 0,
) -> CapacityCurve:
    """Measure the load at which recall breaks: where half of the patterns are recalled (linear between two loads).

    loads: (k,) increasing, on both sides of the capacity. A pattern counts as recalled where the overlap after
    ``sweeps`` sweeps that began at it is above three quarters of the theory's overlap at the capacity. Errors: T404,
    T405 where recall does not break within the loads.
    """
    x = positive("loads", loads)
    theory = hopfield_capacity(T)
    # The theory's overlap jumps from this value to zero; what a finite network keeps of a lost pattern is about 0.35.
    level = 0.75 * hopfield_overlap(theory * (1 - 1e-9), T)
    overlaps = [recall_overlaps(units, float(load), T=T, sweeps=sweeps, most=most, seed=seed) for load in x]
    shares = np.array([(m > level).mean() for m in overlaps])
    counts = np.array([len(m) for m in overlaps])
    return CapacityCurve(
        units=units,
        T=T,
        loads=x,
        recalled=shares,
        errors=np.sqrt(shares * (1 - shares) / counts),
        overlaps=np.array([m.mean() for m in overlaps]),
        capacity=_half(x, shares),
        theory=theory,
    )


def _half(loads: FloatArray, shares: FloatArray) -> float:
    """Return the load at which the share falls below one half for the first time."""
    below = np.flatnonzero(shares < 0.5)
    if loads.ndim != 1 or (np.diff(loads) <= 0).any() or not len(below) or below[0] == 0:
        notes = [f"load {load:g}: {share:.2f} recalled" for load, share in zip(np.ravel(loads), shares)]
        raise error(
            "T405", "recall does not break within the loads", notes=notes, hint="take loads on both sides of it"
        )
    k = int(below[0])
    step = (shares[k - 1] - 0.5) / (shares[k - 1] - shares[k])
    return float(loads[k - 1] + step * (loads[k] - loads[k - 1]))
