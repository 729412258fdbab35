"""Comparisons, logic and choices."""

from __future__ import annotations

import numpy as np

from thermoc.frontends.onnx import axes
from thermoc.frontends.onnx.operator import Node, operator
from thermoc.frontends.onnx.site import Site
from thermoc.frontends.onnx.tensor import Tensor
from thermoc.ir.functions import call
from thermoc.ir.handle import Handle

BOOL = np.dtype(bool)
COMPARISONS = {
    "Less": "core.less",
    "LessOrEqual": "core.less_equal",
    "Greater": "core.greater",
    "GreaterOrEqual": "core.greater_equal",
    "Equal": "core.equal",
}


def _exclusive(a: Handle, b: Handle) -> Handle:
    return (a & ~b) | (b & ~a)


@operator(*COMPARISONS)
def comparison(s: Site, n: Node) -> Tensor:
    """a < b and the like."""
    if n[0].elem.kind in "OSU":
        raise s.refuse("texts are not read")
    if n[0].elem == BOOL:
        return axes.elementwise(s, lambda a, b: ~_exclusive(a, b), n[0], n[1], elem=BOOL)
    return axes.elementwise(s, lambda a, b: call(COMPARISONS[n.kind], a, b), n[0], n[1], elem=BOOL)


@operator("And", "Or", "Xor")
def logical(s: Site, n: Node) -> Tensor:
    """Both, either, one of two."""
    f = {"And": lambda a, b: a & b, "Or": lambda a, b: a | b, "Xor": _exclusive}[n.kind]
    return axes.elementwise(s, f, n[0], n[1])


@operator("Not")
def not_(s: Site, n: Node) -> Tensor:
    """True where x is false."""
    return axes.elementwise(s, lambda x: ~x, n[0])


@operator("IsNaN")
def is_nan(s: Site, n: Node) -> Tensor:
    """True where x differs from itself."""
    return axes.elementwise(s, lambda x: ~call("core.equal", x, x), n[0], elem=BOOL)


@operator("IsInf")
def is_inf(s: Site, n: Node) -> Tensor:
    """True where x is beyond every number."""
    largest = float(np.finfo(n[0].elem).max)
    signs = [x for x, name in ((1.0, "detect_positive"), (-1.0, "detect_negative")) if n.attr(name)]

    def f(x: Handle) -> Handle:
        comparisons = [x * sign > largest for sign in signs]
        return comparisons[0] | comparisons[1] if len(comparisons) == 2 else comparisons[0] if comparisons else x > x

    return axes.elementwise(s, f, n[0], elem=BOOL)


@operator("Where")
def where(s: Site, n: Node) -> Tensor:
    """a where the condition is true, b elsewhere."""
    return chosen(s, n[0], n[1], n[2])


def chosen(s: Site, condition: Tensor, a: Tensor, b: Tensor) -> Tensor:
    """Return a where the condition is true, b elsewhere; of any type."""
    if a.elem == BOOL:
        return axes.elementwise(s, lambda c, x, y: (c & x) | (~c & y), condition, a, b)
    return axes.elementwise(s, lambda c, x, y: call("core.select", c, x, y), condition, a, b, elem=a.elem)
