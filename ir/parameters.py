"""Parameters of a graph: replaced by other arrays, frozen into constants, and what is computed from them alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from thermoc.ir.dialects.core import Constant, Output, Parameter
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.reference import evaluate
from thermoc.ir.values import Array, Value
from thermoc.ir.verify import findings_of_numbers
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import Finding, ThermocError, error
from thermoc.support.suggestions import near

GROWTH = 4096
"""What is computed from known arrays may have this many elements more than they have: nothing blows a graph up."""


def with_parameters(graph: Graph, parameters: Mapping[str, AnyArray]) -> Graph:
    """Return the graph with other values of some parameters, in the dtypes that it has; names it lacks are skipped."""
    fresh = {
        name: op.with_(value=Array(np.asarray(parameters[name], op.value.numpy.dtype)))
        for name, op in graph.parameters.items()
        if name in parameters
    }
    return graph.with_ops(fresh.get(op.name, op) if isinstance(op, Parameter) else op for op in graph.ops)


def frozen(graph: Graph, names: Collection[str] | None = None) -> Graph:
    """Return the graph with parameters as constants: those named, or all."""
    if not graph.parameters:
        return graph
    return graph.with_ops(
        Constant(value=op.value, role=op.role, y=op.y, location=op.location)
        if isinstance(op, Parameter) and (names is None or op.name in names)
        else op
        for op in graph.ops
    )


def fits(result: Value, operands: int) -> bool:
    """Tell whether a pure op of known arrays, ``operands`` elements in all, is worth computing beforehand."""
    return result.type is not None and result.size <= GROWTH + operands


@dataclass(frozen=True, eq=False)
class ParameterCone:
    """The ops of a graph that depend on parameters and constants alone, on a parameter at least.

    They are computed once for each setting of the parameters, by the reference, and never in a tick.
    """

    graph: Graph

    @cached_property
    def ops(self) -> tuple[Op, ...]:
        """Its ops, each behind those it reads."""
        constants = {op.y.name for op in self.graph.of(Constant)}
        inside: set[str] = set()
        cone: list[Op] = []
        for op in self.graph.order if self.graph.parameters else ():
            names = {value.name for value in op.inputs}
            ready = names <= constants | inside and not names <= constants and op.pure()
            size = sum(value.size for value in op.inputs) if ready else 0
            computed = ready and not isinstance(op, Output) and all(fits(value, size) for value in op.results)
            if computed or isinstance(op, Parameter):
                cone.append(op)
                inside.update(value.name for value in op.results)
        return tuple(cone)

    @cached_property
    def names(self) -> frozenset[str]:
        """Names of all its values."""
        return frozenset(value.name for op in self.ops for value in op.results)

    @cached_property
    def border(self) -> frozenset[str]:
        """Names of its values that ops outside of it read."""
        inside = {id(op) for op in self.ops}
        return frozenset(v.name for op in self.graph.ops if id(op) not in inside for v in op.inputs) & self.names

    @cached_property
    def inner(self) -> frozenset[str]:
        """Names of the values, constants among them, that its ops alone read."""
        inside = {id(op) for op in self.ops}
        read = {value.name for op in self.ops for value in op.inputs}
        constants = {op.y.name for op in self.graph.of(Constant)} & read
        outside = {v.name for op in self.graph.ops if id(op) not in inside for v in op.inputs}
        return frozenset((self.names | constants) - outside)

    def values(self, parameters: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
        """Return the values at its border; parameters that are left out are as they are in the graph.

        Errors: T418 where one is not finite.
        """
        producers = self.graph.producers
        values: dict[str, AnyArray] = {}
        for op in self.ops:
            if isinstance(op, Parameter):
                values[op.y.name] = np.asarray(parameters.get(op.name, op.value.numpy), op.value.numpy.dtype)
                continue
            stored = {v: producers[v.name] for v in op.inputs if v.name not in values}
            operands = {value: values[value.name] for value in op.inputs if value.name in values}
            operands |= {value: source.value.numpy for value, source in stored.items() if isinstance(source, Constant)}
            values.update(zip((value.name for value in op.results), evaluate(op, operands)))
        for name in self.border:
            self._check_finite(name, values[name])
        return {name: values[name] for name in self.border}

    def title(self, name: str) -> str:
        """Return what the numbers of a value are stored as: a parameter's under its own name."""
        op = self.graph.producers[name]
        return op.name if isinstance(op, Parameter) else f"%{name}"

    def _check_finite(self, name: str, array: AnyArray) -> None:
        if array.dtype.kind != "f":
            return
        with np.errstate(invalid="ignore", over="ignore"):
            total = np.sum(array)
        if np.isfinite(total) or np.isfinite(array).all():
            return
        op = self.graph.producers[name]
        parameters = sorted(behind(self.graph, op.results[0]))
        notes = (f"{op.opname} (%{name}) of {', '.join(parameters)} gives {array[~np.isfinite(array)][0]}",)
        raise error("T418", "parameters make numbers that are not finite", where=op.location, notes=notes)


