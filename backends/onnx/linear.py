"""Linear maps in ONNX nodes."""

from __future__ import annotations

import numpy as np

from thermoc.backends.onnx.refusals import known
from thermoc.backends.onnx.scope import Scope
from thermoc.ir.dialects import core


def affine(op: core.Affine, s: Scope) -> str:
    """W x + b: one Gemm, with the leading axes of each sample counted among its rows."""
    w, bias, (*_, n) = s.writer, [] if op.bias is None else [s[op.bias]], op.x.shape
    if s.varies(op.x) and len(op.x.shape) == 1:
        return w("Gemm", s[op.x], s[op.weight], *bias, transB=1)
    # Gemm takes matrices alone.
    y = w("Gemm", w("Reshape", s[op.x], w.integers(-1, n)), s[op.weight], *bias, transB=1)
    return w("Reshape", y, w.integers(*(-1,) * s.lead(op.x), *op.y.shape))


def matmul(op: core.Matmul, s: Scope) -> str:
    """MatMul broadcasts a uniform operand over the batch."""
    return s.writer("MatMul", s[op.a], s[op.b])


def sparse_affine(op: core.SparseAffine, s: Scope) -> str:
    """Gather x at the columns, multiply by the entries, add each product to its row, which starts at the bias.

    Work and memory go with the entries, never with rows times columns.
    """
    w, (rows,), offsets = s.writer, op.y.shape, known(s.graph, op.offsets)
    assert offsets is not None, "refused before"
    products = w("Mul", w("Gather", s[op.x], s[op.columns], axis=s.lead(op.x)), s[op.values])
    row = w.constant(np.repeat(np.arange(rows), np.diff(offsets)), np.int64)
    start = w.constant(np.zeros(rows), op.y.dtype.numpy) if op.bias is None else s[op.bias]
    if s.varies(op.x):
        # ScatterElements does not broadcast: indices have the shape of the updates.
        row, start = w("Expand", row, w("Shape", products)), s.repeated(start, (rows,))
    return w("ScatterElements", start, row, products, axis=s.lead(op.x), reduction="add")
