"""Brian2's functions, by name: what each becomes. Functions of users have no equations, and are refused by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from thermoc.frontends.brian2 import algebra
from thermoc.frontends.brian2.algebra import Term, apply, computed

_SHIFT = 1e-3
"""What Brian2 adds to times before it counts their steps, in steps."""


def _ceil(x: Term) -> Term:
    return apply("neg", apply("floor", apply("neg", x)))


def truncated(x: Term) -> Term:
    """Return x without what stands behind its point; a truth as 0 or 1."""
    if algebra.is_truth(x):
        return algebra.number(x)
    if not computed(x):
        return np.trunc(x)
    return algebra.select(apply("less", x, 0.0), _ceil(x), apply("floor", x))


def _timestep(t: Term, dt: Term) -> Term:
    return truncated(apply("div", apply("add", t, apply("mul", dt, _SHIFT)), dt))


def _tan(x: Term) -> Term:
    return apply("div", apply("sin", x), apply("cos", x)) if computed(x) else np.tan(x)


def _sinh(x: Term) -> Term:
    if not computed(x):
        return np.sinh(x)
    up = apply("expm1", x)  # exact near 0: (u + u / (u + 1)) / 2
    return apply("mul", apply("add", up, apply("div", up, apply("add", up, 1.0))), 0.5)


def _cosh(x: Term) -> Term:
    if not computed(x):
        return np.cosh(x)
    up = apply("exp", x)
    return apply("mul", apply("add", up, apply("div", 1.0, up)), 0.5)


def _log10(x: Term) -> Term:
    return apply("div", apply("log", x), float(np.log(10.0))) if computed(x) else np.log10(x)


def _log1p(x: Term) -> Term:
    if not computed(x):
        return np.log1p(x)
    moved = apply("add", x, 1.0)  # Kahan's: the rounding of 1 + x cancels
    exact = apply("equal", moved, 1.0)
    width = algebra.select(exact, 1.0, apply("sub", moved, 1.0))
    return algebra.select(exact, x, apply("div", apply("mul", x, apply("log", moved)), width))


def _exprel(x: Term) -> Term:
    if not computed(x):
        x = algebra.number(x)
        safe = np.where(np.abs(x) < 1e-16, 1.0, x)
        return np.where(np.abs(x) < 1e-16, 1.0, np.expm1(safe) / safe)
    near_zero = apply("less", apply("abs", x), 1e-16)
    safe = algebra.select(near_zero, 1.0, x)
    return algebra.select(near_zero, 1.0, apply("div", apply("expm1", safe), safe))


def _clip(x: Term, low: Term, high: Term) -> Term:
    above = x if _endless(low) else apply("maximum", x, low)
    return above if _endless(high) else apply("minimum", above, high)


def _endless(bound: Term) -> bool:
    return not computed(bound) and np.ndim(bound) == 0 and bool(np.isinf(bound))


def _known(name: str) -> Callable[[Term], Term]:
    """Return a function that networks have no op for: of numbers it is computed."""
    return lambda x: None if computed(x) else getattr(np, name)(algebra.number(x))


def _plain(name: str) -> Callable[[Term], Term]:
    return lambda x: apply(name, x)


FUNCTIONS: dict[str, Callable[..., Any]] = {
    **{name: _plain(name) for name in ("exp", "expm1", "log", "sqrt", "sin", "cos", "tanh", "abs", "sign", "floor")},
    **{name: _known(name) for name in ("arcsin", "arccos", "arctan")},
    "ceil": _ceil,
    "int": truncated,
    "int_": truncated,
    "bool": algebra.truth,
    "timestep": _timestep,
    "tan": _tan,
    "sinh": _sinh,
    "cosh": _cosh,
    "log10": _log10,
    "log1p": _log1p,
    "exprel": _exprel,
    "clip": _clip,
}
"""None of a function of computed values says that there is no op for it."""
DRAWS = ("rand", "randn", "poisson")
"""Functions that draw numbers."""
