"""Where an error begins: the pass, the op, the unit and the tick."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.dialects.core import Output, Stored
from thermoc.ir.graph import Graph, exposed
from thermoc.ir.ops import Op
from thermoc.ir.types import Type
from thermoc.passes.change_log import PassRecord
from thermoc.support.errors import ThermocError
from thermoc.verification.comparison import EMISSION, LOWERING, STATES, UNITS, Breach
from thermoc.verification.differences import Gap, flat
from thermoc.verification.emission import of_shape
from thermoc.verification.lowering import Lowering, lowering, put
from thermoc.verification.subject import Subject
from thermoc.verification.tolerances import Jittered, Judgement, rounding, surely
from thermoc.verification.unit_gaps import UnitGap, UnitGaps

SEEN = "seen."


@dataclass(frozen=True, kw_only=True)
class ErrorLocation:
    """Where an error begins, and the graph and the value in it from which a smaller graph can be cut."""

    breach: Breach
    graph: Graph
    name: str

    def but(self, **changes: Any) -> ErrorLocation:
        """Return the place with something else said of it."""
        return replace(self, breach=replace(self.breach, **changes))


def place(subject: Subject, error: str, judgement: Judgement) -> ErrorLocation:
    """Find where an error begins that an output shows."""
    wrong = [units for units in judgement.units if not units.ok] if isinstance(judgement, Lowering) else []
    if wrong:
        return _in_unit(subject, wrong[0])
    first = judgement.first()
    if first is None:
        return _by_means(subject, error, judgement)
    gap, tick, sample, _ = first
    # Nothing after the first breach matters, and the graph is about to run once for every pass.
    short = replace(subject, setting=subject.setting.cut(ticks=slice(tick + 1), samples=slice(sample + 1)))
    graph = subject.exe.source if error == LOWERING else subject.exe.graph
    shown = _at(subject, error, gap.name, graph, graph.outputs[gap.name].x.name, first)
    return _in_lowering(short, shown) if error == LOWERING else _in_emission(short, shown)


def _in_unit(subject: Subject, units: UnitGaps) -> ErrorLocation:
    """Return the unit that first did what the network's could not have done of the same inputs."""
    spot = units.first()
    assert spot is not None
    gap, tick, sample, unit = spot
    graph = (subject.exe.source, *subject.exe.lowered.graphs)[units.number]
    breach = Breach(
        target=subject.target,
        error=LOWERING,
        value=_shown_by(graph, gap),
        op=_label(graph.producers[gap.name], gap.name),
        unit=tuple(int(i) for i in np.unravel_index(unit, gap.shape)) if gap.shape else (),
        tick=tick,
        sample=sample,
        expected=float(gap.expected[tick, sample, unit]),
        actual=float(gap.actual[tick, sample, unit]),
        tolerance=float(gap.slack[tick, sample, unit]),
        step=subject.exe.records[units.number].text,
        note=_about(gap),
    )
    return ErrorLocation(breach=breach, graph=graph, name=gap.name)


def _shown_by(graph: Graph, gap: UnitGap) -> str:
    """Return the output that a value is; all units, where it is none."""
    return next((name for name, op in graph.outputs.items() if op.x.name == gap.name), UNITS)


def _about(gap: UnitGap) -> str:
    wrong = f"{int(gap.beyond.sum())} of {gap.beyond.size} unit-ticks are not the network's"
    meaning = "how near its threshold the drive must be for that" if gap.discrete else "one tick's error"
    return f"given what the others said, {wrong}; tolerance is {meaning}"


def _by_means(subject: Subject, error: str, judgement: Judgement) -> ErrorLocation:
    """Every tick is within its tolerance, and yet the means are apart: the value and the unit are all that is known."""
    gap = max((gap for gap in judgement.gaps if not judgement.holds(gap)), key=lambda gap: gap.size.max())
    about, what = judgement.means.get(gap.name), "means"
    if about is None or about.hold:
        assert isinstance(judgement, Lowering)
        about, what = judgement.correlations[gap.name], "correlations"
    graph = subject.exe.source if error == LOWERING else subject.exe.graph
    name = graph.outputs[gap.name].x.name
    shown = _at(subject, error, gap.name, graph, name, (gap, len(gap.size) - 1, 0, about.unit % gap.size.shape[2]))
    note = f"the {what} of the samples that diverged are {about.difference:.4g} apart, tolerance {about.tolerance:.3g}"
    step = next((record.text for record, _, _ in _wrong(subject)), None) if error == LOWERING else None
    return shown.but(note=note, tolerance=about.tolerance, step=step)


def place_of_state(subject: Subject, judgement: Judgement, samples: NDArray) -> ErrorLocation:
    """Return the state that is wrong after the last tick although no output showed it. samples: those compared."""
    first = judgement.first()
    assert first is not None
    gap, _, at, unit = first
    shown = _at(subject, EMISSION, STATES, subject.exe.graph, gap.name.rsplit(".", 1)[0], (gap, 0, at, unit))
    note = f"the state {gap.name} is wrong after the last tick"
    return shown.but(tick=subject.setting.ticks - 1, sample=int(samples[at]), note=note)


def _at(
    subject: Subject, error: str, value: str, graph: Graph, name: str, spot: tuple[Gap, int, int, int], note: str = ""
) -> ErrorLocation:
    gap, tick, sample, unit = spot
    breach = Breach(
        target=subject.target,
        error=error,
        value=value,
        op=_label(graph.producers[name], name),
        unit=tuple(int(i) for i in np.unravel_index(unit, gap.kind.shape)) if gap.kind.shape else (),
        tick=tick,
        sample=sample,
        expected=float(gap.expected[tick, sample, unit]),
        actual=float(gap.actual[tick, sample, unit]),
        tolerance=float(np.broadcast_to(gap.tolerance, gap.size.shape)[tick, sample, unit]),
        note=note,
    )
    return ErrorLocation(breach=breach, graph=graph, name=name)


