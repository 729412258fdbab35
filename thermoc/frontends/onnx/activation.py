"""Activations: elementwise functions of one tensor."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from thermoc.frontends.onnx import axes, rounding, special
from thermoc.frontends.onnx.operator import Node, operator, text
from thermoc.frontends.onnx.site import Site
from thermoc.frontends.onnx.special import exp, select, sigmoid
from thermoc.frontends.onnx.tensor import Tensor, known
from thermoc.ir.functions import call
from thermoc.ir.handle import Handle


def _maximum(a: Handle, b: Handle | float) -> Handle:
    return call("core.maximum", a, b)


def _minimum(a: Handle, b: Handle | float) -> Handle:
    return call("core.minimum", a, b)


UNARY: dict[str, Callable[[Handle], Handle]] = {
    "Acos": lambda x: math.pi / 2 - special.asin(x),
    "Acosh": special.acosh,
    "Asin": special.asin,
    "Asinh": special.asinh,
    "Atan": special.atan,
    "Atanh": special.atanh,
    "Ceil": rounding.ceil,
    "Cos": lambda x: call("core.cos", x),
    "Cosh": special.cosh,
    "Erf": special.erf,
    "Exp": exp,
    "Floor": rounding.floor,
    "HardSwish": lambda x: x * rounding.clip(x * (1 / 6) + 0.5, 0.0, 1.0),
    "Log": special.log,
    "Mish": lambda x: x * call("core.tanh", special.softplus(x)),
    "Reciprocal": lambda x: 1.0 / x,
    "Relu": lambda x: _maximum(x, 0.0),
    "Round": rounding.half_even,
    "Sigmoid": sigmoid,
    "Sign": lambda x: call("core.sign", x),
    "Sin": lambda x: call("core.sin", x),
    "Sinh": special.sinh,
    "Softplus": special.softplus,
    "Softsign": lambda x: x / (1.0 + abs(x)),
    "Sqrt": special.sqrt,
    "Tan": lambda x: call("core.sin", x) / call("core.cos", x),
    "Tanh": lambda x: call("core.tanh", x),
    "Abs": abs,
    "Neg": lambda x: -x,
}


@operator(*UNARY)
def unary(s: Site, n: Node) -> Tensor:
    """An elementwise function of one tensor."""
    return axes.elementwise(s, UNARY[n.kind], n[0])


# With parameters: a function of x, the attributes' numbers in the order that is listed.
def _elu(x: Handle, alpha: float) -> Handle:
    return select(x < 0.0, alpha * call("core.expm1", _minimum(x, 0.0)), x)


def _selu(x: Handle, alpha: float, gamma: float) -> Handle:
    return gamma * select(x > 0.0, x, alpha * call("core.expm1", _minimum(x, 0.0)))


def _celu(x: Handle, alpha: float) -> Handle:
    return _maximum(x, 0.0) + _minimum(alpha * call("core.expm1", _minimum(x, 0.0) / alpha), 0.0)


def _shrink(x: Handle, lambd: float, bias: float) -> Handle:
    return select(x < -lambd, x + bias, select(x > lambd, x - bias, x * 0.0))


PARAMETRIC: dict[str, tuple[Callable[..., Handle], tuple[str, ...]]] = {
    "Celu": (_celu, ("alpha",)),
    "Elu": (_elu, ("alpha",)),
    "HardSigmoid": (lambda x, alpha, beta: rounding.clip(x * alpha + beta, 0.0, 1.0), ("alpha", "beta")),
    "LeakyRelu": (lambda x, alpha: select(x < 0.0, x * alpha, x), ("alpha",)),
    "Selu": (_selu, ("alpha", "gamma")),
    "Shrink": (_shrink, ("lambd", "bias")),
    "Swish": (lambda x, alpha: x * sigmoid(x * alpha), ("alpha",)),
    "ThresholdedRelu": (lambda x, alpha: select(x > alpha, x, x * 0.0), ("alpha",)),
}


@operator(*PARAMETRIC)
def parametric(s: Site, n: Node) -> Tensor:
    """An elementwise function of one tensor and the node's attributes."""
    f, names = PARAMETRIC[n.kind]
    return axes.elementwise(s, lambda x: f(x, *(float(n.attr(name)) for name in names)), n[0])


@operator("Gelu")
def gelu(s: Site, n: Node) -> Tensor:
    """x (1 + erf(x / sqrt 2)) / 2, or its form with tanh."""
    if text(n.attr("approximate", "none")) == "tanh":
        scale = math.sqrt(2 / math.pi)
        return axes.elementwise(
            s, lambda x: 0.5 * x * (1.0 + call("core.tanh", scale * (x + 0.044715 * x * x * x))), n[0]
        )
    return axes.elementwise(s, lambda x: 0.5 * x * (1.0 + special.erf(x * math.sqrt(0.5))), n[0])


@operator("PRelu")
def prelu(s: Site, n: Node) -> Tensor:
    """x, or slope x below 0; before opset 7 a vector of slopes is one of each channel."""
    slopes = n[1]
    if n.version < 7 and slopes.rank == 1 and slopes.shape[0] > 1:
        slopes = axes.reshape(s, slopes, (*slopes.shape, *(1,) * (n[0].rank - 2)))
    return axes.elementwise(s, lambda x, slope: select(x < 0.0, slope * x, x), n[0], slopes)


@operator("Clip")
def clip(s: Site, n: Node) -> Tensor:
    """x between two numbers, either of which may be left out; where they cross, the upper."""
    if n.version < 11:
        return axes.elementwise(s, lambda x: rounding.clip(x, float(n.attr("min")), float(n.attr("max"))), n[0])
    x, low, high = n[0], n.get(1), n.get(2)
    if low is not None:
        x = axes.elementwise(s, _maximum, x, low)
    return x if high is None else axes.elementwise(s, _minimum, x, high)


@operator("Dropout", known=(1, 2))
def dropout(s: Site, n: Node) -> tuple[Tensor, ...]:
    """x itself: a model that is run drops nothing."""
    ratio, training = n.get(1), n.get(2)
    trains = training is not None and bool(s.numbers(training, "training_mode"))
    if trains and (ratio is None or float(s.numbers(ratio, "ratio")) != 0.0):
        raise s.refuse("it drops at random, as in training")
    mask = axes.expand(s, known(np.ones((1,) * n[0].rank, bool)), n[0].shape)
    return n[0], mask
