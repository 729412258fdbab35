"""Quantised tensors: numbers to integers and back, by the standard's rounding (half to even) and saturation."""

from __future__ import annotations

import numpy as np

from thermoc.frontends.onnx import axes, rounding
from thermoc.frontends.onnx import convolution as c
from thermoc.frontends.onnx.linear import product
from thermoc.frontends.onnx.operator import Node, dtype_of, operator
from thermoc.frontends.onnx.site import Site
from thermoc.frontends.onnx.tensor import Tensor, carrier, is_integer, known
from thermoc.ir.functions import call


def _along(s: Site, t: Tensor, x: Tensor, axis: int, block: int) -> Tensor:
    """Return a scale or zero point that broadcasts into x: one number, one for each place of an axis, or of a block."""
    if t.rank == 0 or t.shape == (1,):
        return axes.reshape(s, t, ())
    axis = axes.axis_of(s, axis, x.rank)
    if t.rank == 1:
        return axes.reshape(s, t, [t.shape[0] if i == axis else 1 for i in range(x.rank)])
    spread = axes.repeated(s, axes.unsqueeze(s, t, axis + 1), {axis + 1: block})
    repeated = axes.reshape(s, spread, (*t.shape[:axis], t.shape[axis] * block, *t.shape[axis + 1 :]))
    return axes.cut(s, repeated, axis, 0, x.shape[axis])


def quantised(s: Site, x: Tensor, scale: Tensor, zero: Tensor | None, elem: np.dtype) -> Tensor:
    """Return saturate(round(x / scale) + zero point)."""
    if not is_integer(elem):
        raise s.refuse(f"quantised numbers of type {elem.name} are not read")
    ratio = axes.elementwise(s, lambda v, k: rounding.half_even(v / k), x, _same(s, scale, x))
    wide = s.tensor(call("core.cast", s.value(ratio), dtype="f64"), ratio.shape, elem)
    if zero is not None:
        wide = axes.elementwise(s, lambda v, z: v + z, wide, zero)
    return axes.elementwise(s, lambda v: rounding.saturated(v, elem), wide)


def dequantised(s: Site, x: Tensor, scale: Tensor, zero: Tensor | None) -> Tensor:
    """Return (x - zero point) scale, in the scale's format."""
    if not x.integral:
        raise s.refuse(f"quantised numbers of type {x.elem.name} are not read")
    if zero is not None:
        x = axes.elementwise(s, lambda v, z: v - z, x, zero)
    centred = s.tensor(rounding.converted(s, x, scale.elem), x.shape, scale.elem)
    return axes.elementwise(s, lambda v, k: v * k, centred, scale)


def _same(s: Site, t: Tensor, like: Tensor) -> Tensor:
    if t.elem == like.elem:
        return t
    if carrier(t.elem) is None and t.numbers is not None:
        return known(t.numbers.astype(like.elem))
    return s.tensor(rounding.converted(s, t, like.elem), t.shape, like.elem)


@operator("QuantizeLinear")
def quantize_linear(s: Site, n: Node) -> Tensor:
    """Numbers to integers."""
    code = n.attr("output_dtype", 0)
    zero = n.get(2)
    elem = zero.elem if zero is not None else dtype_of(code) if code else np.dtype(np.uint8)
    if not is_integer(elem):
        raise s.refuse(f"quantised numbers of type {elem.name} are not read")
    x, axis, block = n[0], int(n.attr("axis", 1)), int(n.attr("block_size", 0))
    if x.integral:
        x = s.tensor(call("core.cast", s.value(x), dtype=carrier(n[1].elem)), x.shape, n[1].elem)
    if carrier(n[1].elem) is None:
        raise s.refuse(f"a scale of type {n[1].elem.name} is not read")
    return quantised(
        s, x, _along(s, n[1], x, axis, block), None if zero is None else _along(s, zero, x, axis, block), elem
    )


@operator("DequantizeLinear")
def dequantize_linear(s: Site, n: Node) -> Tensor:
    """Integers to numbers."""
    x, axis, block, zero = n[0], int(n.attr("axis", 1)), int(n.attr("block_size", 0)), n.get(2)
    if carrier(n[1].elem) is None:
        raise s.refuse(f"a scale of type {n[1].elem.name} is not read")
    return dequantised(s, x, _along(s, n[1], x, axis, block), None if zero is None else _along(s, zero, x, axis, block))


def _centred(s: Site, x: Tensor, zero: Tensor | None, *, rows: bool) -> Tensor:
    """Return x less its zero point, which is one number or one for each row (of b: each column)."""
    if zero is None:
        return x
    if zero.rank == 1 and zero.shape[0] > 1 and rows:
        zero = axes.unsqueeze(s, zero, 1)
    return axes.elementwise(s, lambda v, z: v - z, x, axes.reshape(s, zero, ()) if zero.shape == (1,) else zero)


@operator("MatMulInteger")
def matmul_integer(s: Site, n: Node) -> Tensor:
    """(a - its zero point) (b - its own), in 32 bits."""
    a, b = _centred(s, n[0], n.get(2), rows=True), _centred(s, n[1], n.get(3), rows=False)
    y = product(s, a, b)
    return Tensor(elem=np.dtype(np.int32), shape=y.shape, handle=y.handle)


def _rescaled(s: Site, y: Tensor, scales: list[Tensor], zero: Tensor, axis: int) -> Tensor:
    """Return integers times scale_a scale_b / scale_y, rounded, with y's zero point."""
    a, b, c = (_along(s, _same(s, scale, known(np.zeros((), np.float64))), y, axis, 0) for scale in scales)
    factor = axes.elementwise(s, lambda p, q, r: p * q / r, a, b, c)
    wide = Tensor(elem=np.dtype(np.float64), shape=y.shape, handle=y.handle)
    return quantised(s, axes.elementwise(s, lambda v, k: v * k, wide, factor), known(np.float64(1)), zero, zero.elem)


@operator("QLinearMatMul")
def qlinear_matmul(s: Site, n: Node) -> Tensor:
    """a b of quantised matrices, quantised again."""
    a, b = _centred(s, n[0], n.get(2), rows=True), _centred(s, n[3], n.get(5), rows=False)
    y = product(s, a, b)
    return _rescaled(s, y, [n[1], n[4], n[6]], n[7], y.rank - 1)


@operator("QLinearConv", known=(3, 5, 8))
def qlinear_conv(s: Site, n: Node) -> Tensor:
    """A convolution of quantised tensors, quantised again; its bias is of 32 bits."""
    x = _centred(s, n[0], n.get(2), rows=False)
    weights = s.numbers(n[3], "its weight").astype(np.float64)
    zero = s.numbers(n[5], "w_zero_point").astype(np.float64)
    weights = weights - (zero.reshape(-1, *(1,) * (n[3].rank - 1)) if zero.size > 1 else zero.reshape(()))
    rank = n[0].rank - 2
    pads = c.paddings(n, n[0].shape[2:], n[3].shape[2:])
    stride, dilation = c.numbers(n, "strides", rank), c.numbers(n, "dilations", rank)
    bias, groups = n.get(8), int(n.attr("group", 1))
    y = c.each_sample(s, x, lambda v: c.correlated(s, v, known(weights), bias, stride, pads, dilation, groups))
    return _rescaled(s, y, [n[1], n[4], n[6]], n[7], 1)
