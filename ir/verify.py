"""All that is wrong with a graph, found at once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from thermoc.ir.dialects.core import Cast, Input, Output, Parameter, SparseAffine, Stored
from thermoc.ir.graph import Graph
from thermoc.ir.infer import infer
from thermoc.ir.ops import STOCHASTIC, Op
from thermoc.ir.types import Role
from thermoc.ir.values import Value
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import Finding, ThermocError

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*\Z")
LONGEST_NAME = 200
"""Letters of an input's, output's or parameter's name; targets write files called by it, and a file's name has 255."""


def is_name(name: object) -> bool:
    """Tell whether something can be the name of a value, an input or an output."""
    return isinstance(name, str) and NAME.match(name) is not None


def verify(graph: Graph) -> None:
    """Raise ThermocError with every finding if the graph is not well formed."""
    wrong = findings(graph)
    if wrong:
        raise ThermocError(wrong)


def findings(graph: Graph) -> list[Finding]:
    """Return every finding: names, attributes, types, constants, temperatures, batch variation, cycles."""
    wrong = {id(op): list(attribute_findings(op)) for op in graph.ops}
    # Every check below looks values up by name.
    names = list(_names(graph))
    reported = [*names, *(finding for findings_ in wrong.values() for finding in findings_), *_interface(graph)]
    if any(finding.code != "T105" for finding in names) or any(
        wrong[id(op)] for op in graph.ops if isinstance(op, Stored)
    ):
        return reported  # without names and constants there is nothing to ask types of
    for op in graph.ops:
        types = list(_types(op)) if not wrong[id(op)] else []
        reported += [
            *types,
            *_constants(graph, op, sound=not wrong[id(op)] and not types),
            *_batch(graph, op),
            *_known(graph, op),
        ]
    return [*reported, *_streams(graph), *_cycles(graph)]


def findings_of_numbers(graph: Graph, ops: Iterable[Op]) -> list[Finding]:
    """Return what is wrong with the known numbers that some ops of a graph read, which is verified but for these."""
    return [finding for op in ops for finding in _constants(graph, op, sound=True)]


def _names(graph: Graph) -> Iterator[Finding]:
    if not (np.isfinite(graph.dt) and graph.dt > 0):
        yield Finding(code="T105", what="the time step must be finite and > 0", notes=(f"dt = {graph.dt}",))
    counts = Counter(value.name for op in graph.ops for value in op.results)
    for op in graph.ops:
        for value in op.results:
            if counts[value.name] > 1:
                yield Finding(
                    code="T102",
                    what=f"{op.opname}: the name {value} is used {counts[value.name]} times",
                    where=op.location,
                )
            if not is_name(value.name):
                yield Finding(
                    code="T102",
                    what=f"{op.opname}: {value.name!r} is no name",
                    where=op.location,
                    hint="letters, digits, _ . - after a letter",
                )
        # Operands carry types of their own: a pass that retypes an op must reach all its readers.
        for name, value in op.operand_values:
            producer = graph.producers.get(value.name)
            if producer is None:
                yield Finding(
                    code="T101", what=f"{op.opname}: {name} reads {value}, which no op gives", where=op.location
                )
            elif value not in producer.results:
                result = next(v for v in producer.results if v.name == value.name)
                yield Finding(
                    code="T101",
                    what=f"{op.opname}: {name} reads {value} under another type",
                    where=op.location,
                    notes=(f"read as {value.type}", f"made by {producer.opname} as {result.type}"),
                )


def _interface(graph: Graph) -> Iterator[Finding]:
    for kind, ops in (("input", graph.of(Input)), ("output", graph.of(Output)), ("parameter", graph.of(Parameter))):
        for name, count in Counter(_stated_name(op) for op in ops).items():
            if count > 1:
                second = [op for op in ops if _stated_name(op) == name][1]
                what, hint = f"{count} {kind}s are named {name!r}", "give each its own name"
                yield Finding(code="T102", what=what, where=second.location, hint=hint)
            if not is_name(name):
                yield Finding(
                    code="T102", what=f"{kind} name {name!r} is no name", hint="letters, digits, _ . - after a letter"
                )
            elif len(name) > LONGEST_NAME:
                what, notes = f"{kind} name {name[:40]!r}... is too long", (f"it has {len(name)} letters",)
                hint = f"files are called by it: at most {LONGEST_NAME} letters"
                yield Finding(code="T102", what=what, notes=notes, hint=hint)
    if not graph.of(Output):
        yield Finding(code="T101", what=f"network {graph.name!r} has no output", hint='add tc.output("name", value)')


def _stated_name(op: Any) -> str:
    return op.name if isinstance(op.name, str) else f"<{op.name!r}>"  # a file's may be anything


def attribute_findings(op: Op) -> Iterator[Finding]:
    """Yield what is wrong with an op's attributes alone."""
    for name, spec in op.attr_specs.items():
        value = getattr(op, name)
        if isinstance(value, float) and not np.isfinite(value):
            yield Finding(
                code="T105", what=f"{op.opname}: {name} must be finite", where=op.location, notes=(f"{name} = {value}",)
            )
        elif isinstance(value, int) and not -(2**63) <= value < 2**63:
            notes = (f"it has {value.bit_length()}",)
            yield Finding(code="T105", what=f"{op.opname}: {name} must fit 64 bits", where=op.location, notes=notes)
        elif spec.check is not None and not spec.check.holds(value):
            yield Finding(
                code="T105",
                what=f"{op.opname}: {name} must be {spec.check.text}",
                where=op.location,
                notes=(f"{name} = {value!r}",),
            )


