"""The lowering error: end to end where a bound says something, and unit by unit where a pass is not exact.

A bound from one end of a network to the other is soon as wide as the value itself: a spike is off by one, a probability
by one. Then it says nothing, and the value is judged by what can be wrong. Each pass but the inexact one is held to
rounding by itself; in the inexact one every unit is held to what one tick of its own may be off (``populations``,
``products``); and rates and correlations of the output are those of the source but for what such errors do in the long
run (``disturbance``) and for chance (``divergence``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.graph import Graph
from thermoc.ir.types import Type
from thermoc.passes.change_log import Change, PassRecord
from thermoc.verification.differences import Gap, flat
from thermoc.verification.divergence import Means, correlations, means
from thermoc.verification.inexact_passes import InexactPass
from thermoc.verification.subject import Subject
from thermoc.verification.tolerances import Jittered, Judgement, rounding, surely
from thermoc.verification.unit_gaps import UnitGaps

Outputs = Mapping[str, NDArray]


@dataclass(frozen=True, kw_only=True)
class Lowering(Judgement):
    """A judgement with units judged by themselves, the other passes judged by themselves, and correlations."""

    units: Sequence[UnitGaps] = ()
    stages: Sequence[Judgement] = ()
    correlations: Mapping[str, Means] = field(default_factory=dict)

    def holds(self, gap: Gap) -> bool:
        """Whether a value holds its bound or, where that says nothing, units, passes, means and correlations hold."""
        if not gap.law or not gap.size.any():
            return super().holds(gap)
        tested = self.correlations.get(gap.name)
        right = self.judged and self.stages_ok and super().holds(gap)
        return right and (tested is None or tested.hold)

    def same_law(self, gap: Gap) -> bool:
        """Whether rates and correlations of a value agree, as far as its samples can tell."""
        tests = (self.means.get(gap.name), self.correlations.get(gap.name))
        return all(test is None or test.hold for test in tests)

    @property
    def judged(self) -> bool:
        """Whether units were judged, and every other pass has a bound that says something."""
        blind = any(gap.law and gap.size.any() for stage in self.stages for gap in stage.gaps)
        return bool(self.units) and all(units.judged for units in self.units) and not blind

    @property
    def stages_ok(self) -> bool:
        """Whether units and the passes before and after them hold."""
        return all(judged.ok for judged in (*self.units, *self.stages))

    @property
    def ok(self) -> bool:
        """Whether every value, unit and pass holds."""
        return self.stages_ok and super().ok

    def first(self) -> tuple[Gap, int, int, int] | None:
        """Return the output that is first out of its tolerance, end to end or in a pass that is judged by itself."""
        spots = [super().first(), *(stage.first() for stage in self.stages)]
        return next((spot for spot in spots if spot is not None), None)


def lowering(subject: Subject, graph: Graph, outputs: Outputs, number: int | None = None) -> Lowering:
    """Compare the reference's run of a graph that passes have made with that of the source.

    number: of the last pass that made it, among the records; all of them if None.
    """
    records = subject.exe.records if number is None else subject.exe.records[: number + 1]
    inexact = subject.inexact if any(record.counterparts for record in records) else ()
    inexact = tuple(judged for judged in inexact if judged.number < len(records))
    around = Around(subject, subject.exe.source, graph, subject.source.outputs, outputs)
    judgement = surely(lambda count: _gaps(subject, around, _changes(records), inexact, count))
    diverged = judgement.diverged_at < subject.setting.ticks
    steady = all(judged.disturbed is not None for judged in inexact)
    # Correlations are for values that are not compared tick by tick; for others they would only cost time.
    laws = [gap for gap in judgement.gaps if gap.law]
    tested = {gap.name for gap in judgement.gaps if steady or not gap.law}
    return Lowering(
        gaps=judgement.gaps,
        diverged_at=judgement.diverged_at,
        means={name: average for name, average in judgement.means.items() if name in tested},
        units=[judged.units for judged in inexact],
        stages=_stages(subject, graph, outputs, inexact, records) if inexact else (),
        correlations=means([correlations(gap) for gap in laws], diverged) if laws and steady else {},
    )


def _changes(records: Sequence[PassRecord]) -> list[Change]:
    return [change for record in records for change in record.changes]


class Around:
    """Two graphs and their outputs, and what jitter does to the coarser of them."""

    def __init__(self, subject: Subject, before: Graph, after: Graph, was: Outputs, now: Outputs):
        self.before, self.after, self.was, self.now = before, after, was, now
        self.same = equal(was, now)
        self.eps = rounding(before), rounding(after)
        # The coarser format rounds most, so its jitter is what tells how far rounding can move the graph.
        coarse = after if self.eps[1] >= self.eps[0] else before
        self.jittered = Jittered(subject.setting, coarse, given=self.eps[0] != self.eps[1])

    def moved(self, name: str, count: int) -> list[NDArray]:
        """Return jittered runs as if they were runs of the first graph: what jitter does, put on it."""
        if self.same:
            return []
        reference = self.now[name] if self.eps[1] >= self.eps[0] else self.was[name]
        return [put(self.was[name], run.outputs[name], reference) for run in self.jittered.take(count)]


def equal(was: Outputs, now: Outputs) -> bool:
    """Tell whether two runs gave the same numbers, so that nothing needs an excuse."""
    return all(np.array_equal(array, now[name], equal_nan=array.dtype.kind == "f") for name, array in was.items())


def put(expected: NDArray, other: NDArray, own: NDArray) -> NDArray:
    """Return an expected value with the difference of two others on it."""
    with np.errstate(all="ignore"):
        return flat(expected.astype(float) + (other.astype(float) - own.astype(float)))


def _gaps(
    subject: Subject, around: Around, changes: Sequence[Change], passes: Sequence[InexactPass], count: int
) -> list[Gap]:
    # Offsets may all point one way, so they add up; independent noise adds up in squares.
    declared = {
        "offset": sum(change.offset for change in changes),
        "noise": float(np.sqrt(sum(change.noise**2 for change in changes))),
        "sampling": max((change.sampling for change in changes), default=0.0),
    }
    gaps = []
    for name, kind in output_types(around.before).items():
        gap = Gap(
            name=name,
            kind=kind,
            actual=flat(around.now[name]),
            expected=flat(around.was[name]),
            jittered=(),
            eps=max(around.eps),
            absolute_tolerance=subject.absolute_tolerance,
            **declared,
        )
        gaps.append(_by_law(gap, passes, count) if gap.vacuous else replace(gap, jittered=around.moved(name, count)))
    return gaps


def _by_law(gap: Gap, passes: Sequence[InexactPass], count: int) -> Gap:
    """Return a gap whose bound says nothing as one that is judged by its law."""
    law, jittered = replace(gap, law=True, offset=0.0, noise=0.0, sampling=0.0), []
    if not gap.size.any():
        return law
    for inexact in passes:
        if inexact.disturbed is not None:
            # The first two runs err all upwards and all downwards: the extremes, whatever the count.
            runs, plain = inexact.disturbed.take(2 + count), inexact.disturbed.plain[gap.name]
            jittered += [put(gap.expected, flat(run[gap.name]), flat(plain)) for run in runs]
    return replace(law, jittered=jittered)


def _stages(
    subject: Subject, graph: Graph, outputs: Outputs, passes: Sequence[InexactPass], records: Sequence[PassRecord]
) -> tuple[Judgement, ...]:
    """Judge what was done before, between and after the inexact passes, each by itself."""
    graphs = (subject.exe.source, *subject.exe.lowered.graphs)
    first, was, begun, compared = graphs[0], subject.source.outputs, 0, []
    for inexact in passes:
        now = (
            inexact.disturbed.plain if inexact.disturbed else subject.setting.reference(graphs[inexact.number]).outputs
        )
        compared.append((Around(subject, first, graphs[inexact.number], was, now), records[begun : inexact.number]))
        first, begun = graphs[inexact.number + 1], inexact.number + 1
        was = subject.setting.reference(first).outputs
    compared.append((Around(subject, first, graph, was, outputs), records[begun:]))
    return tuple(surely(lambda count, a=a, r=r: _gaps(subject, a, _changes(r), (), count)) for a, r in compared)


def output_types(graph: Graph) -> dict[str, Type]:
    """Return the type of each output."""
    return {name: op.x.type for name, op in graph.outputs.items() if op.x.type is not None}
