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
from thermoc.verification.run_settings import RunSettings

FEW, MANY = 2, 16
"""Jittered runs at first, and before a breach is believed: one rounding more flips a unit at its threshold only now and
then."""


class Jittered:
    """A graph's reference runs, each some roundings off; made as they are asked for.

    given: inputs, constants and noise are off too, as by a change of format.
    """

    def __init__(self, setting: RunSettings, graph: Graph, *, given: bool, probes: Sequence[str] = ()):
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
    """Gaps of one error of one target, with what they come to.

    diverged_at: (batch,) the first tick at which a sample's runs diverge; the number of ticks where they do not.
    """

    gaps: Sequence[Gap]
    diverged_at: NDArray
    means: Mapping[str, Means]

    def beyond(self, gap: Gap) -> NDArray:
        """Where (ticks, batch, units) a value is out of its tolerance, until its sample diverges."""
        ticks = np.arange(len(gap.size))[:, np.newaxis, np.newaxis]
        # The tick of the divergence still counts; what follows it is another trajectory.
        return gap.beyond & (ticks <= self.diverged_at[:, np.newaxis])

    def holds(self, gap: Gap) -> bool:
        """Whether a value is within its tolerance, tick by tick until the runs diverge, and in its means after that."""
        average = self.means.get(gap.name)
        return not self.beyond(gap).any() and (average is None or average.hold)

    @property
    def ok(self) -> bool:
        """Whether every value holds."""
        return all(self.holds(gap) for gap in self.gaps)

    def first(self) -> tuple[Gap, int, int, int] | None:
        """Return the value (the first in order), tick, sample and unit first out of its tolerance, if one is."""
        places = [(int(np.argwhere(wrong)[0][0]), gap, wrong) for gap in self.gaps if (wrong := self.beyond(gap)).any()]
        if not places:
            return None
        tick, gap, wrong = min(places, key=lambda place: place[0])
        sample, unit = (int(i) for i in np.argwhere(wrong[tick])[0])
        return gap, tick, sample, unit


def judge(gaps: Sequence[Gap]) -> Judgement:
    """Find where the samples diverge, and compare the means of those that did."""
    ticks, batch = gaps[0].size.shape[:2]
    diverges = np.zeros((ticks + 1, batch), bool)
    # A last row that is always true, so that argmax gives the number of ticks where nothing diverges.
    diverges[ticks] = True
    for gap in gaps:
        diverges[:ticks] |= gap.diverges
    diverged_at = diverges.argmax(axis=0)
    return Judgement(gaps=gaps, diverged_at=diverged_at, means=means(gaps, diverged_at < ticks))


def surely(gaps: Callable[[int], Sequence[Gap]]) -> Judgement:
    """Judge with few jittered runs and, where that finds a breach, again with many."""
    # Most runs have no breach, and two jittered runs show that; sixteen cost eight times as much.
    judgement = judge(gaps(FEW))
    return judgement if judgement.ok else judge(gaps(MANY))


def rounding(graph: Graph) -> float:
    """Return a rounding of the coarsest float format of a graph; float64's where it has no floats."""
    formats = {
        value.type.dtype.numpy for op in graph.ops for value in op.results if value.type and value.type.dtype.is_float
    }
    return max((float(np.finfo(dtype).eps) for dtype in formats), default=float(np.finfo(np.float64).eps))
