"""A small graph that still shows a breach: cut at the op, its operands as recorded inputs, fewer ticks, samples, units.

Every step is taken only if what it leaves still shows the breach.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.dialects.core import Input, Output, Stored
from thermoc.ir.graph import Graph
from thermoc.ir.infer import retyped
from thermoc.ir.ops import CLOCKED, STATEFUL, STOCHASTIC, Op
from thermoc.ir.serial import save_graph
from thermoc.ir.values import Array, Value
from thermoc.ir.verify import findings
from thermoc.support.arrays import npz_bytes
from thermoc.support.errors import ThermocError
from thermoc.support.files import write_atomic
from thermoc.verification.locate import ErrorLocation
from thermoc.verification.run_settings import RunSettings
from thermoc.verification.subject import Subject

Shows = Callable[[Subject, Graph, RunSettings, str], bool]


@dataclass(frozen=True, kw_only=True)
class Case:
    """A graph and the setting in which it shows the breach."""

    graph: Graph
    setting: RunSettings


def reduced(subject: Subject, place: ErrorLocation, *, shows: Shows) -> Case:
    """Return the smallest case found; the whole network, at the least."""

    def still(case: Case) -> bool:
        try:
            return not findings(case.graph) and shows(subject, case.graph, case.setting, place.breach.error)
        # A case that cannot be compiled or run shows nothing.
        except ThermocError:
            return False

    full = Case(graph=subject.exe.source, setting=subject.setting)
    short = Case(
        graph=full.graph,
        setting=full.setting.cut(ticks=slice(place.breach.tick + 1), samples=slice(place.breach.sample + 1)),
    )
    # Fewer samples may hide the breach where noise or means need them all.
    start = short if still(short) else full
    case = next((cut for cut in _cuts(place, start.setting) if still(cut)), start)
    return _fewer_units(_fewer_ticks(_one_sample(case, still), still), still)


def save(case: Case, path: str | os.PathLike[str], number: int = 0) -> str:
    """Write the case's graph and, beside it, its inputs; return the graph's path. Errors: T505.

    number: of the breach; from the second on it is put behind the name.
    """
    stem = Path(path).with_suffix("") if Path(path).suffix in (".thermo", ".npz") else Path(path)
    name = stem.name + (f"-{number + 1}" if number else "")
    model, data = stem.with_name(f"{name}.thermo"), stem.with_name(f"{name}.npz")
    save_graph(case.graph, model)
    write_atomic(data, npz_bytes(case.setting.inputs, compress=True))
    return str(model)


# ---------------------------------------------------------------------------------------------------------- cutting


def _cuts(place: ErrorLocation, setting: RunSettings) -> Iterator[Case]:
    """Yield the op alone, then with ever more of what stands before it, what lies beyond as recorded inputs."""
    names = [value.name for op in place.graph.ops if not isinstance(op, Output | Stored) for value in op.results]
    recorded = setting.reference(place.graph, probes=names).probes
    last, depth = -1, 0
    while True:
        ops = _before(place.graph, place.name, depth)
        if len(ops) == last:
            return
        yield _cut(place, ops, recorded, setting)
        # Twice as deep each time: a deep network takes few attempts.
        last, depth = len(ops), max(1, 2 * depth)


def _before(graph: Graph, name: str, depth: int) -> set[str]:
    """Return the first results of the ops within ``depth`` steps before a value; all that must be the same for every
    sample comes along whole."""
    names: set[str] = set()
    stack = [(graph.producers[name], depth)]
    best: dict[str, int] = {}
    while stack:
        op, remaining = stack.pop()
        key = op.results[0].name
        if best.get(key, -1) >= remaining:
            continue
        best[key] = remaining
        names.add(key)
        for operand, value in op.operand_values:
            spec = op.operand_specs[operand.split("[")[0]]
            source = graph.producers[value.name]
            if spec.uniform or spec.constant or isinstance(source, Stored):
                stack.append((source, max(remaining - 1, 0) if isinstance(source, Stored) else 10**6))
            elif remaining > 0:
                stack.append((source, remaining - 1))
    return names


def _cut(place: ErrorLocation, kept: set[str], recorded: dict[str, NDArray], setting: RunSettings) -> Case:
    graph = place.graph
    ops = [op for op in graph.ops if op.results and op.results[0].name in kept]
    produced = {value.name for op in ops for value in op.results}
    arrays = {op.name: setting.inputs[op.name] for op in ops if isinstance(op, Input)}
    recorded_inputs: list[Op] = []
    for value in dict.fromkeys(value for op in ops for value in op.inputs if value.name not in produced):
        name = value.name if value.name not in arrays else f"{value.name}.in"
        recorded_inputs.append(Input(name=name, shape=value.shape, dtype=value.dtype, role=value.role, y=value))
        arrays[name] = recorded[value.name]
    result = next(v for v in graph.producers[place.name].results if v.name == place.name)
    out = Output(x=result, name=place.name)
    return Case(graph=graph.with_ops([*recorded_inputs, *ops, out]), setting=replace(setting, inputs=arrays))


# -------------------------------------------------------------------------------------------------------- shrinking


def _one_sample(case: Case, still: Callable[[Case], bool]) -> Case:
    """Keep the last sample alone; where noise depends on its number it stays where it is."""
    last = replace(case, setting=case.setting.cut(samples=slice(case.setting.batch - 1, None)))
    return last if case.setting.batch > 1 and still(last) else case


def _fewer_ticks(case: Case, still: Callable[[Case], bool]) -> Case:
    """Leave out the first half of the ticks as long as that shows it, then the first quarter, ..."""
    if not any(op.traits & {STATEFUL, STOCHASTIC, CLOCKED} for op in case.graph.ops):
        last = replace(case, setting=case.setting.cut(ticks=slice(case.setting.ticks - 1, None)))
        return last if case.setting.ticks > 1 and still(last) else case
    step = case.setting.ticks // 2
    while step:
        shorter = (
            replace(case, setting=case.setting.cut(ticks=slice(step, None))) if step < case.setting.ticks else case
        )
        if shorter is not case and still(shorter):
            case = shorter
        else:
            step //= 2
    return case


def _fewer_units(case: Case, still: Callable[[Case], bool]) -> Case:
    """Halve each axis that a letter of the op names, where a single op is left."""
    working = [op for op in case.graph.ops if not isinstance(op, Input | Output | Stored)]
    if len(working) != 1:
        return case
    for axis in _axes(working[0]):
        while True:
            halves = (_sliced(case, axis, half) for half in _halves(_length(case, axis)))
            smaller = next((half for half in halves if half is not None and still(half)), None)
            if smaller is None:
                break
            case = smaller
    return case


Axis = tuple[str, int]
"""A letter of an op's shapes, or an axis (from the end) of a group of axes."""