def _types(op: Op) -> Iterator[Finding]:
    if any(value.type is None for value in (*op.inputs, *op.results)):
        untyped = next(value for value in (*op.inputs, *op.results) if value.type is None)
        yield Finding(
            code="T203",
            what=f"{op.opname}: {untyped} has no type",
            where=op.location,
            hint="run the pass infer-shapes first",
        )
        return
    types, mismatches = infer(op)
    yield from mismatches
    for name, expected in types.items():
        stated = getattr(op, name).type
        if stated != expected:
            notes = (f"stated: {stated}", f"follows: {expected}")
            yield Finding(
                code="T103",
                what=f"{op.opname}: the type of {getattr(op, name)} does not follow from its operands",
                where=op.location,
                notes=notes,
            )


def _constants(graph: Graph, op: Op, *, sound: bool) -> Iterator[Finding]:
    """sound: attributes and types of the op are right, so that it can be asked about its numbers."""
    if isinstance(op, Stored):
        yield from _finite(op)
    if isinstance(op, SparseAffine) and all(value.type is not None for value in op.inputs):
        yield from _rows(graph, op)
    if sound and type(op).problems is not Op.problems and all(value.type is not None for value in op.inputs):
        yield from _numbers(graph, op)
    for name, spec in op.operand_specs.items():
        value = getattr(op, name)
        if spec.role is not Role.temperature or value is None:
            continue
        source = graph.producers[value.name]
        if isinstance(source, Stored):
            bad = np.argwhere(~(source.value.numpy > 0))
            if len(bad):
                index, worst = _element(source, bad)
                hint = "a temperature is > 0; for the limit T -> 0 use a small one, e.g. 1e-6"
                yield Finding(
                    code="T108",
                    what=f"{op.opname}: {name} must be > 0",
                    where=op.location,
                    notes=(f"{name} ({value}){index} = {worst}",),
                    hint=hint,
                )


def _numbers(graph: Graph, op: Op) -> Iterator[Finding]:
    """Ask the op about those of its operands that are known and finite."""
    numbers: dict[str, AnyArray] = {}
    for name in op.operand_specs:
        operand = getattr(op, name)
        source = graph.producers[operand.name] if isinstance(operand, Value) else None
        if name in op.at_start and source is not None and source.results[0] == operand and hasattr(source, "initial"):
            source = graph.producers[source.initial.name]  # type: ignore[attr-defined]
        if isinstance(source, Stored) and _as_stated(source) and not list(_finite(source)):
            numbers[name] = source.value.numpy
    for problem in op.problems(numbers):
        what = f"{op.opname}: {problem.what}"
        yield Finding(code=problem.code, what=what, where=op.location, notes=problem.notes, hint=problem.hint)


def _as_stated(constant: Stored) -> bool:
    """Tell whether a constant's array has the type its result states; where it has not, the constant is at fault."""
    stated, array = constant.y.type, constant.value.numpy
    return stated is not None and (stated.shape, stated.dtype.numpy) == (array.shape, array.dtype)


def _known(graph: Graph, op: Op) -> Iterator[Finding]:
    for name, spec in op.operand_specs.items():
        value = getattr(op, name)
        source = graph.producers.get(value.name) if spec.constant and value is not None else None
        # a parameter that is also computed with stays in its format, and is rounded for this op alone
        source = graph.producers.get(source.x.name) if isinstance(source, Cast) else source
        if source is not None and not isinstance(source, Stored):
            what = f"{op.opname}: {name} must be numbers that are known when the network is compiled"
            notes = (f"{name} ({value}) comes from {source.opname}",)
            yield Finding(code="T105", what=what, where=op.location, notes=notes, hint="pass an array")


