"""What one population said, and what the network's units would have said of the same inputs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.types import Shape

VACUOUS = 0.5
"""A bound on the error of what a unit adds up that is this share of it on average says nothing."""


@dataclass(frozen=True, kw_only=True)
class UnitGap:
    """A value of the network, tick by tick, each (ticks, batch, units).

    actual: what the units said. expected: what the network's would have said given the same inputs and states. low,
    high: between what it may lie for what one tick's numbers may be off. slack: that error, in units of what is added
    up or of the value itself; share: of what is added up, on average.
    """

    name: str
    shape: Shape
    discrete: bool
    actual: NDArray
    expected: NDArray
    low: NDArray
    high: NDArray
    slack: NDArray
    share: float = 0.0
    cut: int = 0
    """How often a state stood at the end of the chip's bits, where the network's went on."""

    @cached_property
    def beyond(self) -> NDArray:
        """Where a unit said what the network's could not have said."""
        with np.errstate(invalid="ignore"):
            # Negated, so that what is not a number counts as beyond.
            return ~((self.actual >= self.low) & (self.actual <= self.high))

    @cached_property
    def size(self) -> NDArray:
        """How far what it said is from what the network's unit would have said."""
        return np.abs(self.actual - self.expected)

    @cached_property
    def used(self) -> NDArray:
        """What share of the tolerance a difference takes; a spike within reach of its threshold takes all of it."""
        if self.discrete:
            return np.where(self.size > 0, 1.0, 0.0)
        tolerance = np.where(self.slack > 0, self.slack, np.inf)
        return np.where(self.beyond, np.inf, self.size / tolerance)

    @property
    def judged(self) -> bool:
        """Whether the bound says something."""
        return self.share < VACUOUS


@dataclass(frozen=True, kw_only=True)
class UnitGaps:
    """All populations of a graph after a pass, in the order of a tick."""

    number: int
    """Of the pass, among the records."""
    gaps: tuple[UnitGap, ...]

    @property
    def ok(self) -> bool:
        """Whether every unit did what the network's would have done, as far as its numbers can tell."""
        return not any(gap.beyond.any() for gap in self.gaps)

    @property
    def judged(self) -> bool:
        """Whether every population has a bound that says something."""
        return bool(self.gaps) and all(gap.judged for gap in self.gaps)

    def first(self) -> tuple[UnitGap, int, int, int] | None:
        """Return the population, tick, sample and unit that went wrong first, if one did."""
        wrong = [(int(np.argwhere(gap.beyond)[0][0]), gap) for gap in self.gaps if gap.beyond.any()]
        if not wrong:
            return None
        tick, gap = min(wrong, key=lambda place: place[0])
        sample, unit = (int(i) for i in np.argwhere(gap.beyond[tick])[0])
        return gap, tick, sample, unit
