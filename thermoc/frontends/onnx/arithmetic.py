"""Arithmetic of two or more tensors, and what turns one type into another."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from thermoc.frontends.onnx import axes, rounding
from thermoc.frontends.onnx.operator import Node, dtype_of, operator
from thermoc.frontends.onnx.site import Site
from thermoc.frontends.onnx.tensor import Tensor, known, limits
from thermoc.ir.functions import call
from thermoc.ir.handle import Handle


@operator("Add", "Sub", "Mul")
def binary(s: Site, n: Node) -> Tensor:
    """a + b, a - b, a b; integers in two's complement."""
    op = f"core.{n.kind.lower()}"
    if not n[0].integral:
        return axes.elementwise(s, lambda a, b: call(op, a, b), n[0], n[1])
    elem = n[0].elem
    if n.kind == "Mul" and elem.name in ("int32", "uint32"):
        return axes.elementwise(s, lambda a, b: _product(a, b, elem), n[0], n[1])
    return axes.elementwise(s, lambda a, b: rounding.result(s, call(op, a, b), elem), n[0], n[1])


def _product(a: Handle, b: Handle, elem: np.dtype[Any]) -> Handle:
    """Return a product of 32 bits in halves of 16: each part is below 2^53."""
    high = rounding.floor(b / 65536.0)
    low = b - 65536.0 * high
    return rounding.wrapped(rounding.wrapped(a * high, elem) * 65536.0 + a * low, elem)


@operator("Div")
def div(s: Site, n: Node) -> Tensor:
    """a / b; of integers towards zero."""
    if not n[0].integral:
        return axes.elementwise(s, lambda a, b: a / b, n[0], n[1])
    return axes.elementwise(s, lambda a, b: rounding.result(s, rounding.truncate(a / b), n[0].elem), n[0], n[1])


@operator("Mod")
def mod(s: Site, n: Node) -> Tensor:
    """The rest of a / b, with the sign of b, or of a (fmod)."""
    integer_part = rounding.truncate if n.attr("fmod") else rounding.floor
    return axes.elementwise(s, lambda a, b: a - b * integer_part(a / b), n[0], n[1])


@operator("Pow")
def pow_(s: Site, n: Node) -> Tensor:
    """a^b, in a's type."""
    a, b = n[0], n[1]
    if b.elem != a.elem and not (a.integral and b.integral):
        handle = rounding.converted(s, b, a.elem if not a.integral else np.dtype("float64"))
        b = Tensor(elem=a.elem, shape=b.shape, handle=handle)
    if a.integral:
        power = lambda a, b: rounding.result(s, rounding.truncate(call("core.pow", a, b)), n[0].elem)  # noqa: E731
        return axes.elementwise(s, power, a, b)
    if b.numbers is not None and b.numbers.size == 1 and float(b.numbers.reshape(())) == 2.0:
        return (
            axes.elementwise(s, lambda a: a * a, a)
            if b.rank <= a.rank
            else axes.elementwise(s, lambda a, b: a * a, a, b)
        )
    return axes.elementwise(s, lambda a, b: call("core.pow", a, b), a, b)


def _folded(s: Site, op: str, ts: list[Tensor]) -> Tensor:
    return functools.reduce(lambda a, b: axes.elementwise(s, lambda x, y: call(op, x, y), a, b), ts)


@operator("Max", "Min", "Sum", "Mean")
def several(s: Site, n: Node) -> Tensor:
    """The largest, smallest, sum or mean of any number of tensors."""
    op = {"Max": "core.maximum", "Min": "core.minimum"}.get(n.kind, "core.add")
    total = _folded(s, op, n.given)
    count = float(len(n.given))
    return axes.elementwise(s, lambda x: x / count, total) if n.kind == "Mean" else total


@operator("Cast", "CastLike")
def cast(s: Site, n: Node) -> Tensor:
    """x in another type."""
    elem = n[1].elem if n.kind == "CastLike" else dtype_of(n.attr("to"))
    if elem == n[0].elem:
        return n[0]
    if n.kind == "CastLike" and n[0].numbers is not None and n[0].other is None:
        return known(n[0].numbers.astype(elem))
    return s.tensor(rounding.converted(s, n[0], elem), n[0].shape, elem)


@operator("Identity")
def identity(s: Site, n: Node) -> Tensor:
    """x itself."""
    return n[0]


@operator("BitShift")
def bit_shift(s: Site, n: Node) -> Tensor:
    """a 2^b, or a / 2^b rounded down, b < the type's bits; within 32 bits."""
    if n[0].elem.name in ("int64", "uint64"):
        raise s.refuse("shifts of 64 bits are not read: a network carries integers up to 2^53")
    leftward = n.attr("direction") in (b"LEFT", "LEFT")
    low, high = limits(n[0].elem)
    bits = float((high - low).bit_length())

    def shifted(a: Handle, b: Handle) -> Handle:
        factor = call("core.pow", 2.0 + 0.0 * b, b)
        wide = rounding.wrapped(a * factor, n[0].elem) if leftward else rounding.floor(a / factor)
        shifted_out = 0.0 * a if leftward or low == 0 else rounding.floor(a / 2.0**bits)
        return call("core.select", (b >= bits) | (b < 0.0), shifted_out, wide)

    return axes.elementwise(s, shifted, n[0], n[1])


@operator("BitwiseNot")
def bitwise_not(s: Site, n: Node) -> Tensor:
    """-1 - x of signed integers, the greatest less x of unsigned ones."""
    low, high = limits(n[0].elem)
    return axes.elementwise(s, lambda x: (-1.0 if low else float(high)) - x, n[0])


@operator("BitwiseAnd", "BitwiseOr", "BitwiseXor")
def bitwise(s: Site, n: Node) -> Tensor:
    """Bit by bit; within 32 bits."""
    if n[0].elem.name in ("int64", "uint64"):
        raise s.refuse("bits of 64-bit integers are not read: a network carries integers up to 2^53")
    low, high = limits(n[0].elem)
    bits = (high - low).bit_length()

    def joined(a: Handle, b: Handle) -> Handle:
        total = 0.0 * (a + b)
        for bit in range(bits):
            x, y = ((v - 2.0 * rounding.floor(v * 0.5)) for v in (a, b))
            a, b = rounding.floor(a * 0.5), rounding.floor(b * 0.5)
            product = x * y
            result = {"BitwiseAnd": product, "BitwiseOr": x + y - product, "BitwiseXor": x + y - 2.0 * product}[n.kind]
            total = total + float(2**bit) * result
        return rounding.wrapped(total, n[0].elem)

    return axes.elementwise(s, joined, n[0], n[1])