def behind(graph: Graph, value: Value) -> list[str]:
    """Return the names of the parameters that a value is a pure function of, among other things, in no order."""
    names: list[str] = []
    stack, visited = [value.name], {value.name}
    while stack:
        op = graph.producers[stack.pop()]
        if isinstance(op, Parameter):
            names.append(op.name)
        fresh = [item.name for item in op.inputs if op.pure() and item.name not in visited]
        visited.update(fresh)
        stack += fresh
    return names


def checked(graph: Graph, parameters: Mapping[str, ArrayLike]) -> Graph:
    """Return a verified graph with other values of some parameters, in the dtypes it has. Errors: T418, T105, T108."""
    if not isinstance(parameters, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]  (users pass anything)
        notes, hint = [f"a {type(parameters).__name__} was given"], 'parameters={"W": array}'
        raise error("T418", "parameters are arrays by name", notes=notes, hint=hint)
    arrays: dict[str, AnyArray] = {}
    findings: list[Finding] = []
    for name, value in parameters.items():
        op = graph.parameters.get(name)
        if op is None:
            findings.append(unknown_parameter(graph, name))
            continue
        problem = _problem(op, value)
        if problem is not None:
            findings.append(problem)
            continue
        arrays[name] = np.array(value, op.value.numpy.dtype)
    changed = with_parameters(graph, arrays)
    if not findings:
        readers = {id(op): op for name in arrays for op in graph.consumers[graph.parameters[name].y.name]}
        findings += findings_of_numbers(changed, readers.values())
    if findings:
        raise ThermocError(findings)
    return changed


def unknown_parameter(graph: Graph, name: str) -> Finding:
    """Return the finding of a name that no parameter has."""
    names = list(graph.parameters)
    hint = near(name, names, "parameters are made by tc.parameter and by layers")
    what = f"the network has no parameter {name!r}"
    return Finding(code="T418", what=what, notes=(f"its parameters are {names}",), hint=hint)


def _problem(op: Parameter, value: ArrayLike) -> Finding | None:
    """Return what is wrong with a new value; integers go into floats, floats not into integers."""

    def wrong(what: str, *notes: str, hint: str) -> Finding:
        return Finding(code="T418", what=f"parameter {op.name!r} {what}", where=op.location, notes=notes, hint=hint)

    stated = op.value.numpy
    try:
        array = np.asarray(value)
    except ValueError as reason:
        return wrong("is not a regular array", str(reason), hint=f"give an array of shape {list(stated.shape)}")
    if array.shape != stated.shape:
        notes = (f"the new value has shape {list(array.shape)}", f"the network's has shape {list(stated.shape)}")
        return wrong("has another shape", *notes, hint="a parameter keeps its shape")
    if array.dtype.kind not in "biuf" or not np.can_cast(array.dtype, stated.dtype, "same_kind"):
        notes = (f"the new value is {array.dtype}", f"the network's is {stated.dtype}")
        return wrong("has another kind of numbers", *notes, hint=f"give numbers that {stated.dtype} holds")
    for place in _broken(array, stated.dtype):
        index = f"[{', '.join(map(str, place))}]" if place else ""
        notes = (f"{op.name}{index} = {array[place]}", f"the network holds {stated.dtype}")
        return wrong("holds what is not a finite number there", *notes, hint="every element must be finite")
    return None


def _broken(array: AnyArray, dtype: np.dtype) -> Iterator[tuple[int, ...]]:
    """Yield the places of elements that the dtype cannot hold."""
    if array.dtype.kind not in "fiu" or dtype.kind not in "fiu":
        return
    with np.errstate(over="ignore", invalid="ignore"):
        converted = array.astype(dtype, copy=False)
        # One sum instead of a mask as large as the array, as the verifier does.
        if dtype.kind == "f" and np.isfinite(converted.sum()):
            return
    bad = ~np.isfinite(converted) if dtype.kind == "f" else converted != array
    yield from (tuple(map(int, index)) for index in np.argwhere(bad)[:1])
