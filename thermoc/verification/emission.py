"""The emission error: a target against the reference on its own lowered graph, outputs and final states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.types import DType, Type
from thermoc.verification.differences import Gap, flat
from thermoc.verification.lowering import equal, output_types
from thermoc.verification.subject import Subject
from thermoc.verification.tolerances import Judgement, rounding, surely


def emission(subject: Subject) -> Judgement:
    """Compare the target with its lowered graph; numbers that are equal need no excuse."""
    same = equal(subject.lowered.outputs, subject.outcome.outputs)
    return surely(
        lambda count: [
            _emitted(subject, name, kind, subject.outcome.outputs, subject.lowered.outputs, [t.outputs for t in runs])
            for runs in [[] if same else subject.jittered.take(count)]
            for name, kind in output_types(subject.exe.graph).items()
        ]
    )


def final_states(subject: Subject, samples: NDArray) -> Judgement | None:
    """Compare what is left of these samples after the last tick; None where nothing is known."""
    reference, target = subject.lowered.states, subject.outcome.states
    names = [name for name in reference if name in target and reference[name].size]
    if not names or not len(samples):
        return None

    def last(states: Mapping[str, NDArray]) -> dict[str, NDArray]:
        return {name: np.asarray(states[name])[np.newaxis, samples] for name in names}

    same = equal(last(reference), last(target))
    kinds = {name: Type((), DType.of(reference[name].dtype) or DType.f64) for name in names}
    return surely(
        lambda count: [
            _emitted(subject, name, kinds[name], last(target), last(reference), moved)
            for moved in [[] if same else [last(trace.states) for trace in subject.jittered.take(count)]]
            for name in names
        ]
    )


def _emitted(
    subject: Subject,
    name: str,
    kind: Type,
    emitted: Mapping[str, NDArray],
    expected: Mapping[str, NDArray],
    jittered: Sequence[Mapping[str, NDArray]],
) -> Gap:
    return Gap(
        name=name,
        kind=kind,
        actual=flat(of_shape(emitted[name], expected[name])),
        expected=flat(expected[name]),
        jittered=[flat(run[name]) for run in jittered],
        eps=rounding(subject.exe.graph),
        absolute_tolerance=subject.absolute_tolerance,
    )


def of_shape(array: Any, expected: NDArray) -> NDArray:
    """Return what a target gave under a name, or no numbers where it has another shape."""
    array = np.asarray(array)
    # NaN differs from every number, so that a wrong shape is a breach and no exception.
    return array if array.shape == expected.shape else np.full(expected.shape, np.nan)
