"""Element indices: which element of a value another one is, counted over one sample with the last axis fastest."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from thermoc.ir.dialects import core
from thermoc.ir.ops import REGISTRY, VIEW
from thermoc.ir.types import Shape
from thermoc.ir.windows import Pairs
from thermoc.support.array_types import AnyArray, IntArray
from thermoc.support.errors import error

ElementIndices = IntArray
MOVES = frozenset(cls for cls in REGISTRY.values() if VIEW in cls.traits)
"""Ops that only move elements."""


def indices(shape: Shape) -> ElementIndices:
    """Return the index of each element of an array of this shape."""
    return np.arange(math.prod(shape), dtype=np.int64).reshape(shape)


def moved(op: Any) -> ElementIndices:
    """Return which element of x each element of the result of one of ``MOVES`` is, in the result's shape."""
    index = indices(op.x.shape)
    if isinstance(op, core.Transpose):
        return index.transpose(op.axes)
    if isinstance(op, core.Broadcast):
        return np.broadcast_to(index, op.shape)
    if isinstance(op, core.Slice):
        return index[tuple(slice(*cut) for cut in zip(op.starts, op.stops, op.steps))]
    if isinstance(op, core.Reshape | core.Flatten):
        return index.reshape(op.y.shape)
    what = f"{op.opname} does not say where its elements stand in x"
    raise error("T220", what, where=op.location, hint="say it in moved, beside the other views")


def windows(shape: Shape, window: Shape, stride: Shape, padding: Pairs, dilation: Shape) -> ElementIndices:
    """Return the indices of every window's elements, (channels, windows, taps); -1 lies outside."""
    # An index that no element has marks the padding, so one array says both what is read and what is zero.
    padded = np.pad(indices(shape), ((0, 0), *padding), constant_values=-1)
    spans = tuple(spread * (size - 1) + 1 for spread, size in zip(dilation, window))
    views = sliding(padded, spans)
    steps = tuple(slice(None, None, step) for step in stride)
    taps = tuple(slice(None, None, spread) for spread in dilation)
    return views[(slice(None), *steps, *taps)].reshape(shape[0], -1, math.prod(window))


def sliding(x: AnyArray, spans: Shape) -> AnyArray:
    """Return every window over the last axes of x, as axes behind those of x."""
    lead = x.ndim - len(spans)
    # Axes of length 1 come out for the leading axes; they are taken away below.
    views = np.lib.stride_tricks.sliding_window_view(x, (1,) * lead + spans)
    return views[(slice(None),) * x.ndim + (0,) * lead]


def reduced(op: core.Reduce | core.Pool) -> ElementIndices:
    """Return the indices that each element of a reduction is taken over, (elements, members); -1 lies outside."""
    shape = op.x.shape
    if isinstance(op, core.Pool):
        return windows(shape, op.window, op.stride, op.padding, (1,) * len(op.window)).reshape(-1, math.prod(op.window))
    remaining = [axis for axis in range(len(shape)) if axis not in op.axes]
    return (
        indices(shape).transpose(*remaining, *sorted(op.axes)).reshape(-1, math.prod(shape[axis] for axis in op.axes))
    )
