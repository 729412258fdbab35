"""The two errors of one target: source against lowered graph, lowered graph against target."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.api import Executable
from thermoc.backends.base import Outcome
from thermoc.ir.reference.interpreter import ReferenceTrace
from thermoc.ir.types import DType, Type
from thermoc.verification.differences import Gap, flat
from thermoc.verification.lowering import Lossy, Lowering, equal, lossy, lowering, output_types
from thermoc.verification.result import EMISSION, LOWERING, STATES, UNITS, Row
from thermoc.verification.run_settings import Setting
from thermoc.verification.tolerances import Jittered, Judgement, rounding, surely


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A network on one target, in one setting, with the reference's run of the source."""

    target: str
    exe: Executable
    setting: Setting
    source: ReferenceTrace
    tolerance: float | None = None

    @cached_property
    def lowered(self) -> ReferenceTrace:
        """The reference's run of the lowered graph."""
        return self.setting.reference(self.exe.graph)

    @cached_property
    def outcome(self) -> Outcome:
        """The target's run. Errors: T302 where its runtime is missing."""
        return self.setting.target(self.exe.backend, self.exe.artefact, self.exe.graph)

    def judge(self, error: str) -> Judgement:
        """Compare every output."""
        return self.lowering() if error == LOWERING else self.emission()

    def holds(self, error: str) -> bool:
        """Whether outputs, and after emission the final states, are in bounds."""
        judgement = self.judge(error)
        together = np.flatnonzero(judgement.parted == self.setting.ticks)
        left = self.states(together) if error == EMISSION else None
        return judgement.ok and (left is None or left.ok)

    def lowering(self) -> Lowering:
        """Compare the lowered graph with the source."""
        return lowering(self, self.exe.graph, self.lowered.outputs)

    @cached_property
    def lossy(self) -> tuple[Lossy, ...]:
        """The passes that are not exact, their units judged by themselves."""
        return lossy(self)

    @cached_property
    def jittered(self) -> Jittered:
        """The lowered graph some roundings off."""
        return Jittered(self.setting, self.exe.graph, given=False)

    def emission(self) -> Judgement:
        """Compare the target with its lowered graph; numbers that are equal need no excuse."""
        same = equal(self.lowered.outputs, self.outcome.outputs)
        return surely(
            lambda count: [
                self._emitted(name, kind, self.outcome.outputs, self.lowered.outputs, [t.outputs for t in runs])
                for runs in [[] if same else self.jittered.take(count)]
                for name, kind in output_types(self.exe.graph).items()
            ]
        )

    def states(self, kept: NDArray) -> Judgement | None:
        """Compare what is left of these samples after the last tick; None where nothing is known."""
        both = [name for name in self.lowered.states if name in self.outcome.states and self.lowered.states[name].size]
        if not both or not len(kept):
            return None

        def last(states: Mapping[str, NDArray]) -> dict[str, NDArray]:
            return {name: np.asarray(states[name])[np.newaxis, kept] for name in both}

        same = equal(last(self.lowered.states), last(self.outcome.states))
        kinds = {name: Type((), DType.of(self.lowered.states[name].dtype) or DType.f64) for name in both}
        return surely(
            lambda count: [
                self._emitted(name, kinds[name], last(self.outcome.states), last(self.lowered.states), moved)
                for moved in [[] if same else [last(trace.states) for trace in self.jittered.take(count)]]
                for name in both
            ]
        )

    def _emitted(
        self,
        name: str,
        kind: Type,
        found: Mapping[str, NDArray],
        expected: Mapping[str, NDArray],
        jittered: Sequence[Mapping[str, NDArray]],
    ) -> Gap:
        return Gap(
            name=name,
            kind=kind,
            found=flat(whole(found[name], expected[name])),
            expected=flat(expected[name]),
            jittered=[flat(run[name]) for run in jittered],
            eps=rounding(self.exe.graph),
            tolerance=self.tolerance,
        )


def whole(found: Any, expected: NDArray) -> NDArray:
    """Return what a target gave under a name, or no numbers where it has another shape."""
    found = np.asarray(found)
    return found if found.shape == expected.shape else np.full(expected.shape, np.nan)


