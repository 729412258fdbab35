"""Files that thermoc wrote itself: the graph that their metadata holds, where nothing in them was changed since.

Such a file says what a network means twice: as standard operators, noise included, and as the graph they were made
of. The graph is read back where the digest of the operators is still the one that was noted with it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.onnx.arrays import array_of
from thermoc.ir.graph import Graph
from thermoc.ir.serial import document_graph
from thermoc.support.errors import Finding
from thermoc.support.json_text import parse_json
from thermoc.support.limits import shape_problem
from thermoc.support.loading import damaged

GRAPH = "thermoc.graph"
DIGEST = "thermoc.digest"
FORMAT = "a graph in the metadata of an ONNX file"


def digest(graph: Any, parameters: Collection[str]) -> str:
    """Return the SHA-256 of a GraphProto but for the numbers of parameters, which may be replaced."""
    total = hashlib.sha256()
    for group in (graph.node, graph.input, graph.output):
        for item in group:
            total.update(item.SerializeToString(deterministic=True))
    for item in sorted(graph.initializer, key=lambda item: item.name):
        total.update(item.name.encode() if item.name in parameters else item.SerializeToString(deterministic=True))
    return total.hexdigest()


def stored(arrays: Mapping[str, NDArray], initializers: Mapping[str, NDArray]) -> dict[str, Any]:
    """Return where each array of a graph is: an initializer of the same name or content, or else its own bytes."""
    by_content = {_content(array): name for name, array in initializers.items()}
    return {name: _placed(array, by_content) for name, array in arrays.items()}


def _placed(array: NDArray, by_content: Mapping[Any, str]) -> Any:
    if _content(array) in by_content:
        return by_content[_content(array)]
    data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
    return {"dtype": array.dtype.name, "shape": list(array.shape), "data": data}


def _content(array: NDArray) -> tuple[str, tuple[int, ...], bytes]:
    flat = np.ascontiguousarray(array)
    return array.dtype.name, array.shape, hashlib.sha256(flat.reshape(-1).view(np.uint8).data).digest()


def read_back(model: Any, source: str) -> tuple[Graph | None, list[Finding]]:
    """Return the graph that a file of ours holds; None for another's, or where it was changed since. Errors: T502."""
    metadata = {item.key: item.value for item in model.metadata_props}
    if GRAPH not in metadata or DIGEST not in metadata:
        return None, []
    content = parse_json(metadata[GRAPH].encode(), source, FORMAT)
    try:
        parameters, places, document = content["parameters"], content["arrays"], content["graph"]
        names = frozenset(parameters.values())
        if digest(model.graph, names) != metadata[DIGEST]:
            what = "its operators were changed since thermoc wrote it: they are read, not the graph in its metadata"
            return None, [Finding(code="W501", what=what)]
        initializers = {item.name: item for item in model.graph.initializer}
        arrays = {key: _array(parameters.get(key, path), initializers, source) for key, path in places.items()}
    except (KeyError, TypeError, ValueError, AttributeError) as reason:
        raise damaged(source, FORMAT, f"{type(reason).__name__}: {reason}") from None
    return document_graph(document, arrays, source), []


def _array(place: Any, held: Mapping[str, Any], source: str) -> NDArray:
    return array_of(held[place], source) if isinstance(place, str) else restored(place)


def restored(place: Mapping[str, Any]) -> NDArray:
    """Return an array of its own bytes, as ``stored`` gives it. Raises ValueError, KeyError, TypeError."""
    shape, dtype = [int(length) for length in place["shape"]], np.dtype(place["dtype"])
    if shape_problem(shape) or dtype.kind not in "bif":
        raise ValueError(shape_problem(shape) or f"dtype {dtype.name}")
    return np.frombuffer(base64.b64decode(place["data"], validate=True), dtype).reshape(shape)
