"""Products as a matrix for each group of inputs, and the ops that bring those inputs to a crossbar."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np

from thermoc.ir.dialects import core, thermo
from thermoc.ir.element_indices import windows
from thermoc.ir.ops import Op
from thermoc.ir.values import Value
from thermoc.passes.crossbar import biased
from thermoc.passes.crossbar.crossbar_plan import CrossbarPlan
from thermoc.passes.rewriting import Expression, Rewriter
from thermoc.support.array_types import FloatArray

Numbers = Mapping[str, FloatArray]
PRODUCTS = (core.Affine, core.Conv, core.Matmul)


def matrices(op: Op, constants: Numbers) -> FloatArray | None:
    """Return the weights of a product (groups, inputs, outputs), None for what is none or has computed weights."""
    if isinstance(op, core.Affine | core.Conv):
        weight = constants.get(op.weight.name)
        # Cells are programmed once, before the run: weights that change in a run have no place there.
        if weight is None or op.x.name in constants or not weight.size:
            return None
        groups = op.groups if isinstance(op, core.Conv) else 1
        # Weights come as (outputs, inputs); the rows of a crossbar are its inputs.
        return np.swapaxes(weight.reshape(groups, len(weight) // groups, -1), 1, 2)
    if isinstance(op, core.Matmul) and len(op.y.shape) == 2:
        a, b = constants.get(op.a.name), constants.get(op.b.name)
        # Both computed: nothing can be programmed. Both constant: nothing is left for the crossbar to do.
        if (a is None) == (b is None):
            return None
        matrix = a.T if a is not None else b
        return matrix[np.newaxis] if matrix is not None and matrix.size else None
    return None


def entering(op: Any, constants: Numbers) -> Value:
    """Return the operand that meets the weights."""
    if isinstance(op, core.Matmul):
        return op.b if op.a.name in constants else op.a
    return op.x


def vectors(op: Any, x: FloatArray, constants: Numbers) -> FloatArray:
    """Return what meets the matrices, (groups, vectors, inputs), of samples x (k, *shape of the operand)."""
    if isinstance(op, core.Conv):
        table = windows(x.shape[1:], op.weight.shape[2:], op.stride, op.padding, op.dilation)
        flat = np.pad(x.reshape(len(x), -1), ((0, 0), (0, 1)))  # -1, outside, is the zero at the end
        # (k, groups, channels, places, taps)
        elements = flat[:, table].reshape(len(x), op.groups, -1, *table.shape[1:])
        return elements.transpose(1, 0, 3, 2, 4).reshape(op.groups, len(x) * table.shape[1], -1)
    if isinstance(op, core.Matmul) and op.a.name in constants:
        # With W on the left the columns of x are the vectors that meet the weights.
        x = np.swapaxes(x, 1, 2)
    return x.reshape(1, -1, x.shape[-1])


def outwards(op: Any, numbers: FloatArray, constants: Numbers) -> FloatArray:
    """Return numbers (groups, outputs) spread over the result's shape."""
    shape, flat = op.y.shape, numbers.reshape(-1)
    if isinstance(op, core.Conv):
        return np.broadcast_to(flat.reshape(-1, *(1,) * (len(shape) - 1)), shape)
    # With W on the left each output is a row of the result, not a column.
    first = isinstance(op, core.Matmul) and op.a.name in constants
    return np.broadcast_to(flat[:, np.newaxis] if first else flat, shape)


def written(op: Any, w: Rewriter, plans: Sequence[CrossbarPlan], stream: int) -> Expression:
    """Write a product with the plans of its groups; read noise is drawn from ``stream`` on, one a group."""
    if isinstance(op, core.Conv):
        return _convolution(op, w, plans, stream)
    if isinstance(op, core.Matmul):
        if w.known(op.a) is None:
            return _mvm(w, op.a, plans[0], stream)
        return w.transpose(_mvm(w, w.transpose(op.b, (1, 0)), plans[0], stream), (1, 0))
    y = _mvm(w, op.x, plans[0], stream)
    # The bias is added to the digital result, where it takes no cells and none of the ADC's range.
    return y if op.bias is None else y + op.bias


def _convolution(op: core.Conv, w: Rewriter, plans: Sequence[CrossbarPlan], stream: int) -> Expression:
    """Write a convolution as a product with the windows of each group of channels."""
    groups = [_mvm(w, x, plan, stream + g) for g, (x, plan) in enumerate(zip(_windows(op, w), plans))]
    channels = [w.transpose(group, (1, 0)) for group in groups]
    y = w.reshape(_joined(w, channels, axis=0), op.y.shape)
    if op.bias is None:
        return y
    return y + w.reshape(op.bias, (*op.bias.shape, *(1,) * (len(op.y.shape) - 1)))


def _joined(w: Rewriter, parts: Sequence[Value], axis: int) -> Value:
    """Write values one after another; one alone stays as it is."""
    return parts[0] if len(parts) == 1 else w(core.Concat, xs=tuple(parts), axis=axis)


def _mvm(w: Rewriter, x: Value, plan: CrossbarPlan, stream: int) -> Expression:
    """Write one product, with the noise of its readings where they have some."""
    if plan.offset is not None:
        return biased.written(w, x, plan)
    slices, n, m = plan.plus.shape
    op = plan.op
    operands: dict[str, Any] = {"plus": plan.plus, "minus": plan.minus, "scale": plan.scale}
    if op.read_noise:
        # One normal for each reading of each column of each array: their noises are independent.
        shape = (*x.shape[:-1], -(-n // op.rows), op.readings, slices, m)
        operands["z"] = w(thermo.Normal, shape=shape, stream=stream, dtype=w.dtype)
    return w(type(op), x=x, **operands, **op.attrs)


def _windows(op: core.Conv, w: Rewriter) -> list[Value]:
    """Write the windows of each group of channels as rows (positions, channels times taps)."""
    x, positions = _padded(op, w), op.y.shape[1:]
    channels, window = x.shape[0], op.weight.shape[2:]
    taps: list[Value] = []
    for at in product(*map(range, window)):
        starts = tuple(index * spread for index, spread in zip(at, op.dilation))
        # A slice ends just behind the start of its last window: farther, it would take one window too many.
        stops = tuple(start + step * (size - 1) + 1 for start, step, size in zip(starts, op.stride, positions))
        cut = w(core.Slice, x=x, starts=(0, *starts), stops=(channels, *stops), steps=(1, *op.stride))
        taps.append(w.reshape(cut, (channels, 1, math.prod(positions))))
    # Channels first, taps second: the order in which ``matrices`` flattens the weights.
    rows = _joined(w, taps, axis=1)
    size = channels // op.groups
    windows: list[Value] = []
    for first in range(0, channels, size):
        starts, stops = (first, 0, 0), (first + size, len(taps), math.prod(positions))
        group = rows if op.groups == 1 else w(core.Slice, x=rows, starts=starts, stops=stops, steps=(1, 1, 1))
        flat = w.reshape(group, (size * len(taps), math.prod(positions)))
        windows.append(w.transpose(flat, (1, 0)))
    return windows


def _padded(op: core.Conv, w: Rewriter) -> Value:
    """Write x with zeros around it."""
    x = op.x
    for axis, (before, after) in enumerate(op.padding, start=1):
        shape = x.shape
        edges = [np.zeros((*shape[:axis], width, *shape[axis + 1 :])) for width in (before, after)]
        low, high = ([w.constant(edge)] * bool(edge.shape[axis]) for edge in edges)
        x = _joined(w, [*low, x, *high], axis)
    return x
