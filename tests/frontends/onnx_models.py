"""Small ONNX models for tests, and what onnxruntime makes of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, numpy_helper

F, INT, B = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
Port = tuple[str, int, list[Any]]


def model(
    nodes: Sequence[Any],
    inputs: Sequence[Port],
    outputs: Sequence[Port],
    arrays: dict[str, NDArray] | None = None,
    *,
    opset: int = 18,
    **options: Any,
) -> ModelProto:
    """Return a model of nodes; arrays are its initializers."""
    graph = helper.make_graph(
        list(nodes),
        "made",
        [helper.make_tensor_value_info(*port) for port in inputs],
        [helper.make_tensor_value_info(*port) for port in outputs],
        [numpy_helper.from_array(array, name) for name, array in (arrays or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=9, **options)


node = helper.make_node


def saved(made: ModelProto, folder: Path, name: str = "m.onnx") -> Path:
    """Write a model and return its path."""
    path = folder / name
    path.write_bytes(made.SerializeToString())
    return path


def runtime(path: Path, feeds: dict[str, NDArray]) -> list[NDArray]:
    """Return what onnxruntime gives for a file."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return [np.asarray(array) for array in session.run(None, feeds)]
