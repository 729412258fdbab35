"""Convolutions: over one and two axes as core.conv, over more as sums of those; transposed ones by spread inputs."""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from thermoc.frontends.onnx import axes
from thermoc.frontends.onnx.operator import Node, operator, text
from thermoc.frontends.onnx.shape import padded
from thermoc.frontends.onnx.site import Site, of_python
from thermoc.frontends.onnx.tensor import BATCH, Tensor, known
from thermoc.ir.functions import call

Pairs = tuple[tuple[int, int], ...]


def numbers(n: Node, name: str, rank: int, default: int = 1) -> tuple[int, ...]:
    """Return an attribute with an entry for each space axis."""
    return tuple(int(x) for x in n.attr(name) or (default,) * rank)


def paddings(n: Node, space: tuple[int, ...], window: tuple[int, ...]) -> Pairs:
    """Return padding before and after each space axis, written out or by ``auto_pad``."""
    rank, mode = len(space), text(n.attr("auto_pad", "NOTSET"))
    if mode in ("NOTSET", "VALID"):
        pads = numbers(n, "pads", 2 * rank, 0) if mode == "NOTSET" else (0,) * 2 * rank
        return tuple(zip(pads[:rank], pads[rank:]))
    stride, dilation = numbers(n, "strides", rank), numbers(n, "dilations", rank)
    pairs: list[tuple[int, int]] = []
    for length, size, step, spread in zip(space, window, stride, dilation):
        total = max(0, (-(-length // step) - 1) * step + spread * (size - 1) + 1 - length)
        small, large = total // 2, total - total // 2
        pairs.append((small, large) if mode == "SAME_UPPER" else (large, small))
    return tuple(pairs)


def each_sample(s: Site, x: Tensor, f: Callable[[Tensor], Tensor]) -> Tensor:
    """Return f of each sample (1, ...) of x; its batch, or an axis of 1, is one already."""
    if x.shape[0] in (1, BATCH):
        return f(x)
    if x.shape[0] > BATCH:
        raise s.refuse("its first axis holds the batch and more", f"x has shape {axes.shown(x.shape)}")
    return axes.concat(s, [f(axes.cut(s, x, 0, i, i + 1)) for i in range(x.shape[0])], 0)


@operator("Conv", known=(1, 2))
def conv(s: Site, n: Node) -> Tensor:
    """Cross-correlation."""
    weight, rank = n[1], n[0].rank - 2
    window = tuple(weight.shape[2:])
    pads = paddings(n, n[0].shape[2:], window)
    stride, dilation = numbers(n, "strides", rank), numbers(n, "dilations", rank)
    groups = int(n.attr("group", 1))
    return each_sample(s, n[0], lambda x: correlated(s, x, weight, n.get(2), stride, pads, dilation, groups))


def correlated(
    s: Site,
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: tuple[int, ...],
    pads: Pairs,
    dilation: tuple[int, ...],
    groups: int,
) -> Tensor:
    """Return the cross-correlation of one sample (1 or batch, channels, *space)."""
    for axis, (before, after) in enumerate(pads):
        if min(before, after) < 0:
            x = padded(s, x, axis + 2, min(before, 0), min(after, 0), "constant", None)
    pads = tuple((max(0, a), max(0, b)) for a, b in pads)
    if len(stride) > 2:
        return _by_planes(s, x, weight, bias, stride, pads, dilation, groups)
    value = s.value(weight)
    if not s.uniform(value):
        raise s.refuse("its weights are computed from inputs, so they differ from sample to sample")
    handle = s.value(x)
    single = x.shape[0] == 1
    handle = call("core.reshape", handle, shape=x.shape[1:]) if single else handle
    attrs = {"stride": stride, "padding": pads, "dilation": dilation, "groups": groups}
    y = call("core.conv", handle, value, None if bias is None else s.value(bias), **attrs)
    shape = (x.shape[0], *y.shape)
    return Tensor(elem=x.elem, shape=shape, handle=call("core.reshape", y, shape=shape) if single else y)


def _by_planes(
    s: Site,
    x: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    stride: tuple[int, ...],
    pads: Pairs,
    dilation: tuple[int, ...],
    groups: int,
) -> Tensor:
    """Return a convolution over more than two axes: of each plane of the first, with each plane of the weight."""
    x = padded(s, x, 2, *pads[0], "constant", of_python(0, x))
    depth, taps = x.shape[2], weight.shape[2]
    places = (depth - dilation[0] * (taps - 1) - 1) // stride[0] + 1
    slices = [axes.squeeze(s, axes.cut(s, x, 2, i, i + 1), 2) for i in range(depth)]
    weights = [axes.squeeze(s, axes.cut(s, weight, 2, k, k + 1), 2) for k in range(taps)]
    planes: list[Tensor] = []
    for p in range(places):
        parts = [
            correlated(
                s,
                slices[p * stride[0] + k * dilation[0]],
                weights[k],
                bias if k == 0 else None,
                stride[1:],
                pads[1:],
                dilation[1:],
                groups,
            )
            for k in range(taps)
        ]
        total = functools.reduce(lambda a, b: axes.elementwise(s, lambda u, v: u + v, a, b), parts)
        planes.append(axes.unsqueeze(s, total, 2))
    return axes.concat(s, planes, 2)


@operator("ConvTranspose", known=(1, 2))
def conv_transpose(s: Site, n: Node) -> Tensor:
    """The transpose of a convolution: x with zeros between its elements, correlated with the weight turned round."""
    weight = s.numbers(n[1], "its weight")
    rank, groups = n[0].rank - 2, int(n.attr("group", 1))
    window, space = weight.shape[2:], n[0].shape[2:]
    stride, dilation = numbers(n, "strides", rank), numbers(n, "dilations", rank)
    extra = numbers(n, "output_padding", rank, 0)
    pads = _transposed_pads(n, space, window, stride, dilation, extra)
    # (in, out / groups, ...) per group becomes (out, in / groups, ...), turned round.
    turned = weight.reshape(groups, weight.shape[0] // groups, *weight.shape[1:]).swapaxes(1, 2)
    turned = turned.reshape(-1, *turned.shape[2:])[(slice(None), slice(None), *(slice(None, None, -1),) * rank)]
    full = tuple(
        (d * (k - 1) - before, d * (k - 1) - after + addition)
        for d, k, (before, after), addition in zip(dilation, window, pads, extra)
    )
    kernel, ones = known(np.ascontiguousarray(turned)), (1,) * rank

    def one(x: Tensor) -> Tensor:
        for axis, step in enumerate(stride):
            x = _spread(s, x, axis + 2, step)
        return correlated(s, x, kernel, n.get(2), ones, full, dilation, groups)

    return each_sample(s, n[0], one)


def _spread(s: Site, x: Tensor, axis: int, step: int) -> Tensor:
    """Return x with step - 1 zeros between neighbours."""
    if step == 1:
        return x
    wide = axes.unsqueeze(s, x, axis + 1)
    filled = padded(s, wide, axis + 1, 0, step - 1, "constant", of_python(0, x))
    flat = axes.reshape(s, filled, (*x.shape[:axis], x.shape[axis] * step, *x.shape[axis + 1 :]))
    return axes.cut(s, flat, axis, 0, (x.shape[axis] - 1) * step + 1)


def _transposed_pads(
    n: Node,
    space: tuple[int, ...],
    window: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
    extra: tuple[int, ...],
) -> Pairs:
    rank, mode, output_shape = len(space), text(n.attr("auto_pad", "NOTSET")), n.attr("output_shape")
    pads = numbers(n, "pads", 2 * rank, 0)
    if not output_shape and mode in ("NOTSET", "VALID"):
        return tuple(zip(pads[:rank], pads[rank:]))
    shape = [int(k) for k in output_shape][-rank:] if output_shape else [k * step for k, step in zip(space, stride)]
    pairs: list[tuple[int, int]] = []
    for i, length in enumerate(shape):
        total = stride[i] * (space[i] - 1) + extra[i] + (window[i] - 1) * dilation[i] + 1 - length
        half = total // 2
        pairs.append((half, total - half) if mode == "SAME_UPPER" else (total - half, half))
    return tuple(pairs)


@operator("ConvInteger", known=(1, 2, 3))
def conv_integer(s: Site, n: Node) -> Tensor:
    """Convolution of integers less their zero points."""
    x, weight = n[0], n[1]
    zero = n.get(2)
    centred = axes.elementwise(s, lambda v, z: v - z, x, zero) if zero is not None else x
    weights = s.numbers(weight, "its weight").astype(np.float64)
    if n.get(3) is not None:
        offset = s.numbers(n.get(3), "w_zero_point").astype(np.float64)
        weights = weights - offset.reshape(-1, *(1,) * (weight.rank - 1))
    rank = x.rank - 2
    pads = paddings(n, x.shape[2:], weight.shape[2:])
    stride, dilation = numbers(n, "strides", rank), numbers(n, "dilations", rank)
    groups = int(n.attr("group", 1))
    y = each_sample(s, centred, lambda v: correlated(s, v, known(weights), None, stride, pads, dilation, groups))
    return Tensor(elem=np.dtype(np.int32), shape=y.shape, handle=y.handle)
