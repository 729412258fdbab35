"""What is recorded of which output: checked before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from thermoc.ir.graph import Graph
from thermoc.ir.recording import MOST_COUNTED, Signal
from thermoc.ir.types import Role
from thermoc.recording.levels import levels
from thermoc.recording.recorded import NEEDS as FIELDS
from thermoc.recording.specs import Spec, parsed
from thermoc.support.errors import Finding, ThermocError, error
from thermoc.support.suggestions import near

Plan = Mapping[str, tuple[Spec, ...]]
TRACES = ("all", "every")


def planned(source: Graph, record: Mapping[str, Any] | None) -> Plan:
    """Return what is recorded of each output and probe; of every output, and no probe, all where nothing is said.

    source: the network as it was written. Errors: T419, all findings at once.
    """
    if record is None:
        return {name: (Spec("all"),) for name in source.outputs if name not in source.probes}
    if not isinstance(record, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]  (users pass anything)
        notes, hint = [f"a {type(record).__name__} was given"], 'record={"name": "all"}'
        raise error("T419", "what is recorded is said by the names of outputs", notes=notes, hint=hint)
    plan = {name: _specs(name, requested) for name, requested in record.items()}
    findings = [finding for name, specs in plan.items() for finding in _problems(source, name, specs, plan)]
    if findings:
        raise ThermocError(findings)
    return plan


def signals(source: Graph, lowered: Graph, plan: Plan, *, levelled: bool = False, **size: Any) -> dict[str, Signal]:
    """Return what comes of each output that is recorded, for ``ticks``, ``batch`` and ``begun``.

    levelled: levels are asked for even where all is recorded as it comes.
    """
    by_name: dict[str, Signal] = {}
    for name, specs in plan.items():
        value = lowered.outputs[name].x
        # Levels are those of the network: its lowered form may not say what they are.
        pair = levels(source, source.outputs[name].x) if levelled or any(spec.kind != "all" for spec in specs) else None
        by_name[name] = Signal(dtype=np.dtype(value.dtype.numpy), shape=value.shape, levels=pair, **size)
    return by_name


def _specs(name: str, asked: Any) -> tuple[Spec, ...]:
    items: Sequence[Any] = asked if isinstance(asked, list | tuple) else (asked,)
    specs = tuple(parsed(item) if isinstance(item, str) else item for item in items)
    for spec in specs or (asked,):
        if not isinstance(spec, Spec):
            notes, hint = [f"it is {spec!r}"], 'take "all", tc.every(k), tc.last(), tc.mean(), ... or a list of them'
            raise error("T419", f"{name!r}: this is nothing that can be recorded", notes=notes, hint=hint)
    return specs


def _problems(source: Graph, name: str, specs: Sequence[Spec], plan: Plan) -> Iterator[Finding]:
    if name not in source.outputs:
        notes = (f"its outputs and probes are {list(source.outputs)}",)
        hint = near(name, source.outputs, "tc.probe(name, value) lets any value be recorded")
        yield Finding(code="T419", what=f"network {source.name!r} has no output {name!r}", notes=notes, hint=hint)
        return
    owner, _, field = name.rpartition(".")
    if field in FIELDS and owner in plan:
        notes = (f"{owner!r} may have a field {field!r}, which files call {name!r} too",)
        yield Finding(code="T419", what=f"{name!r} and {owner!r} cannot both be recorded", notes=notes)
    kinds = ["all" if spec.kind in TRACES else spec.kind for spec in specs]
    for kind in sorted({kind for kind in kinds if kinds.count(kind) > 1}):
        notes = (f"it is {', '.join(map(str, specs))}",)
        hint = "a probe under another name can be recorded otherwise" if kind == "all" else ""
        yield Finding(code="T419", what=f"{name!r} is recorded twice alike", notes=notes, hint=hint)
    for spec in specs:
        yield from _CHECKS.get(spec.kind, lambda source, name: ())(source, name)


def _events(source: Graph, name: str) -> Iterator[Finding]:
    op = source.outputs[name]
    if op.x.dtype.is_float and op.x.role is not Role.spike:
        notes = (f"it is {op.x.type}", "events are of spikes, whole numbers and truth values")
        hint = "record it all, or probe a threshold of it"
        yield Finding(code="T419", what=f"{name!r} has no events", where=op.location, notes=notes, hint=hint)


def _counts(source: Graph, name: str) -> Iterator[Finding]:
    op = source.outputs[name]
    if levels(source, op.x) is None:
        notes = (f"it is {op.x.type}", "configurations are those of units of two levels, {0, 1} or {-1, 1}")
        hint = "record it all, or probe a threshold of it"
        yield Finding(code="T419", what=f"{name!r} cannot be counted", where=op.location, notes=notes, hint=hint)
    if op.x.size > MOST_COUNTED:
        notes = (f"it has {op.x.size} units, and so 2^{op.x.size} configurations", f"at most {MOST_COUNTED} units")
        hint = "probe a part of it: tc.probe(name, s[:10])"
        yield Finding(
            code="T419", what=f"{name!r} has too many units to count", where=op.location, notes=notes, hint=hint
        )


_CHECKS = {"events": _events, "counts": _counts}
