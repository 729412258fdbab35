"""Scalar rules: the equation of one element, in plain Python that Numba compiles for any device.

Numbers are written ``type(x)(1)`` so that a rule stays in the format of what it is given.
"""

from __future__ import annotations

import math

import numpy as np

FAR = 100.0


def neg(x):
    """-x."""
    return -x


def absolute(x):
    """|x|."""
    return abs(x)


def sign(x):
    """-1, 0 or 1; NaN stays."""
    return type(x)(1) if x > 0 else type(x)(-1) if x < 0 else x


def exp(x):
    """e^x."""
    return math.exp(x)


def expm1(x):
    """e^x - 1."""
    return math.expm1(x)


def log(x):
    """ln x, -inf at 0, NaN below."""
    return math.log(x) if x > 0 else type(x)(-math.inf if x == 0 else math.nan)


def sqrt(x):
    """Square root, NaN below 0."""
    return math.sqrt(x) if x >= 0 else type(x)(math.nan)


def sin(x):
    """Sine."""
    return math.sin(x)


def cos(x):
    """Cosine."""
    return math.cos(x)


def tanh(x):
    """Hyperbolic tangent."""
    return math.tanh(x)


def floor(x):
    """Greatest integer not above x, as a float."""
    return np.floor(x)


def add(x, y):
    """x + y."""
    return x + y


def sub(x, y):
    """x - y."""
    return x - y


def mul(x, y):
    """x y."""
    return x * y


def div(x, y):
    """x / y."""
    return x / y


def power(x, y):
    """x^y."""
    return x**y


def minimum(x, y):
    """The smaller; NaN wins."""
    return x if x < y or x != x else y


def maximum(x, y):
    """The larger; NaN wins."""
    return x if x > y or x != x else y


def thermal_relu(x, T):
    """max(x - T, 0) (P7); NaN stays."""
    return type(x)(0) if x <= T else x - T


def maxwell_boltzmann(x, T):
    """sqrt(2 / pi) w^2 exp(-w^2 / 2) / sqrt(T), w = min(|x| / sqrt(T), 100) (P8), and 0 at T = 0."""
    root = math.sqrt(T)
    if root == 0:
        return type(x)(0)
    w = min(abs(x) / root, type(x)(FAR))
    return type(x)(math.sqrt(2 / math.pi)) * (w * w) * math.exp(type(x)(-0.5) * (w * w)) / root


def fermi_dirac(x, T, mu):
    """1 / (1 + e^u) as (1 or e^-|u|) / (1 + e^-|u|), u = (x - mu) / T (P6), 1/2 at x = mu also for T = 0."""
    u = type(x)(0) if T == 0 and x == mu else (x - mu) / T
    small = math.exp(-abs(u))
    return (small if u > 0 else type(x)(1)) / (type(x)(1) + small)


def select(condition, x, y):
    """x where the condition holds, else y."""
    return x if condition else y


def less(x, y):
    """1 where x < y."""
    return 1 if x < y else 0


def less_equal(x, y):
    """1 where x <= y."""
    return 1 if x <= y else 0


def equal(x, y):
    """1 where x = y."""
    return 1 if x == y else 0


def both(x, y):
    """1 where neither is 0."""
    return 1 if x and y else 0


def either(x, y):
    """1 where one is not 0."""
    return 1 if x or y else 0


def negation(x):
    """1 where x is 0."""
    return 0 if x else 1
