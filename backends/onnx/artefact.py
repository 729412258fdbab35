"""An ONNX model with its interface; records become the protocol buffers of the onnx package here."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.base import Artefact
from thermoc.backends.onnx.interface import Interface
from thermoc.backends.onnx.lower import Options
from thermoc.backends.onnx.target import IR_VERSION, OPSET
from thermoc.backends.onnx.writer import Body, NamedTensor, OnnxNode
from thermoc.ir.dialects.core import Probe
from thermoc.ir.graph import Graph
from thermoc.ir.parameters import with_parameters
from thermoc.ir.types import DType

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto, ValueInfoProto

GRAPH_HASH = "thermoc.graph_hash"


@dataclass(frozen=True, kw_only=True, eq=False)
class OnnxArtefact(Artefact):
    """One self-contained ONNX file, the lowered graph that it was made of, and how.

    given: values of parameters other than those in the model, by the network's names for them.
    """

    model: ModelProto
    interface: Interface
    graph: Graph
    options: Options
    given: Mapping[str, NDArray] = field(default_factory=dict)

    suffix: ClassVar[str] = ".onnx"

    @cached_property
    def initial(self) -> dict[str, NDArray]:
        """States before the first tick, (1, *shape) by name: what the file holds for those that are left out."""
        from onnx import numpy_helper

        initializers = {tensor.name: tensor for tensor in self.model.graph.initializer}
        return {port.name: numpy_helper.to_array(initializers[port.tensor]) for port in self.interface.states}

    @cached_property
    def origin(self) -> OnnxArtefact:
        """The artefact that this one came from by ``with_parameters``: what a runtime has opened of it serves both."""
        return self

    @property
    def file(self) -> ModelProto:
        """The model as it is saved, with the values of parameters that are given."""
        if not self.given:
            return self.model
        from onnx import ModelProto, numpy_helper

        model, tensors = ModelProto(), {port.tensor: port.name for port in self.interface.parameters}
        model.CopyFrom(self.model)
        for initializer in model.graph.initializer:
            name = tensors.get(initializer.name, "")
            if name in self.given:
                initializer.CopyFrom(numpy_helper.from_array(self.given[name], initializer.name))
        for item in model.metadata_props:
            if item.key == GRAPH_HASH:  # with other numbers it is another graph
                item.value = with_parameters(with_probes(self.graph), self.given).hash
        return model

    def with_parameters(self, parameters: Mapping[str, NDArray]) -> OnnxArtefact:
        """Return the artefact with other values of some parameters, by the network's names for them."""
        dtypes = {port.name: DType(port.dtype).numpy for port in self.interface.parameters}
        fresh = {
            name: np.asarray(array, dtypes[name], order="C") for name, array in parameters.items() if name in dtypes
        }
        changed = replace(self, given={**self.given, **fresh})
        vars(changed)["origin"] = self.origin
        return changed

    def to_bytes(self) -> bytes:
        """Return the file's content, the same for the same graph."""
        # protobuf leaves the order of its maps open otherwise.
        return self.file.SerializeToString(deterministic=True)


def with_probes(graph: Graph, names: Collection[str] = ()) -> Graph:
    """Return the graph of a file that gives the named probes, and no others."""
    return graph.with_ops(op for op in graph.ops if not isinstance(op, Probe) or op.name in names)


@dataclass(frozen=True, kw_only=True)
class OnnxContent:
    """The parts of a file: what it takes and returns, its nodes, and the arrays it carries."""

    name: str
    inputs: tuple[NamedTensor, ...]
    outputs: tuple[NamedTensor, ...]
    nodes: tuple[OnnxNode, ...]
    constants: Mapping[str, NDArray]


def model(content: OnnxContent, *, version: str, doc: str, metadata: Mapping[str, str]) -> ModelProto:
    """Return the model: default domain only, every weight inside."""
    from onnx import helper

    opset = helper.make_opsetid("", OPSET)
    graph = _graph(content)
    proto = helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION, producer_name="thermoc")
    proto.producer_version, proto.doc_string = version, doc
    helper.set_model_props(proto, dict(metadata))
    return proto


def _graph(content: OnnxContent) -> GraphProto:
    from onnx import helper, numpy_helper

    return helper.make_graph(
        [_node(node) for node in content.nodes],
        content.name,
        _infos(content.inputs),
        _infos(content.outputs),
        initializer=[numpy_helper.from_array(np.asarray(a, order="C"), n) for n, a in content.constants.items()],
    )


def _node(node: OnnxNode) -> NodeProto:
    from onnx import helper

    attrs = {name: _attribute(value) for name, value in node.attrs.items()}
    if node.body is not None:
        attrs["body"] = _body(node.body)
    return helper.make_node(node.kind, node.inputs, node.outputs, name=node.outputs[0], **attrs)


def _body(body: Body) -> GraphProto:
    from onnx import helper

    return helper.make_graph([_node(node) for node in body.nodes], "tick", _infos(body.inputs), _infos(body.outputs))


def _attribute(value: Any) -> Any:
    from onnx import helper

    return helper.np_dtype_to_tensor_dtype(value) if isinstance(value, np.dtype) else value


def _infos(tensors: Iterable[NamedTensor]) -> list[ValueInfoProto]:
    from onnx import helper

    return [
        helper.make_tensor_value_info(tensor.name, helper.np_dtype_to_tensor_dtype(tensor.dtype), tensor.dims)
        for tensor in tensors
    ]


def properties(values: Mapping[str, Any]) -> dict[str, str]:
    """Return metadata under ``thermoc.``; anything but text as JSON."""
    return {
        f"thermoc.{name}": value if isinstance(value, str) else json.dumps(value, sort_keys=True)
        for name, value in values.items()
    }