def row(subject: Subject, error: str, judgement: Judgement, gap: Gap) -> Row:
    """Return what is told of one value."""
    size, parts = gap.size, gap.parts.any(axis=1)
    room = np.broadcast_to(gap.room, size.shape)
    average = judgement.means.get(gap.name)
    together = judgement.correlations.get(gap.name) if isinstance(judgement, Lowering) else None
    return Row(
        target=subject.target,
        error=error,
        value=gap.name,
        verdict=_verdict(judgement, gap),
        largest=float(size.max(initial=0.0)),
        mean=float(size.mean()) if size.size else 0.0,
        differ=int((size > 0).sum()) if gap.discrete else None,
        count=size.size,
        first=int(parts.argmax()) if parts.any() and not gap.noise else None,
        bound=_nearest(size, room),
        mean_difference=average.difference if average else None,
        mean_room=average.room if average else None,
        correlation_difference=together.difference if together else None,
        correlation_room=together.room if together else None,
        law=gap.law,
        course=(size.max(axis=(1, 2), initial=0.0), room.max(axis=(1, 2), initial=0.0)),
    )


def _nearest(size: NDArray, room: NDArray) -> float:
    """Return the room where most of it is used; the least where none is."""
    if not size.any():
        return float(room.min(initial=np.inf)) if room.size else 0.0
    with np.errstate(all="ignore"):
        used = np.where(size > 0, size / room, 0.0)
    return float(room.flat[np.nanargmax(np.where(np.isnan(used), np.inf, used))])


def states_row(subject: Subject, judgement: Judgement) -> Row:
    """Return one row for all final states: the worst of them."""
    gap = max(judgement.gaps, key=lambda gap: (not judgement.holds(gap), gap.size.max(initial=0.0)))
    return replace(row(subject, EMISSION, judgement, gap), value=STATES, first=None)


def units_row(subject: Subject, judgement: Lowering) -> Row | None:
    """Return one row for all units of inexact passes, each given what the others said; None where every pass is exact.

    Its largest difference, bound and course are those of the value that takes the largest share of its room.
    """
    gaps = [gap for units in judgement.units for gap in units.gaps if gap.size.size]
    if not gaps:
        return None
    discrete = [gap for gap in gaps if gap.discrete]
    wrong = sum(int(gap.beyond.sum()) for gap in gaps)
    blind = any(not gap.judged for gap in gaps)
    differ = any(gap.size.any() for gap in gaps)
    worst = max(gaps, key=lambda gap: (gap.beyond.any(), not gap.judged, float(gap.used.max())))
    at = np.unravel_index(int(worst.used.argmax()), worst.used.shape)
    ticks = [int(np.argwhere(gap.beyond)[0][0]) for gap in gaps if gap.beyond.any()]
    return Row(
        target=subject.target,
        error=LOWERING,
        value=UNITS,
        verdict="breach" if wrong else "equal" if not differ else "not judged" if blind else "declared",
        largest=float(worst.size[at]),
        mean=float(np.mean([gap.size.mean() for gap in gaps])),
        differ=sum(int((gap.size > 0).sum()) for gap in discrete) if discrete else None,
        count=sum(gap.size.size for gap in discrete or gaps),
        first=min(ticks, default=None),
        bound=float(worst.slack[at]),
        beyond=wrong,
        cut=sum(gap.cut for gap in gaps),
        course=(worst.size.max(axis=(1, 2)), np.where(np.isfinite(worst.slack), worst.slack, 0).max(axis=(1, 2))),
    )


def _verdict(judgement: Judgement, gap: Gap) -> str:
    if gap.law and isinstance(judgement, Lowering) and gap.size.any():
        if not (judgement.parts_ok and judgement.same_law(gap)):
            return "breach"
        return "parted" if judgement.judged else "not judged"
    if not judgement.holds(gap):
        return "breach"
    if not gap.size.any():
        return "equal"
    if gap.offset or gap.noise or gap.sampling:
        return "declared"
    return "parted" if gap.parts.any() else "rounding"
