"""Normalisations; those that the standard writes as functions are read as those."""

from __future__ import annotations

import functools

import numpy as np

from thermoc.frontends.onnx import axes, special
from thermoc.frontends.onnx.operator import Node, operator
from thermoc.frontends.onnx.selection import one_hot
from thermoc.frontends.onnx.shape import padded
from thermoc.frontends.onnx.site import Site, of_python
from thermoc.frontends.onnx.tensor import Tensor, known
from thermoc.ir.functions import call


@operator("BatchNormalization")
def batch_norm(s: Site, n: Node) -> Tensor:
    """scale (x - mean) / sqrt(var + epsilon) + bias, of a channel each, with the model's own mean and variance."""
    if n.attr("training_mode", 0) or (n.version < 14 and n.outputs > 1):
        raise s.refuse("it takes the mean of the batch, as in training")
    x, epsilon = n[0], float(n.attr("epsilon", 1e-5))
    scale, bias, mean, var = (_channels(s, n[i], x) for i in range(1, 5))
    factor = axes.elementwise(s, lambda k, v: k / special.sqrt(v + epsilon), scale, var)
    return axes.elementwise(s, lambda v, m, k, b: (v - m) * k + b, x, mean, factor, bias)


def _channels(s: Site, t: Tensor, x: Tensor) -> Tensor:
    return axes.reshape(s, t, (*t.shape, *(1,) * (x.rank - 2)))


@operator("InstanceNormalization")
def instance_norm(s: Site, n: Node) -> Tensor:
    """Each channel of each sample by its own mean and variance."""
    x, over = n[0], range(2, n[0].rank)
    y = standardised(s, x, over, float(n.attr("epsilon", 1e-5)))
    return axes.elementwise(s, lambda v, k, b: v * k + b, y, _channels(s, n[1], x), _channels(s, n[2], x))


def standardised(s: Site, x: Tensor, over: range, epsilon: float) -> Tensor:
    """Return (x - mean) / sqrt(variance + epsilon) over axes."""
    centred = axes.elementwise(s, lambda v, m: v - m, x, axes.reduce(s, x, "mean", over, keep=True))
    variance = axes.reduce(s, axes.elementwise(s, lambda v: v * v, centred), "mean", over, keep=True)
    return axes.elementwise(s, lambda v, w: v / special.sqrt(w + epsilon), centred, variance)


@operator("LpNormalization")
def lp_norm(s: Site, n: Node) -> Tensor:
    """x over its norm along an axis; 0 where that is 0."""
    axis, p = axes.axis_of(s, int(n.attr("axis", -1)), n[0].rank), int(n.attr("p", 2))
    powers = axes.elementwise(s, lambda v: abs(v) if p == 1 else v * v, n[0])
    norm = axes.reduce(s, powers, "sum", [axis], keep=True)

    def divided(v, m):
        m = m if p == 1 else special.sqrt(m)
        none = m == 0.0
        return special.select(none, 0.0 * v, v / special.select(none, 1.0, m))

    return axes.elementwise(s, divided, n[0], norm)


@operator("LRN")
def lrn(s: Site, n: Node) -> Tensor:
    """x / (bias + alpha / size sum x^2)^beta, the sum over ``size`` neighbouring channels."""
    x, size = n[0], int(n.attr("size"))
    before, after = (size - 1) // 2, size - 1 - (size - 1) // 2
    squares = padded(s, axes.elementwise(s, lambda v: v * v, x), 1, before, after, "constant", of_python(0, x))
    parts = [axes.cut(s, squares, 1, i, i + x.shape[1]) for i in range(size)]
    total = functools.reduce(lambda a, b: axes.elementwise(s, lambda u, v: u + v, a, b), parts)
    alpha, beta, bias = (float(n.attr(name)) for name in ("alpha", "beta", "bias"))
    return axes.elementwise(s, lambda v, t: v / call("core.pow", t * (alpha / size) + bias, beta), x, total)


@operator("Softmax", "LogSoftmax", "Hardmax")
def softmax(s: Site, n: Node) -> Tensor:
    """e^x over its sum along an axis, its logarithm, or 1 at the largest; before opset 13 along all axes from it on."""
    x = n[0]
    if n.version < 13:
        axis = axes.axis_of(s, int(n.attr("axis", 1)), x.rank)
        flat = axes.reshape(s, x, (*x.shape[:axis], int(np.prod(x.shape[axis:]))))
        return axes.reshape(s, _soft(s, n.kind, flat, axis), x.shape)
    return _soft(s, n.kind, x, axes.axis_of(s, int(n.attr("axis", -1)), x.rank))


def _soft(s: Site, kind: str, x: Tensor, axis: int) -> Tensor:
    if kind == "Hardmax":
        index = axes.reduce(s, x, "argmax", [axis], keep=False, elem=np.int64)
        mask = one_hot(s, index, x.shape[axis], axis)
        zero = known(np.zeros((), x.elem))
        unity = known(np.ones((), x.elem))
        return axes.elementwise(s, lambda m, a, b: call("core.select", m, a, b), mask, unity, zero, elem=x.elem)
    shifted = axes.elementwise(s, lambda v, m: v - m, x, axes.reduce(s, x, "max", [axis], keep=True))
    total = axes.reduce(s, axes.elementwise(s, special.exp, shifted), "sum", [axis], keep=True)
    if kind == "LogSoftmax":
        return axes.elementwise(s, lambda v, t: v - special.log(t), shifted, total)
    return axes.elementwise(s, lambda v, t: special.exp(v) / t, shifted, total)