def _axes(op: Op) -> Sequence[Axis]:
    axes = [axis for name, value in op.operand_values for axis in _axes_of(op, name, value)]
    return list(dict.fromkeys(axis for axis in axes if axis is not None))


def _axes_of(op: Op, operand: str, value: Value) -> list[Axis | None]:
    """Return what each axis of an operand is called, from the last one back; None where it has no name."""
    tokens = op.operand_specs[operand.split("[")[0]].shape.split()
    rank = len(value.type.shape) if value.type else 0
    group = next((i for i, token in enumerate(tokens) if token[0] in "*~"), None)
    if "?" in tokens or (group is None and len(tokens) != rank):
        return [None] * rank
    if group is None:
        return [(token, 0) for token in tokens]
    wide = rank - (len(tokens) - 1)
    middle: list[Axis | None] = [(tokens[group][1:], index - wide) for index in range(wide)]
    return [*((token, 0) for token in tokens[:group]), *middle, *((token, 0) for token in tokens[group + 1 :])]


def _op(case: Case) -> Op:
    return next(op for op in case.graph.ops if not isinstance(op, Input | Output | Stored))


def _length(case: Case, axis: Axis) -> int:
    op = _op(case)
    lengths = [
        length
        for name, value in op.operand_values
        if value.type is not None
        for axis_name, length in zip(_axes_of(op, name, value), value.type.shape)
        if axis_name == axis
    ]
    return max(lengths, default=1)


def _halves(length: int) -> list[NDArray]:
    return [half for half in np.array_split(np.arange(length), 2) if 0 < len(half) < length]


def _sliced(case: Case, axis: Axis, kept: NDArray) -> Case | None:
    """Return the case with these places of an axis alone, in every operand that has it."""
    op, length = _op(case), _length(case, axis)
    arrays, ops = dict(case.setting.inputs), []
    for source in case.graph.ops:
        cuts = _cuts_of(op, source, axis, length)
        for cut in cuts:
            if isinstance(source, Stored):
                source = source.with_(value=Array(np.take(source.value.numpy, kept, cut)))
            elif isinstance(source, Input):
                arrays[source.name] = np.take(arrays[source.name], kept, cut + 2)
                source = source.with_(shape=tuple(arrays[source.name].shape[2:]))
        ops.append(source)
    try:
        return Case(graph=retyped(case.graph.with_ops(ops)), setting=replace(case.setting, inputs=arrays))
    # Not every operand can lose half an axis: such a cut is left out.
    except (AssertionError, ThermocError):
        return None


def _cuts_of(op: Op, source: Op, axis: Axis, length: int) -> list[int]:
    """Return which axes of an input or a constant are this one."""
    if not isinstance(source, Input | Stored) or source.y.type is None:
        return []
    names = [_axes_of(op, name, value) for name, value in op.operand_values if value.name == source.y.name]
    shape = source.y.type.shape
    return [i for i, axis_name in enumerate(names[0]) if axis_name == axis and shape[i] == length] if names else []
