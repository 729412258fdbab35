"""Products by constant matrices: cut into arrays of cells, and the sums over arrays that share outputs."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.chip.work_types import Draft, ElementRange, Spans, TaskKind, full_cuts
from thermoc.ir.dialects import core, sampling
from thermoc.ir.ops import Op
from thermoc.ir.values import Value
from thermoc.support.errors import error

WEIGHTED = (core.Affine, core.SparseAffine, core.Conv, core.Matmul)
"""Ops whose constant weights are programmed into cells; computed weights are multiplied by the vector unit."""
DENSE_LIMIT = 64
"""A matrix of so many times what the whole chip holds is refused before it is made dense."""


def split_product(draft: Draft, op: Any, matrix: NDArray[np.bool_]) -> None:
    """Write a product's arrays of at most rows x columns, and the sums over those that share outputs."""
    y = op.results[0]
    # The matrix of a convolution meets one window for each place of the result.
    sums = tile_matrix(draft, _entering(draft, op), matrix, max(1, y.size // matrix.shape[1]))
    # Where all weights are 0 nothing is on arrays, and the result must still lie somewhere.
    draft.lies[y.name] = sums or [ElementRange(0, y.size, draft.add(TaskKind.vector, 0, y.size))]


def split_energy(draft: Draft, op: sampling.IsingEnergy, matrix: NDArray[np.bool_]) -> None:
    """Write the fields of all units on arrays, then their sum over the units."""
    fields = tile_matrix(draft, op.s, matrix, 1)
    task = draft.add(TaskKind.vector, 0, 1, elements=len(matrix), passes=2)
    for low, high, source in fields:
        draft.send(source, task, draft.sum_bytes(high - low))
    draft.read(task, op.s, 0, len(matrix))
    draft.lies[op.E.name] = [ElementRange(0, 1, task)]


def tile_matrix(draft: Draft, x: Value, matrix: NDArray[np.bool_], times: int) -> Spans:
    """Put a matrix (inputs, outputs) on arrays that x enters ``times`` a tick; return where the sums lie."""
    n, m = matrix.shape
    sums: Spans = []
    for first_column, right in full_cuts(m, draft.chip.array_columns):
        arrays = []
        for top, bottom in full_cuts(n, draft.chip.array_rows):
            used = matrix[top:bottom, first_column:right]
            if not used.any():  # an array without a weight is not built, so it takes no cells and no time
                continue
            sides = {"rows": bottom - top, "columns": right - first_column, "cells": int(used.sum())}
            position = {"array": top // draft.chip.array_rows, "times": times}
            task = draft.add(TaskKind.product, first_column * times, right * times, **sides, **position)
            draft.read(task, x, *((top, bottom) if times == 1 and x.size == n else (0, x.size)))
            arrays.append(task)
        sums += _summed(draft, arrays, first_column, right, times)
    return sums


def _summed(draft: Draft, arrays: list[int], left: int, right: int, times: int) -> Spans:
    """Write the sums of products over more rows than an array has; return where the result lies."""
    if not arrays:
        return []
    task, width = arrays[0], (right - left) * times
    if len(arrays) > 1:
        task = draft.add(TaskKind.gather, 0, width, passes=len(arrays) - 1)
        for array in arrays:
            draft.send(array, task, draft.sum_bytes(width))
    return [ElementRange(left * times, right * times, task)]  # with several places, all places of these channels


def _entering(draft: Draft, op: Any) -> Value:
    """Return the operand that the weights multiply."""
    if isinstance(op, core.Matmul):
        return op.b if op.a.name in draft.constants else op.a
    return op.x


def weights_of(draft: Draft, op: Any) -> NDArray[np.bool_] | None:
    """Return which weights (inputs, outputs) an op has, None where they are no constants. Errors: T306."""
    if not isinstance(op, WEIGHTED):
        return None
    if isinstance(op, core.SparseAffine):
        return sparse_pattern(draft, op, op.x.size)
    if isinstance(op, core.Matmul):
        return _factor(draft, op)
    W = draft.constants.get(op.weight.name)
    if W is None:
        return None
    return _blocks(W, op.groups) if isinstance(op, core.Conv) else W.T != 0


def _factor(draft: Draft, op: core.Matmul) -> NDArray[np.bool_] | None:
    """Return the pattern of the constant factor of a product of two matrices."""
    a, b = draft.constants.get(op.a.name), draft.constants.get(op.b.name)
    matrix = a.swapaxes(-1, -2) if a is not None else b
    return None if matrix is None or matrix.ndim != 2 else matrix != 0


def _blocks(W: NDArray, groups: int) -> NDArray[np.bool_]:
    """Return the pattern (taps, channels) of a convolution, its groups block by block along the diagonal."""
    per = W.shape[0] // groups
    blocks = [W[g * per : (g + 1) * per].reshape(per, -1).T != 0 for g in range(groups)]
    taps = blocks[0].shape[0]
    pattern = np.zeros((taps * groups, W.shape[0]), bool)
    for g, block in enumerate(blocks):
        pattern[g * taps : (g + 1) * taps, g * per : (g + 1) * per] = block
    return pattern


def sparse_pattern(draft: Draft, op: Any, n: int) -> NDArray[np.bool_] | None:
    """Return the pattern (inputs, outputs) of compressed rows; None where they are computed. Errors: T306."""
    columns, offsets = (draft.constants.get(getattr(op, name).name) for name in ("columns", "offsets"))
    if columns is None or offsets is None:
        return None
    m = len(offsets) - 1
    _check_size(draft, op, n, m)
    pattern = np.zeros((n, m), bool)
    pattern[columns, np.repeat(np.arange(m), np.diff(offsets))] = True
    return pattern


def _check_size(draft: Draft, op: Op, n: int, m: int) -> None:
    """Refuse matrices far beyond any chip before they are made dense. Errors: T306."""
    chip = draft.chip
    capacity = chip.cores * chip.matrices * chip.array_rows * chip.array_columns
    if n * m > DENSE_LIMIT * capacity:
        notes = [f"{op.opname} couples {n} with {m} units", f"the chip's arrays hold {capacity} weights at once"]
        raise error("T306", f"a matrix is far larger than chip {chip.name!r}", where=op.location, notes=notes)


def couplings_of(draft: Draft, op: Op, size: int) -> NDArray[np.bool_] | None:
    """Return which of an op's units (from, to) are coupled, None where none are. Errors: T306."""
    if isinstance(op, sampling.Gibbs | sampling.GibbsSweeps) and op.J is None:
        return sparse_pattern(draft, op, size)
    for name in op.operand_specs:
        value = getattr(op, name)
        if isinstance(value, Value) and value.shape == (size, size) and value.name in draft.constants:
            return draft.constants[value.name].T != 0
    return None
