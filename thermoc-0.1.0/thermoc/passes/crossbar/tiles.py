"""Products as a matrix for each group of inputs, and the ops that bring those inputs to a crossbar."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.dialects import core, thermo
from thermoc.ir.ops import Op
from thermoc.ir.places import windows
from thermoc.ir.values import Value
from thermoc.passes.crossbar import biased
from thermoc.passes.crossbar.plan import Plan
from thermoc.passes.rewriting import Rewriter

Numbers = Mapping[str, NDArray]
PRODUCTS = (core.Affine, core.Conv, core.Matmul)


def matrices(op: Op, constants: Numbers) -> NDArray | None:
    """Return the weights of a product (groups, inputs, outputs), None for what is none or has computed weights."""
    if isinstance(op, core.Affine | core.Conv):
        W = constants.get(op.weight.name)
        if W is None or op.x.name in constants or not W.size:
            return None
        groups = op.groups if isinstance(op, core.Conv) else 1
        return np.swapaxes(W.reshape(groups, len(W) // groups, -1), 1, 2)
    if isinstance(op, core.Matmul) and len(op.y.shape) == 2:
        a, b = constants.get(op.a.name), constants.get(op.b.name)
        if (a is None) == (b is None):
            return None
        W = a.T if a is not None else b
        return W[np.newaxis] if W is not None and W.size else None
    return None


def entering(op: Any, constants: Numbers) -> Value:
    """Return the operand that meets the weights."""
    if isinstance(op, core.Matmul):
        return op.b if op.a.name in constants else op.a
    return op.x


def vectors(op: Any, x: NDArray, constants: Numbers) -> NDArray:
    """Return what meets the matrices, (groups, vectors, inputs), of samples x (k, *shape of the operand)."""
    if isinstance(op, core.Conv):
        table = windows(x.shape[1:], op.weight.shape[2:], op.stride, op.padding, op.dilation)
        flat = np.pad(x.reshape(len(x), -1), ((0, 0), (0, 1)))  # -1, outside, is the nought at the end
        taken = flat[:, table].reshape(len(x), op.groups, -1, *table.shape[1:])  # (k, groups, channels, places, taps)
        return taken.transpose(1, 0, 3, 2, 4).reshape(op.groups, len(x) * table.shape[1], -1)
    if isinstance(op, core.Matmul) and op.a.name in constants:
        x = np.swapaxes(x, 1, 2)
    return x.reshape(1, -1, x.shape[-1])


def outwards(op: Any, numbers: NDArray, constants: Numbers) -> NDArray:
    """Return numbers (groups, outputs) spread over the result's shape."""
    shape, flat = op.y.shape, numbers.reshape(-1)
    if isinstance(op, core.Conv):
        return np.broadcast_to(flat.reshape(-1, *(1,) * (len(shape) - 1)), shape)
    first = isinstance(op, core.Matmul) and op.a.name in constants
    return np.broadcast_to(flat[:, np.newaxis] if first else flat, shape)


def written(op: Any, w: Rewriter, plans: Sequence[Plan], stream: int) -> Value:
    """Write a product with the plans of its groups; read noise is drawn from ``stream`` on, one a group."""
    if isinstance(op, core.Conv):
        parts = [_mvm(w, x, plan, stream + g) for g, (x, plan) in enumerate(zip(_patches(op, w), plans))]
        channels = [w(core.Transpose, x=part, axes=(1, 0)) for part in parts]
        whole = channels[0] if len(channels) == 1 else w(core.Concat, xs=tuple(channels), axis=0)
        y = w(core.Reshape, x=whole, shape=op.y.shape)
        if op.bias is None:
            return y
        return w.add(y, w(core.Reshape, x=op.bias, shape=(*op.bias.shape, *(1,) * (len(op.y.shape) - 1))))
    if isinstance(op, core.Matmul):
        if w.known(op.a) is None:
            return _mvm(w, op.a, plans[0], stream)
        turned = w(core.Transpose, x=op.b, axes=(1, 0))
        return w(core.Transpose, x=_mvm(w, turned, plans[0], stream), axes=(1, 0))
    y = _mvm(w, op.x, plans[0], stream)
    return y if op.bias is None else w.add(y, op.bias)


def _mvm(w: Rewriter, x: Value, plan: Plan, stream: int) -> Value:
    """Write one product, with the noise of its readings where they have some."""
    if plan.offset is not None:
        return biased.written(w, x, plan)
    slices, n, m = plan.plus.shape
    op, given = plan.op, {"plus": plan.plus, "minus": plan.minus, "scale": plan.scale}
    if op.read_noise:
        shape = (*x.shape[:-1], -(-n // op.rows), op.readings, slices, m)
        given["z"] = w(thermo.Normal, shape=shape, stream=stream, dtype=w.dtype)
    return w(type(op), x=x, **given, **op.attrs)


def _patches(op: core.Conv, w: Rewriter) -> list[Value]:
    """Write the windows of each group of channels as rows (places, channels times taps)."""
    x, places = _padded(op, w), op.y.shape[1:]
    channels, window = x.shape[0], op.weight.shape[2:]
    taps: list[Value] = []
    for at in product(*map(range, window)):
        starts = tuple(place * spread for place, spread in zip(at, op.dilation))
        stops = tuple(start + step * (size - 1) + 1 for start, step, size in zip(starts, op.stride, places))
        cut = w(core.Slice, x=x, starts=(0, *starts), stops=(channels, *stops), steps=(1, *op.stride))
        taps.append(w(core.Reshape, x=cut, shape=(channels, 1, math.prod(places))))
    rows = taps[0] if len(taps) == 1 else w(core.Concat, xs=tuple(taps), axis=1)
    size = channels // op.groups
    found = []
    for first in range(0, channels, size):
        starts, stops = (first, 0, 0), (first + size, len(taps), math.prod(places))
        part = rows if op.groups == 1 else w(core.Slice, x=rows, starts=starts, stops=stops, steps=(1, 1, 1))
        flat = w(core.Reshape, x=part, shape=(size * len(taps), math.prod(places)))
        found.append(w(core.Transpose, x=flat, axes=(1, 0)))
    return found


def _padded(op: core.Conv, w: Rewriter) -> Value:
    """Write x with noughts around it."""
    x = op.x
    for axis, (before, after) in enumerate(op.padding, start=1):
        shape = x.shape
        edges = [np.zeros((*shape[:axis], width, *shape[axis + 1 :])) for width in (before, after)]
        parts = [w.constant(edges[0])] * bool(before) + [x] + [w.constant(edges[1])] * bool(after)
        x = x if len(parts) == 1 else w(core.Concat, xs=tuple(parts), axis=axis)
    return x
