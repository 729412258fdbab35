"""Graphs as ``.thermo`` files: one safetensors file, constants as tensors, the graph as JSON in its metadata.

Format version 1: {"name", "dt", "ops": [{"op", "operands", "attrs", "results", "at"}]}; an attribute that is an array
is {"tensor": name}. Every older version stays readable.
"""

from __future__ import annotations

import os
from typing import Any

from numpy.typing import NDArray

from thermoc.ir.graph import Graph
from thermoc.ir.ops import REGISTRY, Op
from thermoc.ir.text import parse_type, tuples
from thermoc.ir.values import Array, Value
from thermoc.ir.verify import verify
from thermoc.support.errors import Location, error
from thermoc.support.files import Bundle, bundle_bytes, read_bundle, write_atomic

KIND = "thermoc graph"
VERSION = 1


def save_graph(graph: Graph, path: str | os.PathLike[str]) -> int:
    """Write a graph, whole or not at all; return the file's size in bytes. Errors: T1xx (not well formed), T505."""
    data = graph_bytes(graph)
    write_atomic(path, data)
    return len(data)


def graph_bytes(graph: Graph) -> bytes:
    """Return the content of a graph's file. Errors: T1xx (not well formed)."""
    verify(graph)
    arrays: dict[str, NDArray] = {}
    document = {"name": graph.name, "dt": graph.dt, "ops": [_encode(op, arrays) for op in graph.ops]}
    return bundle_bytes(kind=KIND, version=VERSION, document=document, arrays=arrays)


def load_graph(path: str | os.PathLike[str]) -> Graph:
    """Read and verify a graph; its arrays are mapped from the file. Errors: T1xx, T501 to T504."""
    bundle = read_bundle(path, kind=KIND, version=VERSION)
    try:
        ops = [_decode(entry, bundle) for entry in bundle.document["ops"]]
        known = {value.name: value for op in ops for value in op.results}
        ops = [op.renamed(lambda value: known.get(value.name, value)) for op in ops]
        graph = Graph(name=str(bundle.document["name"]), dt=float(bundle.document["dt"]), ops=tuple(ops))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as reason:
        raise error("T502", f"{path} does not describe a graph", notes=[f"{type(reason).__name__}: {reason}"]) from None
    verify(graph)
    return graph


def _encode(op: Op, arrays: dict[str, NDArray]) -> dict[str, Any]:
    attrs: dict[str, Any] = {}
    for name, value in op.attrs.items():
        if isinstance(value, Array):
            key = f"{op.results[0].name}.{name}"
            arrays[key] = value.numpy
            attrs[name] = {"tensor": key}
        else:
            attrs[name] = value
    return {
        "op": op.opname,
        "operands": {name: _names(getattr(op, name)) for name in op.operand_specs if getattr(op, name) is not None},
        "attrs": attrs,
        "results": {name: [getattr(op, name).name, str(getattr(op, name).type)] for name in op.result_specs},
        "at": [op.location.file, op.location.line] if op.location else None,
    }


def _names(held: Value | tuple[Value, ...]) -> Any:
    return [value.name for value in held] if isinstance(held, tuple) else held.name


def _decode(entry: dict[str, Any], bundle: Bundle) -> Op:
    cls = REGISTRY[entry["op"]]
    operands = {name: _values(held) for name, held in entry["operands"].items()}
    results = {name: Value(value, parse_type(kind)) for name, (value, kind) in entry["results"].items()}
    attrs = {name: _attr(value, bundle) for name, value in entry["attrs"].items()}
    location = Location(str(entry["at"][0]), int(entry["at"][1])) if entry.get("at") else None
    return cls(**operands, **results, **attrs, location=location)


def _values(held: Any) -> Any:
    return tuple(Value(name) for name in held) if isinstance(held, list) else Value(held)


def _attr(value: Any, bundle: Bundle) -> Any:
    return Array(bundle.arrays[value["tensor"]]) if isinstance(value, dict) else tuples(value)
