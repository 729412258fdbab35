"""Elementwise operators, comparisons and choices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from thermoc.frontends.onnx.tensor import Tensor
from thermoc.frontends.torch.aten import Aten, aten

SAME = {
    "relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "abs": "Abs", "neg": "Neg", "exp": "Exp", "log": "Log",
    "sqrt": "Sqrt", "reciprocal": "Reciprocal", "sin": "Sin", "cos": "Cos", "tan": "Tan", "asin": "Asin",
    "acos": "Acos",
    "atan": "Atan", "sinh": "Sinh", "cosh": "Cosh", "asinh": "Asinh", "acosh": "Acosh", "atanh": "Atanh", "erf": "Erf",
    "floor": "Floor", "ceil": "Ceil", "round": "Round", "sign": "Sign", "hardswish": "HardSwish", "mish": "Mish",
}  # fmt: skip
"""Operators that ONNX has under another name; what torch computes of integers in floats is one too."""


def _one(kind: str) -> Any:
    def read(t: Aten, self: Tensor, **_: Any) -> Tensor:
        return t(kind, t.cast(self, t.elem))

    return read


for _name, _kind in SAME.items():
    aten(_name)(_one(_kind))


def pair(t: Aten, a: Any, b: Any) -> tuple[Tensor, Tensor]:
    """Return two operands in the dtype that torch computes them in."""
    elems = [x.elem for x in (a, b) if isinstance(x, Tensor)]
    elem = np.result_type(*elems) if elems else np.dtype("float32")
    # float32 beside int64 stays float32 in torch, where NumPy goes to float64.
    floats = [e for e in elems if e.kind == "f"]
    elem = np.result_type(*floats) if floats else elem
    if not floats and any(isinstance(x, float) for x in (a, b)):
        elem = np.dtype("float32")
    if elem.kind == "b" and any(isinstance(x, int) and not isinstance(x, bool) for x in (a, b)):
        elem = np.dtype("int64")
    return t.number(a, elem), t.number(b, elem)


def _scaled(t: Aten, x: Any, alpha: Any) -> Any:
    if alpha == 1:
        return x
    return t("Mul", *(pair(t, x, alpha))) if isinstance(x, Tensor) else x * alpha


@aten("add")
def add(t: Aten, self: Any, other: Any, alpha: Any = 1) -> Tensor:
    """self + alpha other."""
    a, b = pair(t, self, _scaled(t, other, alpha))
    return t("Or", a, b) if a.elem.kind == "b" else t("Add", a, b)


@aten("sub")
def sub(t: Aten, self: Any, other: Any, alpha: Any = 1) -> Tensor:
    """self - alpha other."""
    return t("Sub", *pair(t, self, _scaled(t, other, alpha)))


@aten("rsub")
def rsub(t: Aten, self: Any, other: Any, alpha: Any = 1) -> Tensor:
    """other - alpha self."""
    return sub(t, other, self, alpha)


@aten("mul")
def mul(t: Aten, self: Any, other: Any) -> Tensor:
    """self other."""
    a, b = pair(t, self, other)
    return t("And", a, b) if a.elem.kind == "b" else t("Mul", a, b)


@aten("div")
def div(t: Aten, self: Any, other: Any, rounding_mode: str | None = None) -> Tensor:
    """self / other, rounded to the whole number below or towards 0 where it is asked for."""
    if rounding_mode is None:
        return t("Div", t.number(self), t.number(other))
    a, b = (t.number(x, np.float64 if t.elem.kind in "iu" else t.elem) for x in (self, other))
    return t.cast(_rounded(t, t("Div", a, b), rounding_mode), t.elem)


def _rounded(t: Aten, x: Tensor, mode: str) -> Tensor:
    return t("Floor", x) if mode == "floor" else t("Mul", t("Sign", x), t("Floor", t("Abs", x)))


@aten("floor_divide")
def floor_divide(t: Aten, self: Any, other: Any) -> Tensor:
    """The whole number below self / other."""
    return div(t, self, other, "floor")


@aten("remainder")
def remainder(t: Aten, self: Any, other: Any) -> Tensor:
    """self - other floor(self / other)."""
    a, b = pair(t, self, other)
    if a.elem.kind in "iu":
        return t("Mod", a, b)
    return t("Sub", a, t("Mul", b, t("Floor", t("Div", a, b))))


@aten("fmod")
def fmod(t: Aten, self: Any, other: Any) -> Tensor:
    """The rest, with the sign of self."""
    return t("Mod", *pair(t, self, other), fmod=1)


@aten("pow")
def pow_(t: Aten, self: Any, exponent: Any) -> Tensor:
    """self to the power of exponent."""
    return t.cast(t("Pow", t.number(self), t.number(exponent)), t.elem)


@aten("rsqrt")
def rsqrt(t: Aten, self: Tensor) -> Tensor:
    """1 / sqrt(self)."""
    return t("Reciprocal", t("Sqrt", t.number(self)))


@aten("square")
def square(t: Aten, self: Tensor) -> Tensor:
    """The square."""
    return t("Mul", self, self)


@aten("expm1")
def expm1(t: Aten, self: Tensor) -> Tensor:
    """exp(self) - 1."""
    from thermoc.frontends.onnx import axes
    from thermoc.ir.functions import call

    return axes.elementwise(t.site, lambda v: call("core.expm1", v), t.number(self))


@aten("log1p")
def log1p(t: Aten, self: Tensor) -> Tensor:
    """log(1 + self)."""
    from thermoc.frontends.onnx import axes, special

    return axes.elementwise(t.site, special.log1p, t.number(self))


@aten("log2", "log10")
def log_of_base(t: Aten, self: Tensor) -> Tensor:
    """The logarithm to the base that the name says."""
    base = 2 if t.name == "log2" else 10
    return t("Mul", t("Log", t.number(self)), t.number(1 / math.log(base)))


@aten("exp2")
def exp2(t: Aten, self: Tensor) -> Tensor:
    """2 to the power of self."""
    return t("Pow", t.number(2.0), t.number(self))


@aten("atan2")
def atan2(t: Aten, self: Tensor, other: Tensor) -> Tensor:
    """The angle of (other, self)."""
    y, x = pair(t, self, other)
    zero, pi = t.number(0, y.elem), t.number(math.pi, y.elem)
    negative, below = t("Less", x, zero), t("Less", y, zero)
    angle = t("Atan", t("Div", y, t("Where", t("Equal", x, zero), t.number(1, x.elem), x)))
    turned = t("Where", negative, t("Where", below, t("Sub", angle, pi), t("Add", angle, pi)), angle)
    upright = t("Mul", t("Sign", y), t("Div", pi, t.number(2, y.elem)))
    return t("Where", t("Equal", x, zero), upright, turned)


@aten("trunc", "fix")
def trunc(t: Aten, self: Tensor) -> Tensor:
    """Rounded towards 0."""
    return _rounded(t, self, "trunc")


@aten("clamp", "clip")
def clamp(t: Aten, self: Tensor, min: Any = None, max: Any = None) -> Tensor:
    """Within bounds."""
    x = t.number(self)
    x = x if min is None else t("Max", x, t.number(min))
    return x if max is None else t("Min", x, t.number(max))


@aten("clamp_min")
def clamp_min(t: Aten, self: Tensor, min: Any) -> Tensor:
    """No less than."""
    return clamp(t, self, min=min)


@aten("clamp_max")
def clamp_max(t: Aten, self: Tensor, max: Any) -> Tensor:
    """No more than."""
    return clamp(t, self, max=max)


@aten("hardtanh", "relu6")
def hardtanh(t: Aten, self: Tensor, min_val: float = 0.0, max_val: float = 6.0) -> Tensor:
    """Within bounds."""
    return clamp(t, self, min_val, max_val)


@aten("maximum")
def maximum(t: Aten, self: Tensor, other: Tensor) -> Tensor:
    """The larger."""
    return t("Max", *pair(t, self, other))


@aten("minimum")
def minimum(t: Aten, self: Tensor, other: Tensor) -> Tensor:
    """The smaller."""
    return t("Min", *pair(t, self, other))


@aten("where")
def where(t: Aten, condition: Tensor, self: Any, other: Any) -> Tensor:
    """self where the condition holds, else other."""
    return t("Where", condition, t.number(self), t.number(other))


@aten("masked_fill")
def masked_fill(t: Aten, self: Tensor, mask: Tensor, value: Any) -> Tensor:
    """The value where the mask holds, else self."""
    return t("Where", mask, t.number(value), self)


COMPARISONS = {"eq": "Equal", "lt": "Less", "le": "LessOrEqual", "gt": "Greater", "ge": "GreaterOrEqual"}


def _compared(kind: str, turned: bool = False) -> Any:
    def read(t: Aten, self: Any, other: Any) -> Tensor:
        a, b = pair(t, self, other)
        if a.elem.kind == "b" and kind == "Equal":
            y = t("Not", t("Xor", a, b))
        elif a.elem.kind == "b":
            y = t(kind, t.cast(a, np.int64), t.cast(b, np.int64))
        else:
            y = t(kind, a, b)
        return t("Not", y) if turned else y

    return read


for _name, _kind in COMPARISONS.items():
    aten(_name)(_compared(_kind))
aten("ne")(_compared("Equal", turned=True))


def _logical(kind: str) -> Any:
    def read(t: Aten, self: Tensor, other: Tensor) -> Tensor:
        return t(kind, truth(t, self), truth(t, other))

    return read


def truth(t: Aten, x: Any) -> Tensor:
    """Return whether each number is not 0."""
    x = x if isinstance(x, Tensor) else t.number(x, np.bool_)
    return x if x.elem.kind == "b" else t("Not", t("Equal", x, t.number(0, x.elem)))


for _name in ("and", "or", "xor"):
    aten(f"logical_{_name}")(_logical(_name.capitalize()))


@aten("logical_not")
def logical_not(t: Aten, self: Tensor) -> Tensor:
    """Whether it is 0."""
    return t("Not", truth(t, self))


@aten("bitwise_not")
def bitwise_not(t: Aten, self: Tensor) -> Tensor:
    """Each bit turned."""
    return t("Not" if self.elem.kind == "b" else "BitwiseNot", self)


def _bitwise(name: str) -> Any:
    def read(t: Aten, self: Any, other: Any) -> Tensor:
        a, b = pair(t, self, other)
        return t(name.capitalize() if a.elem.kind == "b" else f"Bitwise{name.capitalize()}", a, b)

    return read


for _name in ("and", "or", "xor"):
    aten(f"bitwise_{_name}")(_bitwise(_name))


@aten("isnan")
def isnan(t: Aten, self: Tensor) -> Tensor:
    """Whether it is no number."""
    return t("IsNaN", self)


@aten("isinf")
def isinf(t: Aten, self: Tensor) -> Tensor:
    """Whether it is infinite."""
    return t("IsInf", self)


# -------------------------------------------------------------------------------------------------------- activations


@aten("leaky_relu")
def leaky_relu(t: Aten, self: Tensor, negative_slope: float = 0.01) -> Tensor:
    """negative_slope x below 0."""
    return t("LeakyRelu", self, alpha=float(negative_slope))


@aten("elu")
def elu(t: Aten, self: Tensor, alpha: float = 1, scale: float = 1, input_scale: float = 1) -> Tensor:
    """scale x, below 0 scale alpha (exp(input_scale x) - 1)."""
    if input_scale == 1 and scale == 1:
        return t("Elu", self, alpha=float(alpha))
    below = expm1(t, t("Mul", t("Min", self, t.number(0)), t.number(input_scale)))
    y = t("Where", t("Less", self, t.number(0)), t("Mul", below, t.number(alpha)), self)
    return t("Mul", y, t.number(scale))


@aten("celu")
def celu(t: Aten, self: Tensor, alpha: float = 1.0) -> Tensor:
    """max(0, x) + min(0, alpha (exp(x / alpha) - 1))."""
    return t("Celu", self, alpha=float(alpha))


@aten("selu")
def selu(t: Aten, self: Tensor) -> Tensor:
    """ELU with its two constants."""
    return elu(t, self, 1.6732632423543772848170429916717, 1.0507009873554804934193349852946)


@aten("gelu")
def gelu(t: Aten, self: Tensor, approximate: str = "none") -> Tensor:
    """x times the normal distribution of x."""
    return t("Gelu", self, approximate=approximate)


@aten("silu")
def silu(t: Aten, self: Tensor) -> Tensor:
    """x sigmoid(x)."""
    return t("Mul", self, t("Sigmoid", self))


@aten("hardsigmoid")
def hardsigmoid(t: Aten, self: Tensor) -> Tensor:
    """x / 6 + 1/2 within 0 and 1."""
    return t("HardSigmoid", self, alpha=1 / 6, beta=0.5)


@aten("softplus")
def softplus(t: Aten, self: Tensor, beta: float = 1, threshold: float = 20) -> Tensor:
    """log(1 + exp(beta x)) / beta; x beyond the threshold."""
    scaled = t("Mul", self, t.number(beta))
    y = t("Div", t("Softplus", scaled), t.number(beta))
    return t("Where", t("Greater", scaled, t.number(threshold)), self, y)


@aten("log_sigmoid")
def log_sigmoid(t: Aten, self: Tensor) -> Tensor:
    """-log(1 + exp(-x))."""
    return t("Neg", t("Softplus", t("Neg", self)))


aten("log_sigmoid_forward")(lambda t, self: (log_sigmoid(t, self), self))


@aten("threshold")
def threshold(t: Aten, self: Tensor, threshold: float, value: float) -> Tensor:
    """x above the threshold, else the value."""
    return t("Where", t("Greater", self, t.number(threshold)), self, t.number(value))


@aten("hardshrink", "softshrink")
def shrunk(t: Aten, self: Tensor, lambd: float = 0.5) -> Tensor:
    """0 within lambd of 0, beyond it x, or x less lambd."""
    return t("Shrink", self, lambd=float(lambd), bias=0.0 if "hard" in t.name else float(lambd))


@aten("prelu", "_prelu_kernel")
def prelu(t: Aten, self: Tensor, weight: Tensor) -> Tensor:
    """weight x below 0, a weight a channel."""
    if weight.rank == 1 and self.rank > 1 and t.name == "prelu":
        weight = t.reshape(weight, (weight.shape[0], *(1,) * (self.rank - 2)))
    return t("Where", t("Less", self, t.number(0)), t("Mul", self, weight), self)


@aten("glu")
def glu(t: Aten, self: Tensor, dim: int = -1) -> Tensor:
    """Half of the channels, gated by the other half."""
    a, b = t("Split", self, outputs=2, axis=int(dim), num_outputs=2)
    return t("Mul", a, t("Sigmoid", b))
