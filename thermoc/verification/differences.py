"""The difference of two runs in one value, and its tolerance: what rounding can do to that value there.

The tolerance of a float at a tick and sample is 64 roundings of the largest number it takes, and twice what jitter does
to it at that tick (``ir.reference.jitter``). So it grows with depth and ticks as fast as the graph lets errors grow.
Whole numbers, truth values and spikes have none, except where jitter changes them: there they stand within
rounding of their threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.types import Role, Type

ROUNDINGS = 64
DEVIATIONS = 5
"""A bound on a standard deviation is exceeded this many times with a chance of 6e-7."""


@dataclass(frozen=True, kw_only=True)
class Gap:
    """One value in two runs: what was computed and what was expected, each (ticks, batch, units).

    jittered: the expected run again, some roundings off. eps: a rounding of the format. offset: what passes declare on
    top of rounding; noise: an error of mean zero, with this standard deviation a tick, that they declare.
    sampling: another, whose standard deviation after n ticks is at most sampling / sqrt(n); it has five of them.
    absolute_tolerance: a difference for floats in place of all this. law: ticks are not compared, for what passes
    declare is as wide as the value: its means and correlations are.
    """

    name: str
    kind: Type
    actual: NDArray
    expected: NDArray
    jittered: Sequence[NDArray]
    eps: float
    offset: float = 0.0
    noise: float = 0.0
    sampling: float = 0.0
    absolute_tolerance: float | None = None
    law: bool = False

    @cached_property
    def full_range(self) -> float:
        """How far apart two of the value's numbers are in this run at most; of a spike or a truth value at least 1."""
        finite = self.expected[np.isfinite(self.expected.astype(float))].astype(float)
        spread = float(np.ptp(finite)) if finite.size else 0.0
        # A constant value has no spread: its size is the measure then.
        spread = spread or float(np.abs(finite).max(initial=0.0))
        return max(spread, 1.0) if self.discrete else spread

    @property
    def vacuous(self) -> bool:
        """Whether what passes declare is as wide as the value itself, at every tick."""
        declared_least = float(self.declared.min(initial=np.inf)) if len(self.declared) else 0.0
        return declared_least > 0 and declared_least >= self.full_range

    @property
    def discrete(self) -> bool:
        """Whether the value is equal or not: whole numbers, truth values, spikes."""
        return self.kind.role is Role.spike or not self.kind.dtype.is_float

    @cached_property
    def size(self) -> NDArray:
        """How far the runs are apart, (ticks, batch, units); infinite where one is not a number."""
        return distance(self.actual, self.expected)

    @cached_property
    def scale(self) -> NDArray:
        """The largest finite number the value takes in a sample, (1, batch, 1)."""
        magnitude = np.abs(np.where(np.isfinite(self.expected), self.expected, 0).astype(float))
        return magnitude.max(axis=(0, 2), keepdims=True, initial=0.0)

    @cached_property
    def declared(self) -> NDArray:
        """What passes declare on top of rounding, (ticks, 1, 1)."""
        ticks = np.arange(1, len(self.expected) + 1).reshape(-1, 1, 1)
        return self.offset + DEVIATIONS * self.sampling / np.sqrt(ticks)

    @cached_property
    def tolerance(self) -> NDArray:
        """How far they may be apart, broadcastable to ``size``."""
        # Where noise or a law is declared single ticks prove nothing: means are compared instead.
        if self.law or self.noise:
            return np.full((1, 1, 1), np.inf)
        if self.absolute_tolerance is not None and not self.discrete:
            return np.full((1, 1, 1), self.absolute_tolerance) + self.declared
        spread = np.zeros(self.expected.shape)
        for moved in self.jittered:
            spread = np.maximum(spread, distance(moved, self.expected))
        if self.discrete:
            return spread + self.declared
        # A rounding travels from unit to unit, so the widest jitter of a tick stands for all of them; twice, for both
        # runs may be off.
        return ROUNDINGS * self.eps * self.scale + 2 * spread.max(axis=2, keepdims=True, initial=0.0) + self.declared

    @cached_property
    def diverges(self) -> NDArray:
        """Where (ticks, batch) the runs are no longer the same trajectory: a unit differs, or half the digits do."""
        if self.noise:
            return np.ones(self.size.shape[:2], bool)
        # Half the digits: in a chaotic graph the rest is gone within the ticks that the first half took.
        threshold = 0.0 if self.discrete else np.sqrt(self.eps) * self.scale
        return np.any(self.size > threshold + self.declared, axis=2)

    @cached_property
    def beyond(self) -> NDArray:
        """Where (ticks, batch, units) they are farther apart than they may be."""
        return self.size > self.tolerance


def distance(a: NDArray, b: NDArray) -> NDArray:
    """Return |a - b| as float64: 0 where both are the same infinity or no number, infinite where only one is."""
    a, b = a.astype(float), b.astype(float)
    with np.errstate(all="ignore"):
        gap = np.abs(a - b)
    same = (a == b) | (np.isnan(a) & np.isnan(b))
    return np.where(same, 0.0, np.where(np.isnan(gap), np.inf, gap))


def flat(array: NDArray) -> NDArray:
    """Return an array (ticks, batch, *shape) as (ticks, batch, units)."""
    return array.reshape(*array.shape[:2], -1)
