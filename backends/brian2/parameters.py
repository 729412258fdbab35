"""Parameters in a script: arrays of its data file, what is computed of them, and who reads which elements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.dialects import core
from thermoc.ir.element_indices import ElementIndices
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.parameters import ParameterCone, behind, frozen
from thermoc.ir.reference.core import ELEMENTWISE
from thermoc.ir.values import Array


@dataclass(frozen=True, kw_only=True)
class ArrayElements:
    """Elements of a named array of the script, flat."""

    array: str
    places: ElementIndices

    def __len__(self) -> int:
        return len(self.places)

    def equals(self, other: object) -> bool:
        """Tell whether these are the same elements."""
        if not isinstance(other, ArrayElements) or self.array != other.array:
            return False
        return np.array_equal(self.places, other.places)


@dataclass(frozen=True, kw_only=True)
class ScriptParameters:
    """Arrays that a script reads under the parameters' names, and its lines that compute others of them.

    fixed: parameters of which the script can compute something with its numbers as they are alone.
    """

    arrays: Mapping[str, NDArray] = field(default_factory=dict[str, NDArray])
    lines: tuple[str, ...] = ()
    fixed: frozenset[str] = frozenset()


def apart(graph: Graph) -> tuple[Graph, ScriptParameters]:
    """Return the graph with what is computed of parameters alone as parameters, and how a script computes it."""
    cone = ParameterCone(graph)
    unsaid = [op for op in cone.ops if not isinstance(op, core.Parameter) and type(op) not in TEXTS]
    fixed = frozenset(name for op in unsaid for name in behind(graph, op.results[0]))
    if fixed:
        graph = _folded(graph, cone, fixed)
        cone = ParameterCone(graph)
    values = cone.values({})
    cone_ops = {id(op) for op in cone.ops}
    ops: list[Op] = []
    for op in graph.ops:
        if id(op) not in cone_ops:
            ops.append(op)
            continue
        ops += [
            core.Parameter(name=cone.title(v.name), value=Array(values[v.name]), role=v.role, y=v, location=op.location)
            for v in op.results
            if v.name in values
        ]
    arrays = {name: op.value.numpy for name, op in graph.parameters.items()}
    return graph.with_ops(ops), ScriptParameters(arrays=arrays, lines=_lines(graph, cone), fixed=fixed)


def _folded(graph: Graph, cone: ParameterCone, fixed: frozenset[str]) -> Graph:
    """Return the graph with everything that depends on these parameters computed."""
    values = cone.values({})
    known = frozen(graph, fixed)
    constants = {
        value.name: core.Constant(value=Array(values[value.name]), role=value.role, y=value, location=op.location)
        for op in cone.ops
        for value in op.results
        if value.name in values and fixed.intersection(behind(graph, value))
    }
    return known.with_ops(constants.get(op.results[0].name, op) if op.results else op for op in known.ops)


def _lines(graph: Graph, cone: ParameterCone) -> tuple[str, ...]:
    lines: list[str] = []
    constants = {op.y.name: op.value.numpy for op in graph.of(core.Constant)}

    def read(name: str) -> str:
        return _number(constants[name]) if name in constants else read_array(cone.title(name))

    for op in cone.ops:
        if not isinstance(op, core.Parameter):
            text = TEXTS[type(op)](op, *(read(value.name) for value in op.inputs))
            lines.append(f"{read_array(cone.title(op.results[0].name))} = {text}")
    return tuple(lines)


def read_array(title: str) -> str:
    """Return the text that reads a named array: of the data file, or computed by the script."""
    return f"computed[{title[1:]!r}]" if title.startswith("%") else f"data[{title!r}]"


def _number(array: NDArray) -> str:
    return f"np.array({array.tolist()!r}, {array.dtype.name!r})" if array.ndim else repr(array.item())


def _ufunc(name: str) -> Callable[..., str]:
    # the name that it has in every NumPy: "power" for "pow"
    return lambda op, *texts: f"np.{getattr(np, name).__name__}({', '.join(texts)})"


def _slice(op: core.Slice, x: str) -> str:
    cuts = (f"{start}:{stop}:{step}" for start, stop, step in zip(op.starts, op.stops, op.steps))
    return f"{x}[{', '.join(cuts)}]"


TEXTS: dict[type[Op], Callable[..., str]] = {
    **{cls: _ufunc(name) for cls, name in ELEMENTWISE.items()},
    core.Reshape: lambda op, x: f"np.reshape({x}, {tuple(op.shape)})",
    core.Flatten: lambda op, x: f"np.ravel({x})",
    core.Transpose: lambda op, x: f"np.transpose({x}, {tuple(op.axes)})",
    core.Broadcast: lambda op, x: f"np.broadcast_to({x}, {tuple(op.shape)})",
    core.Slice: _slice,
    core.Concat: lambda op, *xs: f"np.concatenate([{', '.join(xs)}], {op.axis})",
    core.Cast: lambda op, x: f"np.asarray({x}).astype({op.dtype.numpy.name!r})",
}
"""What a script computes of parameters, as NumPy has it."""


def with_weights(op: Any, name: str, terms: Callable[[Any, Any], Any], views: Any) -> Any:
    """Return the terms of a linear map whose weights are elements of a named array."""
    weight = getattr(op, name)
    view = views.view(weight)
    source = views.graph.producers[view.root]
    places = np.arange(source.value.numpy.size) if view.places is None else view.places
    # Numbers that say where each weight comes from stand for it; from 1, for weights of 0 are left out.
    said = terms(op, lambda value: (places + 1).reshape(value.shape) if value == weight else views.numbers(value))
    return said if said is None else replace(said, weight=ArrayElements(array=source.name, places=said.weight - 1))
