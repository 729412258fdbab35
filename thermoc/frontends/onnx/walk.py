"""Nodes one after another: operands found, known numbers computed, and the rest built by the table."""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from thermoc.frontends.onnx import folding
from thermoc.frontends.onnx.arrays import array_of
from thermoc.frontends.onnx.operator import Node
from thermoc.frontends.onnx.site import Site
from thermoc.frontends.onnx.table import operators
from thermoc.frontends.onnx.tensor import Tensor, known
from thermoc.support.errors import ThermocError

DEPTH = 32
"""Graphs within graphs, and functions within functions."""
OURS = frozenset({"", "ai.onnx"})
ABSENT = known(np.zeros(0))
"""What stands for an output that nobody reads."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Where names are looked up: tensors by name, the operator set in use, and what a function was called with."""

    tensors: ChainMap[str, Tensor]
    opset: int
    attributes: Mapping[str, Any] | None = None
    depth: int = 0
    label: str = ""

    def inner(self, tensors: dict[str, Tensor]) -> Scope:
        """Return the frame of a graph inside: it sees all names around it."""
        return replace(self, tensors=self.tensors.new_child(tensors), depth=self.depth + 1)


def walk(s: Site, nodes: Sequence[Any], frame: Scope) -> None:
    """Read nodes into ``frame.tensors``. Errors: T504, T507, T508."""
    if frame.depth > DEPTH:
        raise s.refuse("graphs lie too deep in one another", f"the limit is {DEPTH}", code="T504")
    for number, node in enumerate(nodes):
        label = node.name or next((name for name in node.output if name), f"{node.op_type} {number}")
        s.enter(frame.label or label, node.op_type)
        try:
            results = apply(s, node, frame)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as reason:
            raise s.refuse("it cannot be read", f"{type(reason).__name__}: {reason}") from reason
        except ThermocError as problem:
            raise _placed(s, problem, frame, label, node.op_type) from None
        for name, tensor in zip(node.output, results):
            if name:
                frame.tensors[name] = tensor


def _placed(s: Site, problem: ThermocError, frame: Scope, label: str, kind: str) -> ThermocError:
    """Return what an op finds wrong as the error of the node."""
    first = problem.findings[0]
    if first.where is not None and first.where.file.startswith(s.source):
        return problem
    s.node, s.kind = frame.label or label, kind
    return s.refuse(first.what, *first.notes, code="T508", hint=first.hint)


def apply(s: Site, node: Any, frame: Scope) -> tuple[Tensor, ...]:
    """Return the results of one node."""
    if node.domain not in OURS:
        hint = "only operators of the standard itself are read; export the model without custom operators"
        raise s.refuse(f"domain {node.domain!r} is not the standard's", code="T507", hint=hint)
    read = _node(s, node, frame)
    folded = folding.folded(s, read, frame.opset)
    if folded is not None:
        return folded
    entry = operators().get(node.op_type)
    if entry is None:
        return _by_function(s, node, read, frame)
    results = entry.build(s, read)
    return results if isinstance(results, tuple) else (results,)


def _node(s: Site, node: Any, frame: Scope) -> Node:
    schema = _schema(s, node.op_type, frame.opset)
    inputs = tuple(_found(s, name, frame) if name else None for name in node.input)
    attrs = {a.name: _attribute(s, a.default_value, frame) for a in schema.attributes.values() if a.default_value.name}
    for item in node.attribute:
        if item.ref_attr_name:
            if frame.attributes and frame.attributes.get(item.ref_attr_name) is not None:
                attrs[item.name] = frame.attributes[item.ref_attr_name]
        else:
            attrs[item.name] = _attribute(s, item, frame)
    return Node(kind=node.op_type, version=schema.since_version, inputs=inputs, attrs=attrs, outputs=len(node.output))


def _schema(s: Site, kind: str, opset: int) -> Any:
    from onnx import defs

    try:
        return defs.get_schema(kind, opset, "")
    except defs.SchemaError:
        raise s.refuse(f"the standard has no such operator in opset {opset}", code="T507") from None


def _found(s: Site, name: str, frame: Scope) -> Tensor:
    if name not in frame.tensors:
        raise s.refuse(f"it reads {name!r}, which nothing before it gives", code="T508")
    return frame.tensors[name]


def _attribute(s: Site, item: Any, frame: Scope) -> Any:
    from onnx import AttributeProto, helper, numpy_helper

    if item.type == AttributeProto.GRAPH:
        return lambda given: body(s, item.g, frame, given)
    if item.type == AttributeProto.TENSOR:
        return numpy_helper.to_array(item.t)
    if item.type in (AttributeProto.FLOAT, AttributeProto.INT, AttributeProto.STRING):
        return helper.get_attribute_value(item)
    if item.type in (AttributeProto.FLOATS, AttributeProto.INTS, AttributeProto.STRINGS):
        return list(helper.get_attribute_value(item))
    raise s.refuse(f"its attribute {item.name!r} is of a kind that is not read", code="T507")