def _label(op: Op, name: str) -> str:
    return f"{op.opname} %{name}"


# --------------------------------------------------------------------------------------------------------- passes


def _in_lowering(subject: Subject, shown: ErrorLocation) -> ErrorLocation:
    """Interpret the graph after each pass; in the first that means something else, find the first value that does."""
    # The source once more in the shorter setting: its run in the subject has all ticks.
    subject = replace(subject, source=subject.setting.reference(subject.exe.source))
    for record, before, after in _wrong(subject):
        return _in_pass(subject, shown, before, after, record)
    return shown.but(note="no pass by itself is out of its tolerance: their errors add up")


def _wrong(subject: Subject) -> Iterator[tuple[PassRecord, Graph, Graph]]:
    """Yield each pass after which the graph means something else than the source, with the graph before and after."""
    before = subject.exe.source
    for number, (record, after) in enumerate(zip(subject.exe.records, subject.exe.lowered.graphs)):
        outputs = subject.setting.reference(after).outputs if record.changed else {}
        if record.changed and not lowering(subject, after, outputs, number).ok:
            yield record, before, after
        before = after


def _in_pass(subject: Subject, shown: ErrorLocation, before: Graph, after: Graph, record: PassRecord) -> ErrorLocation:
    names = [name for name in _values(after) if _same_value(before, after, name)]
    was, now = (subject.setting.reference(graph, probes=names).probes for graph in (before, after))
    eps = rounding(before), rounding(after)
    coarse, reference = (after, now) if eps[1] >= eps[0] else (before, was)
    # A change of format rounds inputs and constants too, not results alone.
    jittered = Jittered(subject.setting, coarse, given=eps[0] != eps[1], probes=names)

    def around(count: int) -> Mapping[str, list[NDArray]]:
        runs = [trace.probes for trace in jittered.take(count)]
        return {name: [put(was[name], run[name], reference[name]) for run in runs] for name in names}

    spot = _first(_types(after, names), now, was, around, max(eps))
    if spot is None:
        note = f"every value that {record.text} kept is as it was: what it made anew is not"
        return shown.but(step=record.text, note=note)
    name = spot[0].name
    location = _at(subject, LOWERING, shown.breach.value, before, name, spot)
    producer = after.producers[name].opname
    note = f"after the pass {producer} makes it" if producer != before.producers[name].opname else ""
    return location.but(step=record.text, note=note)


def _same_value(before: Graph, after: Graph, name: str) -> bool:
    if name not in before.producers or isinstance(before.producers[name], Stored):
        return False
    types = [next(v.type for v in graph.producers[name].results if v.name == name) for graph in (before, after)]
    return types[0] is not None and types[1] is not None and types[0].shape == types[1].shape


# -------------------------------------------------------------------------------------------------------- targets


def _in_emission(subject: Subject, shown: ErrorLocation) -> ErrorLocation:
    """Make every value of the lowered graph an output of the target, and find the first that is not the reference's."""
    graph = subject.exe.graph
    names = _values(graph)
    try:
        emitted = _seen(subject, graph, names)
    except ThermocError as reason:
        return shown.but(note=f"the target cannot output the values within: {reason.findings[0].what}")
    if len(emitted) < len(names):
        return shown.but(
            note="the target computes another graph beside this one, whose inner values it does not output"
        )
    expected = subject.setting.reference(graph, probes=names).probes
    jittered = Jittered(subject.setting, graph, given=False, probes=names)

    def around(count: int) -> Mapping[str, list[NDArray]]:
        return {name: [flat(trace.probes[name]) for trace in jittered.take(count)] for name in names}

    spot = _first(_types(graph, names), emitted, expected, around, rounding(graph))
    if spot is None:
        return shown.but(note="with its inner values as outputs the target is right: see how it joins ops")
    return _at(subject, shown.breach.error, shown.breach.value, graph, spot[0].name, spot)


def _seen(subject: Subject, graph: Graph, names: Sequence[str]) -> Mapping[str, NDArray]:
    whole_graph = exposed(graph, names, SEEN)
    artefact = subject.exe.backend.emit(replace(subject.exe.lowered, graph=whole_graph), subject.exe.options)
    outputs = subject.setting.target(subject.exe.backend, artefact, whole_graph).outputs
    # A chip at its die's temperature runs a graph that its passes made before these outputs were asked for.
    return {name: outputs[SEEN + name] for name in names if SEEN + name in outputs}


def _values(graph: Graph) -> list[str]:
    """Return the values of a graph in the order of a tick, without its constants and what is empty."""
    ops = (op for op in graph.order if not isinstance(op, Stored | Output))
    return [value.name for op in ops for value in op.results if value.type is not None and value.type.size]


def _types(graph: Graph, names: Sequence[str]) -> dict[str, Type]:
    types = {value.name: value.type for op in graph.ops for value in op.results}
    return {name: kind for name in names if (kind := types[name]) is not None}


def _first(kinds, found, expected, around, eps: float) -> tuple[Gap, int, int, int] | None:
    """Return the first value, in order at the earliest tick, that is out of its tolerance."""
    if not kinds:
        return None

    def gaps(count: int) -> list[Gap]:
        moved = around(count)
        return [
            Gap(
                name=name,
                kind=kind,
                actual=flat(of_shape(found[name], expected[name])),
                expected=flat(expected[name]),
                jittered=moved[name],
                eps=eps,
            )
            for name, kind in kinds.items()
        ]

    return surely(gaps).first()
