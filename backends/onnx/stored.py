"""The graph itself in a file's metadata, so that the file can be read back as the network that it is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from thermoc.backends.onnx.interface import Interface
from thermoc.frontends.onnx.own import DIGEST, GRAPH, digest, stored
from thermoc.ir.graph import Graph
from thermoc.ir.serial import graph_document

if TYPE_CHECKING:
    from onnx import ModelProto


def store(model: ModelProto, graph: Graph, interface: Interface) -> None:
    """Add the graph to a model: its ops as JSON, its arrays by the names of initializers that hold them."""
    from onnx import numpy_helper

    document, arrays = graph_document(graph)
    initializers = {item.name: numpy_helper.to_array(item) for item in model.graph.initializer}
    parameters = {port.name: port.tensor for port in interface.parameters if port.tensor in initializers}
    content = {"graph": document, "parameters": parameters, "arrays": stored(arrays, initializers)}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
    for key, value in ((GRAPH, text), (DIGEST, digest(model.graph, frozenset(parameters.values())))):
        model.metadata_props.add(key=key, value=value)
