"""Convolution and pooling in ONNX nodes.

onnxruntime has Conv and AveragePool in float32 only. In float64 the windows are gathered as an axis of their own:
then a convolution is a matrix product, and a mean a ReduceMean.
"""

from __future__ import annotations

import math

import numpy as np

from thermoc.backends.onnx.scope import Scope
from thermoc.ir.dialects import core
from thermoc.ir.types import DType, Shape
from thermoc.ir.values import Value
from thermoc.ir.windows import Pairs


def conv(op: core.Conv, s: Scope) -> str:
    """Cross-correlation with zeros outside (P41)."""
    y = _conv_native(op, s) if op.y.dtype is DType.f32 else _conv_gathered(op, s)
    return _unbatched(y, op.x, s)


def _conv_native(op: core.Conv, s: Scope) -> str:
    attrs = {"strides": op.stride, "pads": _pads(op.padding), "dilations": op.dilation, "group": op.groups}
    bias = [] if op.bias is None else [s[op.bias]]
    return s.writer("Conv", _batched(op.x, s), s[op.weight], *bias, **attrs)


def _conv_gathered(op: core.Conv, s: Scope) -> str:
    """(group, out channel, channel and tap) times (batch, group, channel and tap, place)."""
    w, (out, channels, *window), places = s.writer, op.weight.shape, op.y.shape[1:]
    taps = channels * math.prod(window)
    views = _gathered(op.x, op.padding, tuple(window), op.stride, op.dilation, s)
    views = w("Reshape", views, w.integers(0, op.groups, taps, math.prod(places)))
    kernel = w("Reshape", s[op.weight], w.integers(op.groups, out // op.groups, taps))
    y = w("Reshape", w("MatMul", kernel, views), w.integers(0, out, *places))
    if op.bias is None:
        return y
    return w("Add", y, w("Reshape", s[op.bias], w.integers(out, *(1,) * len(places))))


def pool(op: core.Pool, s: Scope) -> str:
    """Maximum without the padding; mean and sum with zeros for it."""
    if op.kind == "max":
        y = s.writer("MaxPool", _batched(op.x, s), **_windowing(op))
    elif op.y.dtype is DType.f32:
        y = _mean_native(op, s)
    else:
        y = _total_gathered(op, s)
    return _unbatched(y, op.x, s)


def _mean_native(op: core.Pool, s: Scope) -> str:
    mean = s.writer("AveragePool", _batched(op.x, s), **_windowing(op), count_include_pad=1)
    if op.kind == "mean":
        return mean
    # ONNX has no sum over windows; with the padding counted a mean is the sum over a fixed number.
    return s.writer("Mul", mean, s.writer.constant(math.prod(op.window), op.y.dtype.numpy))


def _total_gathered(op: core.Pool, s: Scope) -> str:
    w, shape = s.writer, op.y.shape
    views = _gathered(op.x, op.padding, op.window, op.stride, (1,) * len(op.window), s)
    total = w(f"Reduce{op.kind.title()}", views, w.integers(2), keepdims=0)
    return w("Reshape", total, w.integers(0, *shape))


def _windowing(op: core.Pool) -> dict[str, tuple[int, ...]]:
    return {"kernel_shape": op.window, "strides": op.stride, "pads": _pads(op.padding)}


def _gathered(x: Value, padding: Pairs, window: Shape, stride: Shape, dilation: Shape, s: Scope) -> str:
    """Return (batch, channels, tap, place): every window of x, padded with zeros."""
    w, (channels, *space) = s.writer, x.shape
    full = tuple(length + sum(pair) for length, pair in zip(space, padding))
    # Pad lists the beginnings of all axes, batch and channels included, then all ends.
    pads = w.integers(0, 0, *(before for before, _ in padding), 0, 0, *(after for _, after in padding))
    flat = w("Reshape", w("Pad", _batched(x, s), pads), w.integers(0, channels, math.prod(full)))
    return w("Gather", flat, w.constant(_places(full, window, stride, dilation)), axis=2)


def _places(space: Shape, window: Shape, stride: Shape, dilation: Shape) -> np.ndarray:
    """Return (tap, place): where in the flattened space each tap of each window lies."""
    numbers = np.arange(math.prod(space), dtype=np.int64).reshape(space)
    span = tuple(spread * (size - 1) + 1 for spread, size in zip(dilation, window))
    views = np.lib.stride_tricks.sliding_window_view(numbers, span)
    views = views[(*(slice(None, None, step) for step in stride), *(slice(None, None, d) for d in dilation))]
    return views.reshape(-1, math.prod(window)).T


def _pads(padding: Pairs) -> tuple[int, ...]:
    return (*(before for before, _ in padding), *(after for _, after in padding))


def _batched(x: Value, s: Scope) -> str:
    """Return x with a batch axis, of length 1 where x is uniform: the operators demand one."""
    return s[x] if s.varies(x) else s.writer("Unsqueeze", s[x], s.writer.integers(0))


def _unbatched(y: str, x: Value, s: Scope) -> str:
    return y if s.varies(x) else s.writer("Squeeze", y, s.writer.integers(0))