def body(s: Site, graph: Any, frame: Scope, given: list[Tensor]) -> list[Tensor]:
    """Return the outputs of a graph inside a node for given inputs. Errors: T508."""
    names = [port.name for port in graph.input]
    if len(names) < len(given):
        raise s.refuse("its graph takes fewer inputs than it is given", f"it takes {names}")
    inner = frame.inner(dict(zip(names, given)) | initializers(s, graph))
    node, kind = s.node, s.kind
    walk(s, graph.node, inner)
    s.enter(node, kind)
    return [_found(s, port.name, inner) for port in graph.output]


def initializers(s: Site, graph: Any) -> dict[str, Tensor]:
    """Return the arrays that a graph holds."""
    if graph.sparse_initializer:
        raise s.refuse("sparse initializers are not read", code="T507")
    return {item.name: known(array_of(item, s.source)) for item in graph.initializer}


# ------------------------------------------------------------------------------- operators that the standard writes


def _by_function(s: Site, node: Any, read: Node, frame: Scope) -> tuple[Tensor, ...]:
    """Read an operator by the function that the standard defines it as. Errors: T507 where it defines none."""
    function = _function(s, node, read, frame.opset)
    if function is None:
        raise s.refuse("the operator is not read", code="T507", hint="docs/onnx.md lists those that are")
    opset = next((item.version for item in function.opset_import if item.domain in OURS), frame.opset)
    tensors = {name: tensor for name, tensor in zip(function.input, read.inputs) if tensor is not None}
    inner = Scope(
        tensors=ChainMap(tensors),
        opset=opset,
        attributes=read.attrs,
        depth=frame.depth + 1,
        label=s.node,
    )
    kind, where = s.kind, s.node
    walk(s, _present(function, tensors), inner)
    s.enter(where, kind)
    # An output that nobody wants may be one that the function, written for this node, does not compute.
    pairs = zip(node.output, function.output)
    return tuple(_found(s, name, inner) if used else inner.tensors.get(name, ABSENT) for used, name in pairs)


def _present(function: Any, tensors: dict[str, Tensor]) -> list[Any]:
    """Return the function's nodes with operands that were left out left out in them too."""
    absent = set(function.input) - set(tensors)
    if not absent:
        return list(function.node)
    nodes: list[Any] = []
    for node in function.node:
        copy = type(node)()
        copy.CopyFrom(node)
        copy.ClearField("input")
        copy.input.extend("" if name in absent else name for name in node.input)
        nodes.append(copy)
    return nodes


def _function(s: Site, node: Any, read: Node, opset: int) -> Any:
    from onnx import defs

    schema: Any = defs.get_schema(node.op_type, opset, "")
    if schema.has_function:
        versions = [v for v in schema.function_opset_versions if v <= opset] or schema.function_opset_versions[:1]
        function = schema.get_function_with_opset_version(max(versions))
        if function is not None:
            return _parsed(function)
    if schema.has_context_dependent_function:
        versions = [v for v in schema.context_dependent_function_opset_versions if v <= opset]
        versions = versions or schema.context_dependent_function_opset_versions[:1]
        types = [_type(tensor) for tensor in read.inputs]
        return _parsed(
            schema.get_context_dependent_function_with_opset_version(max(versions), _plain(node, read), types)
        )
    return None


def _parsed(function: Any) -> Any:
    from onnx import FunctionProto

    if not isinstance(function, bytes):
        return function
    proto = FunctionProto()
    proto.ParseFromString(function)
    return proto if proto.node else None


def _plain(node: Any, read: Node) -> bytes:
    """Return the node with attributes that refer to a function's own replaced by what those are."""
    from onnx import helper

    copy = type(node)()
    copy.CopyFrom(node)
    copy.ClearField("attribute")
    for item in node.attribute:
        if not item.ref_attr_name:
            copy.attribute.append(item)
        elif read.attrs.get(item.name) is not None:
            copy.attribute.append(helper.make_attribute(item.name, read.attrs[item.name]))
    return copy.SerializeToString()


def _type(tensor: Tensor | None) -> bytes:
    from onnx import TypeProto, helper

    if tensor is None:
        return TypeProto().SerializeToString()
    code = helper.np_dtype_to_tensor_dtype(np.dtype(tensor.elem))
    dims = [n if n < 2**31 - 1 else None for n in tensor.shape]
    return helper.make_tensor_type_proto(code, dims).SerializeToString()
