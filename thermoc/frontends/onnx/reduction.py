"""Reductions over axes."""

from __future__ import annotations

import functools

import numpy as np

from thermoc.frontends.onnx import axes, special
from thermoc.frontends.onnx.operator import Node, operator
from thermoc.frontends.onnx.selection import taken
from thermoc.frontends.onnx.site import Site, of_python
from thermoc.frontends.onnx.tensor import Tensor
from thermoc.ir.functions import call

KINDS = {"ReduceMax": "max", "ReduceMin": "min", "ReduceMean": "mean"}
INPUT_SINCE = {"ReduceSum": 13}


def _axes(s: Site, n: Node) -> list[int] | None:
    """Return the axes, None for a reduction that changes nothing."""
    as_input = n.version >= INPUT_SINCE.get(n.kind, 18)
    listed = (s.integers(n.get(1), "axes") if n.get(1) is not None else None) if as_input else n.attr("axes")
    if not listed:
        return None if n.attr("noop_with_empty_axes", 0) else list(range(n[0].rank))
    return [axes.axis_of(s, int(axis), n[0].rank) for axis in listed]


@operator(
    "ReduceSum",
    "ReduceMean",
    "ReduceMax",
    "ReduceMin",
    "ReduceProd",
    "ReduceL1",
    "ReduceL2",
    "ReduceLogSum",
    "ReduceLogSumExp",
    "ReduceSumSquare",
    known=(1,),
)
def reduction(s: Site, n: Node) -> Tensor:
    """The sum and the like over axes."""
    over, keep, x = _axes(s, n), bool(n.attr("keepdims", 1)), n[0]
    boolean = x.elem == np.dtype(bool)
    if boolean:
        x = s.tensor(call("core.cast", s.value(x), dtype="f64"), x.shape, np.int32)
    over = [] if over is None else over
    if any(x.shape[axis] == 0 for axis in over):
        result = _of_nothing(s, n.kind, x, over, keep)
    else:
        result = _reduced(s, n.kind, x, over, keep)
    return axes.elementwise(s, lambda v: v > 0.5, result, elem=bool) if boolean else result


def _reduced(s: Site, kind: str, x: Tensor, over: list[int], keep: bool) -> Tensor:
    f = lambda make, x: axes.elementwise(s, make, x)  # noqa: E731
    if kind in KINDS:
        return axes.reduce(s, x, KINDS[kind], over, keep=keep)
    if kind == "ReduceProd":
        return _product(s, x, over, keep)
    before = {"ReduceL1": abs, "ReduceL2": lambda v: v * v, "ReduceSumSquare": lambda v: v * v}
    if kind == "ReduceLogSumExp":
        peak = axes.reduce(s, x, "max", over, keep=True)
        shifted = axes.elementwise(s, lambda a, b: special.exp(a - b), x, peak)
        total = f(special.log, axes.reduce(s, shifted, "sum", over, keep=keep))
        return axes.elementwise(s, lambda a, b: a + b, total, axes.reshape(s, peak, total.shape))
    total = axes.reduce(s, f(before[kind], x) if kind in before else x, "sum", over, keep=keep)
    after = {"ReduceL2": special.sqrt, "ReduceLogSum": special.log}
    return f(after[kind], total) if kind in after else total


def _product(s: Site, x: Tensor, over: list[int], keep: bool) -> Tensor:
    for axis in over:
        parts = [axes.cut(s, x, axis, i, i + 1) for i in range(x.shape[axis])]
        x = functools.reduce(lambda a, b: axes.elementwise(s, lambda u, v: u * v, a, b), parts)
    return x if keep else axes.reshape(s, x, [n for axis, n in enumerate(x.shape) if axis not in over])


def _of_nothing(s: Site, kind: str, x: Tensor, over: list[int], keep: bool) -> Tensor:
    """What the standard gives for no elements at all."""
    floats = x.elem.kind == "f"
    value = {"ReduceProd": 1.0, "ReduceLogSum": -np.inf, "ReduceLogSumExp": -np.inf}.get(kind, 0.0)
    if kind == "ReduceMax":
        value = -np.inf if floats else float(np.iinfo(x.elem).min)
    if kind == "ReduceMin":
        value = np.inf if floats else float(np.iinfo(x.elem).max)
    shape = [1 if axis in over else n for axis, n in enumerate(x.shape) if keep or axis not in over]
    return axes.expand(s, axes.reshape(s, of_python(value, x), (1,) * len(shape)), shape)


@operator("ArgMax", "ArgMin")
def place_of(s: Site, n: Node) -> Tensor:
    """The place of the largest or smallest along an axis; of equals the first, or the last."""
    axis, x = axes.axis_of(s, int(n.attr("axis", 0)), n[0].rank), n[0]
    kind, keep = n.kind.lower(), bool(n.attr("keepdims", 1))
    if not n.attr("select_last_index", 0):
        return axes.reduce(s, x, kind, [axis], keep=keep, elem=np.int64)
    back = taken(s, x, axis, np.arange(x.shape[axis])[::-1])
    index = axes.reduce(s, back, kind, [axis], keep=keep, elem=np.int64)
    return axes.elementwise(s, lambda p: float(x.shape[axis] - 1) - p, index)
