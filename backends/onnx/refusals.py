"""What an ONNX file cannot hold although it holds the op: found before anything is written, all at once."""

from __future__ import annotations

from collections.abc import Iterator

from numpy.typing import NDArray

from thermoc.ir.dialects.core import Constant, Delay, SparseAffine
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.reference import evaluate
from thermoc.ir.values import Value
from thermoc.support.errors import Finding, ThermocError


def refuse(graph: Graph) -> None:
    """Raise T301 with a finding for each op whose form no node can say."""
    found = [finding for op in graph.ops for finding in _findings(graph, op)]
    if found:
        raise ThermocError(found)


def known(graph: Graph, value: Value) -> NDArray | None:
    """Return what a value is, if only constants are behind it (large ones stay unfolded, to keep a graph small)."""
    op = graph.producers[value.name]
    if isinstance(op, Constant):
        return op.value.numpy
    arrays = {item: known(graph, item) for item in op.inputs} if op.pure() else {}
    given = {item: array for item, array in arrays.items() if array is not None}
    return evaluate(op, given)[0] if arrays and len(given) == len(arrays) else None


def _findings(graph: Graph, op: Op) -> Iterator[Finding]:
    if not isinstance(op, Constant) and any(0 in value.shape for value in op.results):
        yield _finding(op, "it has no elements, and runtimes disagree on such tensors", "leave it out")
    if isinstance(op, Delay) and known(graph, op.initial) is None:
        yield _finding(op, "its initial value is computed at run time", "give initial as a constant")
    if isinstance(op, SparseAffine) and known(graph, op.offsets) is None:
        yield _finding(op, "its offsets are computed at run time", "give offsets as a constant")


def _finding(op: Op, note: str, hint: str) -> Finding:
    what = f"target 'onnx' cannot hold {op.opname} ({op.results[0]})"
    return Finding(code="T301", what=what, where=op.location, notes=(note,), hint=hint)
