"""Linear maps as lists of connections; places count the elements of one sample."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.brian2.parameters import ArrayElements, with_weights
from thermoc.backends.brian2.populations import Views
from thermoc.ir.dialects import core
from thermoc.ir.element_indices import ElementIndices, indices, reduced, windows
from thermoc.ir.ops import Op
from thermoc.ir.values import Value

Numbers = Callable[[Value], NDArray | None]


@dataclass(frozen=True, kw_only=True)
class Terms:
    """y[post[k]] += weight[k] x[pre[k]]; a weight of None is one."""

    pre: ElementIndices
    post: ElementIndices
    weight: NDArray | ArrayElements | None = None


def affine(op: core.Affine, numbers: Numbers) -> Terms | None:
    """The matrix, once for each row of x."""
    weight = numbers(op.weight)
    if weight is None:
        return None
    (m, n), lead = weight.shape, math.prod(op.x.shape[:-1])
    row, i, j = _grid(lead, m, n)
    return _some(row * n + j, row * m + i, np.tile(weight.reshape(-1), lead))


def sparse(op: core.SparseAffine, numbers: Numbers) -> Terms | None:
    """The entries of the rows."""
    values, columns, offsets = numbers(op.values), numbers(op.columns), numbers(op.offsets)
    if values is None or columns is None or offsets is None:
        return None
    return _some(columns.astype(np.int64), np.repeat(np.arange(len(offsets) - 1), np.diff(offsets)), values)


def conv(op: core.Conv, numbers: Numbers) -> Terms | None:
    """A connection for each place under the kernel in each of its positions."""
    weight = numbers(op.weight)
    if weight is None:
        return None
    taps = windows(op.x.shape, weight.shape[2:], op.stride, op.padding, op.dilation)
    outputs, inputs = weight.shape[:2]
    channel = np.arange(outputs)[:, np.newaxis] // (outputs // op.groups) * inputs + np.arange(inputs)
    pre = taps[channel].transpose(0, 2, 1, 3)  # (outputs, windows, inputs, taps)
    post = np.broadcast_to(indices(pre.shape[:2])[:, :, np.newaxis, np.newaxis], pre.shape)
    full = np.broadcast_to(weight.reshape(outputs, 1, inputs, -1), pre.shape)
    inside = pre >= 0
    return _some(pre[inside], post[inside], full[inside])


def summed(op: core.Pool | core.Reduce, numbers: Numbers) -> Terms:
    """The sum or mean over windows or axes; padding counts as zeros."""
    table = reduced(op)
    pre, post = members(table)
    return Terms(pre=pre, post=post, weight=np.full(len(pre), 1 / table.shape[1]) if op.kind == "mean" else None)


def members(table: ElementIndices) -> tuple[ElementIndices, ElementIndices]:
    """Return (element, of which result) for each place of a table of windows."""
    of = np.broadcast_to(np.arange(len(table))[:, np.newaxis], table.shape)
    return table[table >= 0], of[table >= 0]


TERMS: dict[type[Op], Callable[[Any, Numbers], Terms | None]] = {
    core.Affine: affine,
    core.SparseAffine: sparse,
    core.Conv: conv,
    core.Pool: summed,
    core.Reduce: summed,
}
"""None where the weights are computed at run time."""
WEIGHTS: dict[type[Op], str] = {core.Affine: "weight", core.Conv: "weight", core.SparseAffine: "values"}


def terms_of(op: Any, views: Views) -> Terms | None:
    """Return the connections of a linear map; their weights may be elements of a parameter."""
    name = WEIGHTS.get(type(op))
    if name is not None and isinstance(views.graph.producers.get(views.view(getattr(op, name)).root), core.Parameter):
        return with_weights(op, name, TERMS[type(op)], views)
    return TERMS[type(op)](op, views.numbers)


def product(
    op: core.Affine | core.Matmul,
) -> tuple[tuple[Value, ElementIndices], tuple[Value, ElementIndices], ElementIndices]:
    """Return the factors of each term, (value, places), and the place of its sum, for two computed values."""
    if isinstance(op, core.Affine):
        (m, n), lead = op.weight.shape, math.prod(op.x.shape[:-1])
        row, i, j = _grid(lead, m, n)
        return (op.x, row * n + j), (op.weight, i * n + j), row * m + i
    *lead, m, k = op.a.shape
    n = op.b.shape[-1]
    row, i, column, j = _grid(math.prod(lead), m, n, k)
    return (op.a, (row * m + i) * k + j), (op.b, (row * k + j) * n + column), (row * m + i) * n + column


def _grid(*lengths: int) -> list[ElementIndices]:
    return [axis.reshape(-1) for axis in np.meshgrid(*map(np.arange, lengths), indexing="ij")]


def _some(pre: ElementIndices, post: ElementIndices, weight: NDArray) -> Terms:
    """Return the terms whose weight is not zero."""
    # A synapse of weight zero costs time at every tick and adds nothing.
    some = np.flatnonzero(weight)
    return Terms(pre=pre[some], post=post[some], weight=weight[some])
