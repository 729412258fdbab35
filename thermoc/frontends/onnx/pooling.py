"""Pooling: core.pool where it says the same, else one strided cut for each place of the window."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable

import numpy as np

from thermoc.frontends.onnx import axes
from thermoc.frontends.onnx.convolution import Pairs, each_sample, numbers, paddings
from thermoc.frontends.onnx.operator import Node, operator
from thermoc.frontends.onnx.selection import taken
from thermoc.frontends.onnx.shape import padded
from thermoc.frontends.onnx.site import Site, of_python
from thermoc.frontends.onnx.tensor import Tensor, known
from thermoc.ir.functions import call
from thermoc.ir.handle import Handle


def _window(n: Node) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], Pairs]:
    """Return window, stride, dilation, and padding with what ``ceil_mode`` adds after."""
    window = tuple(int(k) for k in n.attr("kernel_shape"))
    rank, space = len(window), n[0].shape[2:]
    stride, dilation = numbers(n, "strides", rank), numbers(n, "dilations", rank)
    pads = list(paddings(n, space, window))
    if n.attr("ceil_mode", 0):
        for i, (before, after) in enumerate(pads):
            span = dilation[i] * (window[i] - 1) + 1
            places = -(-(space[i] + before + after - span) // stride[i]) + 1
            if (places - 1) * stride[i] >= space[i] + before:
                places -= 1  # a window that starts in the padding after is none
            pads[i] = before, max(after, (places - 1) * stride[i] + span - space[i] - before)
    return window, stride, dilation, tuple(pads)


def _over(
    s: Site, x: Tensor, f: Callable[[Handle, Handle], Handle], fill: float, n: Node, keep: Pairs | None = None
) -> Tensor:
    """Return f over every window of x (batch, channels, *space), ``fill`` around it."""
    window, stride, dilation, pads = _window(n)
    pads = keep or pads
    if pads and fill == -np.inf:
        fill = float(np.finfo(x.elem).min) if x.elem.kind == "f" else float(np.iinfo(x.elem).min)
    for axis, (before, after) in enumerate(pads):
        x = padded(s, x, axis + 2, before, after, "constant", of_python(fill, x))
    parts: list[Tensor] = []
    for offset in itertools.product(*(range(k) for k in window)):
        part = x
        for axis, (start, step, spread, size) in enumerate(zip(offset, stride, dilation, window), 2):
            last = (x.shape[axis] - spread * (size - 1) - 1) // step * step
            part = axes.cut(s, part, axis, start * spread, start * spread + last + 1, step)
        parts.append(part)
    return functools.reduce(lambda a, b: axes.elementwise(s, f, a, b), parts)


def _plain(n: Node) -> bool:
    window, _, dilation, pads = _window(n)
    return (
        len(window) <= 2
        and set(dilation) == {1}
        and all(2 * max(pair) <= size for pair, size in zip(pads, window))
        and n[0].elem.kind == "f"
    )


def _pool(s: Site, n: Node, kind: str) -> Tensor:
    window, stride, _, pads = _window(n)

    def one(x: Tensor) -> Tensor:
        handle = s.value(x)
        handle = call("core.reshape", handle, shape=x.shape[1:]) if x.shape[0] == 1 else handle
        y = call("core.pool", handle, kind=kind, window=window, stride=stride, padding=pads)
        shape = (x.shape[0], *y.shape)
        y = call("core.reshape", y, shape=shape) if x.shape[0] == 1 else y
        return Tensor(elem=x.elem, shape=shape, handle=y)

    return each_sample(s, n[0], one)


@operator("MaxPool")
def max_pool(s: Site, n: Node) -> Tensor | tuple[Tensor, ...]:
    """The largest of each window; padding is never it."""
    if n.outputs > 1:
        return _with_places(s, n)
    if _plain(n):
        return _pool(s, n, "max")
    return _over(s, n[0], lambda a, b: call("core.maximum", a, b), -np.inf, n)


def _with_places(s: Site, n: Node) -> tuple[Tensor, ...]:
    """Return the largest and where it is in x: the first of equals, counted over all of x."""
    x, rank = n[0], n[0].rank
    largest = _over(s, x, lambda a, b: call("core.maximum", a, b), -np.inf, n)
    order = list(range(rank)) if not n.attr("storage_order", 0) else [0, 1, *range(2, rank)[::-1]]
    lengths = [x.shape[i] for i in order]
    places = np.arange(math.prod(lengths)).reshape(lengths).transpose(np.argsort(order))
    counted = known(places.astype(np.int64))
    window, stride, dilation, pads = _window(n)
    best: Tensor | None = None
    low = float(np.finfo(x.elem).min) if x.elem.kind == "f" else float(np.iinfo(x.elem).min)
    far = float(math.prod(lengths))
    wide, where = x, counted
    for axis, (before, after) in enumerate(pads):
        wide = padded(s, wide, axis + 2, before, after, "constant", of_python(low, x))
        where = padded(s, where, axis + 2, before, after, "constant", of_python(far, counted))
    for offset in itertools.product(*(range(k) for k in window)):
        part, at = wide, where
        for axis, (start, step, spread, size) in enumerate(zip(offset, stride, dilation, window), 2):
            last = (wide.shape[axis] - spread * (size - 1) - 1) // step * step
            part, at = (axes.cut(s, t, axis, start * spread, start * spread + last + 1, step) for t in (part, at))
        offsets = axes.elementwise(
            s, lambda m, p, i: call("core.select", call("core.equal", m, p), i, far), largest, part, at, elem=np.int64
        )
        best = offsets if best is None else axes.elementwise(s, lambda a, b: call("core.minimum", a, b), best, offsets)
    assert best is not None
    return largest, best


@operator("AveragePool")
def average_pool(s: Site, n: Node) -> Tensor:
    """The mean of each window; padding counts where the node says so, but never what ``ceil_mode`` adds."""
    window, stride, dilation, pads = _window(n)
    counted = bool(n.attr("count_include_pad", 0))
    stated = paddings(n, n[0].shape[2:], window)
    if _plain(n) and (not any(map(any, pads)) or (counted and pads == stated)):
        return _pool(s, n, "mean")
    total = _over(s, n[0], lambda a, b: a + b, 0.0, n)
    inside = np.ones([length + (a + b if counted else 0) for length, (a, b) in zip(n[0].shape[2:], stated)])
    padding = pads if not counted else tuple((0, after - stop) for (_, after), (_, stop) in zip(pads, stated))
    inside = np.pad(inside, padding)
    spans = tuple(d * (k - 1) + 1 for d, k in zip(dilation, window))
    views = np.lib.stride_tricks.sliding_window_view(inside, spans)
    rank = len(window)
    views = views[(*(slice(None, None, step) for step in stride), *(slice(None, None, d) for d in dilation))]
    count = views.sum(axis=tuple(range(rank, 2 * rank))).astype(n[0].elem)
    return axes.elementwise(s, lambda a, b: a / b, total, known(count))


@operator("LpPool")
def lp_pool(s: Site, n: Node) -> Tensor:
    """(sum |x|^p)^(1/p) of each window."""
    p = float(n.attr("p", 2))
    powers = axes.elementwise(s, lambda x: call("core.pow", abs(x), p), n[0])
    total = _over(s, powers, lambda a, b: a + b, 0.0, n)
    return axes.elementwise(s, lambda x: call("core.pow", x, 1 / p), total)


@operator("GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool")
def global_pool(s: Site, n: Node) -> Tensor:
    """The mean, maximum or norm over all places."""
    over = range(2, n[0].rank)
    if n.kind == "GlobalLpPool":
        p = float(n.attr("p", 2))
        total = axes.reduce(s, axes.elementwise(s, lambda x: call("core.pow", abs(x), p), n[0]), "sum", over, keep=True)
        return axes.elementwise(s, lambda x: call("core.pow", x, 1 / p), total)
    return axes.reduce(s, n[0], "max" if n.kind == "GlobalMaxPool" else "mean", over, keep=True)


@operator("MaxUnpool", known=(1, 2))
def max_unpool(s: Site, n: Node) -> Tensor:
    """Elements back at the known places that they were the largest of; 0 elsewhere."""
    x, places = n[0], s.numbers(n[1], "indices").reshape(-1)
    window = numbers(n, "kernel_shape", x.rank - 2)
    stride, pads = numbers(n, "strides", x.rank - 2), numbers(n, "pads", 2 * (x.rank - 2), 0)
    rank = x.rank - 2
    lengths = [(length - 1) * stride[i] + window[i] - pads[i] - pads[rank + i] for i, length in enumerate(x.shape[2:])]
    inner = (*x.shape[:2], *lengths)
    shape = s.integers(n.get(2), "output_shape") if n.get(2) is not None else inner
    where = np.unravel_index(places, inner)
    size, count = math.prod(shape), len(places)
    s.check_size(tuple(shape))
    flat = np.ravel_multi_index(where, shape)
    source = np.full(size, count)
    source[flat] = np.arange(count)
    values = axes.concat(s, [axes.reshape(s, x, (count,)), of_zero(x)], 0)
    return axes.reshape(s, taken(s, values, 0, source), shape)


def of_zero(x: Tensor) -> Tensor:
    """Return one zero of a tensor's type."""
    return known(np.zeros(1, x.elem))
