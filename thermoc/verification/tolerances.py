"""From the gaps of two runs to a verdict for each value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.graph import Graph
from thermoc.ir.reference.interpreter import ReferenceTrace
from thermoc.ir.reference.jitter import Jitter
from thermoc.verification.differences import Gap
from thermoc.verification.divergence import Means, means
from thermoc.verification.run_settings import Setting

FEW, MANY = 2, 16
"""Jittered runs at first, and before a breach is believed: one rounding more flips a unit at its threshold only now and
then."""


class Jittered:
    """A graph's reference runs, each some roundings off; made as they are asked for.

    given: inputs, constants and noise are off too, as by a change of format.
    """

    def __init__(self, setting: Setting, graph: Graph, *, given: bool, probes: Sequence[str] = ()):
        self.setting, self.graph, self.given, self.probes = setting, graph, given, probes
        self.traces: list[ReferenceTrace] = []

    def take(self, count: int) -> list[ReferenceTrace]:
        """Return this many runs."""
        while len(self.traces) < count:
            jitter = Jitter(len(self.traces), given=self.given, fine=self.given)
            self.traces.append(self.setting.reference(self.graph, probes=self.probes, jitter=jitter))
        return self.traces[:count]


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """Gaps of one error of one target, with what they come to. parted: the first tick (batch,) at which runs part."""

    gaps: Sequence[Gap]
    parted: NDArray
    means: Mapping[str, Means]

    def beyond(self, gap: Gap) -> NDArray:
        """Where (ticks, batch, units) a value is out of its room, until its sample parts."""
        ticks = np.arange(len(gap.size))[:, np.newaxis, np.newaxis]
        return gap.beyond & (ticks <= self.parted[:, np.newaxis])

    def holds(self, gap: Gap) -> bool:
        """Whether a value is within its room, tick by tick until the runs part, and in its means after that."""
        average = self.means.get(gap.name)
        return not self.beyond(gap).any() and (average is None or average.hold)

    @property
    def ok(self) -> bool:
        """Whether every value holds."""
        return all(self.holds(gap) for gap in self.gaps)

    def first(self) -> tuple[Gap, int, int, int] | None:
        """Return the value (the first in order), tick, sample and unit that is out of its room first, if one is."""
        places = [(int(np.argwhere(wrong)[0][0]), gap, wrong) for gap in self.gaps if (wrong := self.beyond(gap)).any()]
        if not places:
            return None
        tick, gap, wrong = min(places, key=lambda place: place[0])
        sample, unit = (int(i) for i in np.argwhere(wrong[tick])[0])
        return gap, tick, sample, unit


def judge(gaps: Sequence[Gap]) -> Judgement:
    """Find where the samples part, and compare the means of those that did."""
    ticks, batch = gaps[0].size.shape[:2]
    parts = np.zeros((ticks + 1, batch), bool)
    parts[ticks] = True
    for gap in gaps:
        parts[:ticks] |= gap.parts
    parted = parts.argmax(axis=0)
    return Judgement(gaps=gaps, parted=parted, means=means(gaps, parted < ticks))


def surely(gaps: Callable[[int], Sequence[Gap]]) -> Judgement:
    """Judge with few jittered runs and, where that finds a breach, again with many."""
    judgement = judge(gaps(FEW))
    return judgement if judgement.ok else judge(gaps(MANY))


def rounding(graph: Graph) -> float:
    """Return a rounding of the coarsest float format of a graph; float64's where it has no floats."""
    formats = {
        value.type.dtype.numpy for op in graph.ops for value in op.results if value.type and value.type.dtype.is_float
    }
    return max((float(np.finfo(dtype).eps) for dtype in formats), default=float(np.finfo(np.float64).eps))
