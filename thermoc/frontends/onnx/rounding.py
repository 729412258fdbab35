"""Rounding and integers by float ops: every step is exact for whole numbers up to 2^53."""

from __future__ import annotations

from typing import Any

import numpy as np

from thermoc.frontends.onnx.site import Site
from thermoc.frontends.onnx.tensor import NARROW, Tensor, carrier, is_integer, limits
from thermoc.ir.functions import call
from thermoc.ir.handle import Handle


def floor(x: Handle) -> Handle:
    """The greatest integer not above x."""
    return call("core.floor", x)


def ceil(x: Handle) -> Handle:
    """The least integer not below x."""
    return -floor(-x)


def truncate(x: Handle) -> Handle:
    """The integer towards zero."""
    return call("core.sign", x) * floor(abs(x))


def half_even(x: Handle) -> Handle:
    """The nearest integer, of two the even one: what the standard rounds by."""
    low = floor(x)
    remainder, odd = x - low, low - 2 * floor(low * 0.5)
    up = (remainder > 0.5) | ((remainder == 0.5) & (odd == 1.0))
    # A float is an integer where its format has no halves left; the difference is then 0.
    return call("core.select", up, low + 1, low)


def clip(x: Handle, low: float, high: float) -> Handle:
    """x between two numbers."""
    return call("core.minimum", call("core.maximum", x, low), high)


def wrapped(x: Handle, elem: np.dtype[Any]) -> Handle:
    """A whole number in the range of a type, as two's complement has it: x - 2^bits floor((x - low) / 2^bits)."""
    low, high = limits(elem)
    span = float(high - low + 1)
    return x - span * floor((x - float(low)) / span)


def result(s: Site, x: Handle, elem: np.dtype[Any]) -> Handle:
    """A sum or product of integers as its type holds it; 64 bits are not wrapped, and that is noted."""
    if elem.name in ("int64", "uint64"):
        s.assume("integers of 64 bits are carried as float64: exact up to 2^53")
        return x
    return wrapped(x, elem)


def saturated(x: Handle, elem: np.dtype[Any]) -> Handle:
    """x at the nearest number of a type."""
    low, high = limits(elem)
    return clip(x, float(low), float(high))


def converted(s: Site, t: Tensor, elem: np.dtype[Any]) -> Handle:
    """Return a tensor's value as another type carries it: floats to integers towards zero, true is 1."""
    target = carrier(elem)
    if target is None:
        raise s.refuse(f"a network has no numbers of type {elem.name}")
    x = s.value(t)
    if elem.name == "bool":
        return x if t.elem.name == "bool" else call("core.not", x == 0.0)
    source = carrier(t.elem)
    if source != target:
        x = call("core.cast", x, dtype=target)
    if not is_integer(elem) or t.elem.name == "bool":
        return x
    if not t.integral:
        return wrapped(truncate(x), elem) if elem.name in NARROW else truncate(x)
    narrow, wide = limits(elem), limits(t.elem)
    return x if narrow[0] <= wide[0] and wide[1] <= narrow[1] else result(s, x, elem)
