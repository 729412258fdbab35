"""Write a graph as a ``.nir`` file that the official package reads.

What NIR has no field for stands in metadata; an op without a node or a stand-in is refused.
"""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.nir.nodes import NirModel
from thermoc.frontends.nir.whole import written
from thermoc.ir.graph import Graph
from thermoc.ir.verify import verify
from thermoc.support.errors import error
from thermoc.support.files import write_atomic

VERSION = "1.0"
UNITS = "time in s; temperature in the unit of energy (k_B = 1)"


def write_nir(graph: Graph, path: str | os.PathLike[str]) -> None:
    """Write a graph, whole or not at all. Errors: T1xx (not well formed), T505, T509 (an op without a node), T510."""
    try:
        import h5py
    except ImportError:
        raise error("T510", "writing .nir needs h5py", hint='pip install "thermoc[nir]"') from None
    verify(graph)
    model, document = written(graph)
    # In memory first, so that the file is written whole or not at all.
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        file["version"] = VERSION
        root = file.create_group("node")
        root["type"] = "NIRGraph"
        _put(root.create_group("metadata"), {"name": graph.name, "dt": np.float64(graph.dt), "units": UNITS} | document)
        nodes = root.create_group("nodes")
        for name, node in model.nodes.items():
            group = nodes.create_group(name)
            _put(group, {"type": node.kind} | node.fields | node.texts)
            if node.metadata or node.noted:
                _put(group.create_group("metadata"), node.metadata | node.noted)
        # h5py cannot tell what an array of objects holds, least of all an empty one.
        root.create_dataset("edges", data=_edges(model), dtype=h5py.string_dtype())
    write_atomic(path, buffer.getvalue())


def _put(group: Any, entries: Mapping[str, NDArray | str | np.float64]) -> None:
    for key, value in entries.items():
        group[key] = value


def _edges(model: NirModel) -> NDArray:
    return np.array(model.edges, object).reshape(-1, 2)
