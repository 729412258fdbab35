"""The model in an ``.onnx`` file: parsed, and refused where it asks for what is not read."""

from __future__ import annotations

import os
from typing import Any

from thermoc.support.errors import Location, ThermocError, error
from thermoc.support.loading import cut, damaged, read_bytes

MOST_BYTES = 2**31 - 1
"""What one protocol buffer can hold."""
MOST_NODES = 1_000_000
"""Nodes once every function is written out."""
OURS = frozenset({"", "ai.onnx"})


def model(path: str | os.PathLike[str]) -> Any:
    """Return the model of a file. Errors: T501, T502, T504."""
    from google.protobuf.message import DecodeError
    from onnx import ModelProto

    proto = ModelProto()
    try:
        proto.ParseFromString(read_bytes(path, most=MOST_BYTES))
    except DecodeError as reason:
        raise damaged(path, "an ONNX model", str(reason)) from None
    if not proto.HasField("graph") or not proto.opset_import:
        raise damaged(path, "an ONNX model", "it holds no graph, or names no operator set")
    return proto


def checked(model: Any, source: str) -> Any:
    """Return the model with its functions written out. Errors: T504, T507."""
    if model.training_info:
        raise _refused(source, "model", "it holds how it is trained, which is not read")
    if not model.functions:
        return model
    _check_functions(model, source)
    from onnx import inliner

    return inliner.inline_local_functions(model)


def opset(model: Any, source: str) -> int:
    """Return the version of the standard's operators. Errors: T503, T507."""
    from onnx import defs

    version = next((item.version for item in model.opset_import if item.domain in OURS), None)
    if version is None:
        raise _refused(source, "model", "it uses no operators of the standard")
    if version > defs.onnx_opset_version():
        notes = [f"it is of opset {version}", f"the installed onnx knows {defs.onnx_opset_version()}"]
        raise error("T503", f"{source} is newer than the installed onnx", notes=notes, hint="pip install -U onnx")
    return version


def _check_functions(model: Any, source: str) -> None:
    """Refuse functions that call themselves, or that would be written out without end. Errors: T504, T507."""
    bodies = {(f.domain, f.name): list(f.node) for f in model.functions}
    sizes: dict[tuple[str, str], int] = {}
    open_: list[tuple[str, str]] = []

    def size(key: tuple[str, str]) -> int:
        if key in open_:
            cycle = " -> ".join(cut(name, 40) for _, name in [*open_[open_.index(key) :], key])
            raise _refused(source, f"function {cut(key[1], 80)!r}", "functions call one another in a cycle", cycle)
        if key not in sizes:
            open_.append(key)
            sizes[key] = total(bodies[key])
            open_.pop()
        return sizes[key]

    def total(nodes: Any) -> int:
        count = 0
        for node in nodes:
            key = node.domain, node.op_type
            count += size(key) if key in bodies else 1
            count += sum(total(item.g.node) for item in node.attribute if item.HasField("g"))
            if count > MOST_NODES:
                notes = [f"its functions become more than {MOST_NODES} nodes"]
                raise error("T504", f"{source} asks for too much", notes=notes)
        return count

    total(model.graph.node)
    for key in bodies:
        size(key)


def _refused(source: str, node: str, why: str, *notes: str) -> ThermocError:
    return error("T507", why, where=Location.of_node(source, node), notes=notes)
