"""Graphs that NIR cannot say whole: their nodes as other readers see them, and the graph itself in the metadata.

The metadata of the file's graph hold it (``thermoc.graph``), with arrays by the node and field that hold them, and a
digest of the nodes and edges: where those were changed since, they are read, not the graph.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.nir.nodes import NirModel, NirNode, repair
from thermoc.frontends.nir.stand_ins import skeleton
from thermoc.frontends.nir.unbuild import model_of
from thermoc.frontends.onnx.own import restored, stored
from thermoc.ir.graph import Graph
from thermoc.ir.serial import document_graph, graph_document
from thermoc.support.errors import Finding, ThermocError
from thermoc.support.json_text import parse_json
from thermoc.support.loading import damaged

GRAPH, DIGEST = "thermoc.graph", "thermoc.digest"
FORMAT = "a graph in the metadata of a .nir file"


def written(graph: Graph) -> tuple[NirModel, dict[str, str]]:
    """Return the model of a graph and what its metadata say of it. Errors: T509, every op without a node at once."""
    try:
        return model_of(graph), {}
    except ThermocError as problem:
        outline = skeleton(graph)
        if outline.ops == graph.ops:
            raise problem from None
    model = model_of(outline)
    document, arrays = graph_document(graph)
    content = {"graph": document, "arrays": stored(arrays, _fields(model))}
    return model, {GRAPH: json.dumps(content), DIGEST: digest(model)}


def _fields(model: NirModel) -> dict[str, NDArray]:
    """Return the arrays of nodes that are read as they were written."""
    arrays = {f"{name}/{key}": array for name, node in model.nodes.items() for key, array in node.fields.items()}
    return {key: array for key, array in arrays.items() if array.dtype == np.float64}


def digest(model: NirModel) -> str:
    """Return the SHA-256 of a model's nodes and edges."""
    total = hashlib.sha256(repr(sorted(model.edges)).encode())
    for name, node in sorted(model.nodes.items()):
        total.update(repr((name, node.kind, sorted(node.texts.items()), sorted(node.metadata.items()))).encode())
        for key, array in sorted((node.fields | node.noted).items()):
            numbers = np.asarray(array, np.float64)
            total.update(repr((key, numbers.shape)).encode() + numbers.tobytes())
    return total.hexdigest()


def read_back(model: NirModel) -> tuple[Graph | None, list[Finding]]:
    """Return the graph that a file of ours holds; None where there is none, or nodes were changed. Errors: T502."""
    text, noted = model.metadata.get(GRAPH), model.metadata.get(DIGEST)
    if not isinstance(text, str) or not isinstance(noted, str):
        return None, []
    if digest(model) != noted:
        return None, [
            repair("its nodes were changed since thermoc wrote it: they are read, not the graph in its metadata")
        ]
    content = parse_json(text.encode(), model.source, FORMAT)
    try:
        arrays = {key: _array(path, model.nodes) for key, path in content["arrays"].items()}
        document = content["graph"]
    except (KeyError, TypeError, ValueError, AttributeError) as reason:
        raise damaged(model.source, FORMAT, f"{type(reason).__name__}: {reason}") from None
    return document_graph(document, arrays, model.source), []


def _array(place: Any, nodes: dict[str, NirNode]) -> NDArray:
    if isinstance(place, str):
        name, _, key = place.rpartition("/")
        return nodes[name].fields[key]
    return restored(place)
