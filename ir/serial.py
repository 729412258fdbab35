"""Graphs as ``.thermo`` files: one safetensors file, arrays as tensors, the graph as JSON in its metadata.

Format version 2: {"name", "dt", "ops": [{"op", "operands", "attrs", "results"}]}; an attribute that is an array is
{"tensor": name}, and the name of a parameter's tensor is the parameter's own. Every older version stays readable.
Version 1 called some temperatures "kT", and its older files name the source line of an op, as "at".

Equal graphs give equal bytes, so lines of the program that wrote a graph are not stored.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, cast

from thermoc.ir.dialects.core import Parameter
from thermoc.ir.graph import Graph
from thermoc.ir.ops import REGISTRY, Op
from thermoc.ir.parser import parse_type, tuples
from thermoc.ir.values import Array, Value
from thermoc.ir.verify import verify
from thermoc.support.array_types import AnyArray
from thermoc.support.bundle import bundle_bytes, parse_bundle
from thermoc.support.errors import Location
from thermoc.support.files import write_atomic
from thermoc.support.limits import MODEL_BYTES, NAME_LENGTH
from thermoc.support.loading import cut, damaged, read_bytes, reading

KIND = "thermoc graph"
VERSION = 2
RENAMED = {"kT": "T"}
"""Operands that version 1 called otherwise."""


def save_graph(graph: Graph, path: str | os.PathLike[str]) -> int:
    """Write a graph, whole or not at all; return the file's size in bytes. Errors: T1xx (not well formed), T505."""
    data = graph_bytes(graph)
    write_atomic(path, data)
    return len(data)


def graph_bytes(graph: Graph) -> bytes:
    """Return the content of a graph's file. Errors: T1xx (not well formed)."""
    verify(graph)
    document, arrays = graph_document(graph)
    return bundle_bytes(kind=KIND, version=VERSION, document=document, arrays=arrays)


def graph_document(graph: Graph) -> tuple[dict[str, Any], dict[str, AnyArray]]:
    """Return a verified graph as JSON values, and the arrays that they name."""
    arrays: dict[str, AnyArray] = {}
    keys = {op.y.name: op.name for op in graph.of(Parameter)}
    document = {"name": graph.name, "dt": graph.dt, "ops": [_encode(op, arrays, keys) for op in graph.ops]}
    return document, arrays


def load_graph(path: str | os.PathLike[str]) -> Graph:
    """Read and verify a graph; its arrays are in memory, and the file may change. Errors: T1xx, T501 to T504."""
    return parse_graph_file(read_bytes(path, most=MODEL_BYTES), path)


def parse_graph_file(data: bytes, source: object) -> Graph:
    """Return the graph in the bytes of a ``.thermo`` file, verified. Errors: T1xx, T502 to T504."""
    bundle = parse_bundle(data, source, kind=KIND, version=VERSION)
    return document_graph(bundle.document, bundle.arrays, source)


def document_graph(document: Any, arrays: Mapping[str, AnyArray], source: object) -> Graph:
    """Return the graph of what ``graph_document`` gives, verified. Errors: T1xx, T502, T504."""
    with reading(source, "a thermoc graph"):
        graph = _graph(document, arrays, source)
        verify(graph)
    return graph


def _graph(document: Any, arrays: Mapping[str, AnyArray], source: object) -> Graph:
    try:
        ops = [_decode(entry, arrays) for entry in document["ops"]]
        typed = {value.name: value for op in ops for value in op.results}
        # Operands are stored as names; their types stand where they are results.
        ops = [op.renamed(lambda value: typed.get(value.name, value)) for op in ops]
        return Graph(name=_name(document["name"]), dt=float(document["dt"]), ops=tuple(ops))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as reason:
        raise damaged(source, "a thermoc graph", f"{type(reason).__name__}: {reason}") from None


def _name(text: Any) -> str:
    if not isinstance(text, str) or len(text) > NAME_LENGTH:
        raise TypeError(f"{cut(repr(text), 80)} is no name")
    return text


def _encode(op: Op, arrays: dict[str, AnyArray], parameters: Mapping[str, str]) -> dict[str, Any]:
    """parameters: their names, by the names of their values; no other tensor gets one of these."""
    attrs: dict[str, Any] = {}
    for name, value in op.attrs.items():
        if isinstance(value, Array):
            key = parameters.get(op.results[0].name, f"{op.results[0].name}.{name}")
            while not isinstance(op, Parameter) and key in parameters.values():
                key += "_"
            arrays[key] = value.numpy
            attrs[name] = {"tensor": key}
        else:
            attrs[name] = value
    return {
        "op": op.opname,
        "operands": {name: _names(getattr(op, name)) for name in op.operand_specs if getattr(op, name) is not None},
        "attrs": attrs,
        "results": {name: [getattr(op, name).name, str(getattr(op, name).type)] for name in op.result_specs},
    }


def _names(operand: Value | tuple[Value, ...]) -> list[str] | str:
    return [value.name for value in operand] if isinstance(operand, tuple) else operand.name


def _decode(entry: dict[str, Any], arrays: Mapping[str, AnyArray]) -> Op:
    cls = REGISTRY[entry["op"]]
    operands: dict[str, Any] = {RENAMED.get(name) or name: _values(names) for name, names in entry["operands"].items()}
    results = {name: Value(_name(value), parse_type(kind)) for name, (value, kind) in entry["results"].items()}
    attrs = {name: _attr(value, arrays) for name, value in entry["attrs"].items()}
    return cls(**operands, **results, **attrs, location=_location(entry.get("at")))


def _location(at: Any) -> Location | None:
    """Return the line that an older file names: text, which is never opened."""
    if not at:
        return None
    file, line = at
    return Location(_name(file), int(line), live=False)


def _values(names: Any) -> Value | tuple[Value, ...]:
    if isinstance(names, list):
        return tuple(Value(_name(name)) for name in cast("list[Any]", names))
    return Value(_name(names))


def _attr(value: Any, arrays: Mapping[str, AnyArray]) -> Any:
    if isinstance(value, dict):
        return Array(arrays[cast("dict[str, Any]", value)["tensor"]])
    return tuples(value)
