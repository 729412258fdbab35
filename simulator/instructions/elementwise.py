"""Elementwise instructions: the rule of one element, then a line that declares it.

Rules are plain Python that Numba compiles for any device. Numbers are written ``type(x)(1)`` so that a rule stays in
the format of what it is given. A slot of one element serves every element of the result.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from typing import Any

from thermoc.simulator.instructions.declaration import Instruction, RowSizes, SlotKind, Trait
from thermoc.simulator.kernels import scalar

FLOATS, INTS = SlotKind.FLOATS, SlotKind.INTS
FAR = 100.0
"""Of a Maxwell-Boltzmann unit, in thermal widths: beyond it e^(-w^2 / 2) is 0 in any format; w^2 must not overflow."""


def elementwise(
    opcode: int,
    name: str,
    rule: Callable[..., Any],
    *operands: SlotKind,
    result: SlotKind = FLOATS,
    seconds: float = 0.4,
) -> Instruction:
    """Declare r[i] = rule(x[i], ...), of floats unless the kinds say otherwise."""
    return Instruction(
        opcode=opcode,
        name=name,
        equation=f"r[i] = {_said(rule)}",
        result=result,
        operands=operands or (FLOATS,) * len(inspect.signature(rule).parameters),
        fits=_one_or_as_many,
        rule=rule,
        seconds=seconds,
        traits=frozenset({Trait.SCRATCH}),
    )


def _said(rule: Callable[..., Any]) -> str:
    """Return what the docstring of a rule says, as the right side of an equation."""
    text = (inspect.getdoc(rule) or "").removesuffix(".")
    return text[:1].lower() + text[1:]


def _one_or_as_many(row: RowSizes) -> bool:
    return {row.x, row.y, row.z} <= {-1, 1, row.n}


def neg(x):
    """-x."""
    return -x


NEG = elementwise(0, "NEG", neg)


def absolute(x):
    """|x|."""
    return abs(x)


ABS = elementwise(1, "ABS", absolute)


def sign(x):
    """-1, 0 or 1, the sign of x; NaN stays."""
    return type(x)(1) if x > 0 else type(x)(-1) if x < 0 else x


SIGN = elementwise(2, "SIGN", sign)


def exp(x):
    """e^x."""
    return scalar.exp(x)


EXP = elementwise(3, "EXP", exp)


def expm1(x):
    """e^x - 1, exact near 0."""
    return scalar.expm1(x)


EXPM1 = elementwise(4, "EXPM1", expm1)


def log(x):
    """ln x, -inf at 0, NaN below."""
    return scalar.log(x)


LOG = elementwise(5, "LOG", log)


def sqrt(x):
    """sqrt(x), NaN below 0."""
    return math.sqrt(x) if x >= 0 else type(x)(math.nan)


SQRT = elementwise(6, "SQRT", sqrt)


def sin(x):
    """sin(x)."""
    return scalar.sin(x)


SIN = elementwise(7, "SIN", sin)


def cos(x):
    """cos(x)."""
    return scalar.cos(x)


COS = elementwise(8, "COS", cos)


def tanh(x):
    """tanh(x)."""
    return scalar.tanh(x)


TANH = elementwise(9, "TANH", tanh)


def floor(x):
    """The greatest integer not above x, as a float."""
    return scalar.floor(x)


FLOOR = elementwise(10, "FLOOR", floor)


def add(x, y):
    """x + y."""
    return x + y


ADD = elementwise(20, "ADD", add)


def sub(x, y):
    """x - y."""
    return x - y


SUB = elementwise(21, "SUB", sub)


def mul(x, y):
    """x y."""
    return x * y


MUL = elementwise(22, "MUL", mul)


def div(x, y):
    """x / y."""
    # by 0 infinity or NaN, not an exception: kernels are compiled with NumPy's error model
    return x / y


DIV = elementwise(23, "DIV", div)


def power(x, y):
    """x^y."""
    return scalar.power(x, y)


POW = elementwise(24, "POW", power)


def minimum(x, y):
    """The smaller of x and y; NaN wins."""
    # a comparison with NaN is false, which lets y through; x needs a test of its own
    return x if x < y or x != x else y


MINIMUM = elementwise(25, "MINIMUM", minimum)


def maximum(x, y):
    """The larger of x and y; NaN wins."""
    return x if x > y or x != x else y


MAXIMUM = elementwise(26, "MAXIMUM", maximum)


def thermal_relu(x, T):
    """max(x - T, 0), T = y (P7); NaN stays."""
    # asked in this sense, a NaN fails the test and reaches x - T
    return type(x)(0) if x <= T else x - T


THERMAL_RELU = elementwise(27, "THERMAL_RELU", thermal_relu)


def maxwell_boltzmann(x, T):
    """sqrt(2 / pi) w^2 exp(-w^2 / 2) / sqrt(T), w = min(|x| / sqrt(T), 100), T = y (P8), and 0 at T = 0."""
    root = math.sqrt(T)
    if root == 0:
        return type(x)(0)
    w = abs(x) / root
    # a GPU's own minimum of a NaN and a number is the number
    w = type(x)(FAR) if w > type(x)(FAR) else w
    return type(x)(math.sqrt(2 / math.pi)) * (w * w) * scalar.exp(type(x)(-0.5) * (w * w)) / root


MAXWELL_BOLTZMANN = elementwise(28, "MAXWELL_BOLTZMANN", maxwell_boltzmann, seconds=0.6)


def fermi_dirac(x, T, mu):
    """1 / (1 + e^u), u = (x - mu) / T, T = y and mu = z (P6), 1/2 at x = mu also for T = 0."""
    # 0 / 0 would be NaN where the limit T -> 0 is 1/2 (P6)
    u = type(x)(0) if T == 0 and x == mu else (x - mu) / T
    exponential = scalar.exp(-abs(u))  # of the two ways to write it, the one whose exponential cannot overflow
    return (exponential if u > 0 else type(x)(1)) / (type(x)(1) + exponential)


FERMI_DIRAC = elementwise(30, "FERMI_DIRAC", fermi_dirac, seconds=0.8)


def select(condition, x, y):
    """y where x is not 0, else z."""
    return x if condition else y


SELECT = elementwise(31, "SELECT", select, INTS, FLOATS, FLOATS, seconds=0.8)


def less(x, y):
    """1 where x < y, else 0."""
    return 1 if x < y else 0


def less_equal(x, y):
    """1 where x <= y, else 0."""
    return 1 if x <= y else 0


def equal(x, y):
    """1 where x = y, else 0."""
    return 1 if x == y else 0


LESS = elementwise(40, "LESS", less, FLOATS, FLOATS, result=INTS)
LESS_EQUAL = elementwise(41, "LESS_EQUAL", less_equal, FLOATS, FLOATS, result=INTS)
EQUAL = elementwise(42, "EQUAL", equal, FLOATS, FLOATS, result=INTS)
INT_LESS = elementwise(43, "INT_LESS", less, INTS, INTS, result=INTS)
INT_LESS_EQUAL = elementwise(44, "INT_LESS_EQUAL", less_equal, INTS, INTS, result=INTS)
INT_EQUAL = elementwise(45, "INT_EQUAL", equal, INTS, INTS, result=INTS)


def both(x, y):
    """1 where neither x nor y is 0, else 0."""
    return 1 if x and y else 0


AND = elementwise(46, "AND", both, INTS, INTS, result=INTS)


def either(x, y):
    """1 where x or y is not 0, else 0."""
    return 1 if x or y else 0


OR = elementwise(47, "OR", either, INTS, INTS, result=INTS)


def negation(x):
    """1 where x is 0, else 0."""
    return 0 if x else 1


NOT = elementwise(48, "NOT", negation, INTS, result=INTS)