def _finite(op: Stored) -> Iterator[Finding]:
    array = op.value.numpy
    if array.dtype.kind != "f":
        return
    # One sum instead of a mask as large as the array: it is finite unless an element is not, or it overflows.
    with np.errstate(invalid="ignore", over="ignore"):
        total = np.sum(array, dtype=np.float64)
    if np.isfinite(total):
        return
    bad = np.argwhere(~np.isfinite(array))
    if len(bad):
        index, worst = _element(op, bad)
        note = f"{op.y}{index} = {worst}" + (f", and {len(bad) - 1} more" if len(bad) > 1 else "")
        yield Finding(
            code="T107",
            what=f"{op.opname}: every element must be finite",
            where=op.location,
            notes=(note,),
            hint="check the weights before building the network",
        )


def _rows(graph: Graph, op: SparseAffine) -> Iterator[Finding]:
    """Compressed rows must name entries that are there, and elements of x that are there."""
    sources = (graph.producers[value.name] for value in (op.offsets, op.columns))
    offsets, columns = (source.value.numpy if isinstance(source, Stored) else None for source in sources)
    entries, width = op.values.size, op.x.size
    if offsets is not None and not offsets.size:
        note = f"there are none, and {entries} entries; n rows have n + 1 offsets"
        what = f"{op.opname}: offsets must rise from 0 to the number of entries"
        yield Finding(code="T105", what=what, where=op.location, notes=(note,))
    elif offsets is not None and (offsets[0] != 0 or offsets[-1] != entries or (np.diff(offsets) < 0).any()):
        note = f"they run from {offsets[0]} to {offsets[-1]}, there are {entries} entries"
        what = f"{op.opname}: offsets must rise from 0 to the number of entries"
        yield Finding(code="T105", what=what, where=op.location, notes=(note,))
    if columns is not None and columns.size and (columns.min() < 0 or columns.max() >= width):
        bad = int(np.argmax((columns < 0) | (columns >= width)))
        note = f"columns[{bad}] = {columns[bad]}, x has {width} elements"
        yield Finding(code="T105", what=f"{op.opname}: a column lies outside x", where=op.location, notes=(note,))


def _element(op: Stored, bad: np.ndarray) -> tuple[str, object]:
    index = tuple(int(i) for i in bad[0])
    return (f"[{', '.join(map(str, index))}]" if index else ""), op.value.numpy[index]


def _batch(graph: Graph, op: Op) -> Iterator[Finding]:
    for name, spec in op.operand_specs.items():
        value = getattr(op, name)
        if spec.uniform and value is not None and value.name not in graph.uniform:
            yield Finding(
                code="T109",
                what=f"{op.opname}: {name} must be the same for every sample",
                where=op.location,
                notes=(f"{name} ({value}) depends on an input or on noise",),
                hint="use core.matmul or core.mul for products of two varying values",
            )


def _streams(graph: Graph) -> Iterator[Finding]:
    users: dict[tuple[int, int], Op] = {}
    for op in graph.ops:
        if STOCHASTIC in op.traits:
            # Two ops with one key would draw equal numbers, unit for unit: correlated noise, and no error anywhere.
            key = (op.attrs["stream"], op.attrs.get("draw", 0))
            user = users.setdefault(key, op)
            if user is not op:
                notes = (f"stream {key[0]}, draw {key[1]}", f"also used by {user.opname} ({user.results[0]})")
                yield Finding(
                    code="T105",
                    what=f"{op.opname}: its noise is another op's noise",
                    where=op.location,
                    notes=notes,
                    hint="give each its own stream",
                )


def _cycles(graph: Graph) -> Iterator[Finding]:
    if graph.listed_in_order:
        return
    import networkx

    components: Iterable[set[int]] = networkx.strongly_connected_components(graph.to_networkx(instant=True))
    for members in components:
        # One op alone is a cycle only where it reads itself.
        first = min(members)
        if len(members) == 1 and all(
            value.name not in {v.name for v in graph.ops[first].results} for value in graph.ops[first].instant_inputs
        ):
            continue
        ops = [graph.ops[index] for index in sorted(members)]
        names = ", ".join(f"{op.results[0]} ({op.opname})" for op in ops[:8]) + (", ..." if len(ops) > 8 else "")
        yield Finding(
            code="T106",
            what="a cycle crosses no state",
            where=ops[0].location,
            notes=(f"it goes through {names}",),
            hint="put a core.delay into it",
        )
