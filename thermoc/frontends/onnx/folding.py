"""Nodes whose operands are all known: their numbers, by ONNX's own reference implementation.

Only operators whose result is no larger than the product of their operands' sizes are folded, so that no file asks
for more than it holds; what depends on the length of the batch is computed for two lengths.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.onnx.operator import Node
from thermoc.frontends.onnx.site import Site
from thermoc.frontends.onnx.tensor import Tensor, known

FOLDED = frozenset(
    [
        "Abs",
        "Add",
        "And",
        "ArgMax",
        "ArgMin",
        "BitShift",
        "BitwiseAnd",
        "BitwiseNot",
        "BitwiseOr",
        "BitwiseXor",
        "Cast",
        "Ceil",
        "Clip",
        "Compress",
        "Concat",
        "Cos",
        "CumSum",
        "DequantizeLinear",
        "Div",
        "Equal",
        "Erf",
        "Exp",
        "Flatten",
        "Floor",
        "Gather",
        "GatherElements",
        "GatherND",
        "Gemm",
        "Greater",
        "GreaterOrEqual",
        "IsInf",
        "IsNaN",
        "Less",
        "LessOrEqual",
        "Log",
        "MatMul",
        "Max",
        "Mean",
        "Min",
        "Mod",
        "Mul",
        "Neg",
        "NonZero",
        "Not",
        "Or",
        "Pow",
        "QuantizeLinear",
        "Reciprocal",
        "ReduceL1",
        "ReduceL2",
        "ReduceMax",
        "ReduceMean",
        "ReduceMin",
        "ReduceProd",
        "ReduceSum",
        "ReduceSumSquare",
        "Relu",
        "Reshape",
        "Round",
        "ScatterElements",
        "ScatterND",
        "Shape",
        "Sigmoid",
        "Sign",
        "Sin",
        "Size",
        "Slice",
        "Softmax",
        "Split",
        "Sqrt",
        "Squeeze",
        "Sub",
        "Sum",
        "Tanh",
        "TopK",
        "Transpose",
        "Tril",
        "Trilu",
        "Unique",
        "Unsqueeze",
        "Where",
        "Xor",
    ]
)
MOST = 2**26
"""Elements of a result that is folded; larger ones are computed in the network."""


def folded(s: Site, node: Node, opset: int) -> tuple[Tensor, ...] | None:
    """Return the results of a node whose operands are known; None for every other. Errors: T508."""
    inputs = node.given
    sizes = [t.numbers.size for t in inputs if t.numbers is not None]
    if node.kind not in FOLDED or not inputs or len(sizes) < len(inputs):
        return None
    # A scale for each place of an axis makes no larger result than the weight beside it.
    if math.prod(max(1, size) for size in sizes) > MOST and (max(sizes) > MOST or not _thin(inputs, max(sizes))):
        return None
    try:
        first = _computed(node, opset, [None if t is None else t.numbers for t in node.inputs])
        if all(t.other is None for t in inputs):
            return tuple(known(array) for array in first)
        scaled = [None if t is None else t.numbers if t.other is None else t.other for t in node.inputs]
        return tuple(known(a, b) for a, b in zip(first, _computed(node, opset, scaled)))
    # It implements not every version, and fails on wrong numbers: the table then reads the node, or says what is wrong.
    except Exception:
        return None


def _thin(given: list[Tensor], largest: int) -> bool:
    """Tell whether all operands but the largest are vectors or numbers, and stay within its size."""
    return all(t.rank <= 1 or math.prod(t.shape) == largest for t in given) and sum(t.rank > 1 for t in given) <= 1


def _computed(node: Node, opset: int, arrays: list[NDArray | None]) -> list[NDArray]:
    from onnx import helper
    from onnx.reference import ReferenceEvaluator

    names = [f"x{i}" if array is not None else "" for i, array in enumerate(arrays)]
    outputs = [f"y{i}" for i in range(node.outputs)]
    attrs = {name: _raw(value) for name, value in node.attrs.items()}
    proto = helper.make_node(node.kind, names, outputs, **attrs)
    ports = [
        helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), None)
        for name, array in zip(names, arrays)
        if array is not None
    ]
    graph = helper.make_graph([proto], "folded", ports, [helper.make_empty_tensor_value_info(name) for name in outputs])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])
    feeds: Any = {name: array for name, array in zip(names, arrays) if array is not None}
    with np.errstate(all="ignore"):
        results = ReferenceEvaluator(model).run(None, feeds)
    return [np.asarray(array) for array in results]  # type: ignore[union-attr]


def _raw(value: Any) -> Any:
    from onnx import numpy_helper

    return numpy_helper.from_array(value) if isinstance(value, np.ndarray) else value
