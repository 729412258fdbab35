"""Expressions on arrays: of NumPy, or of a library with gradients that follows the array API standard."""

# pyright: reportUnknownLambdaType=false, reportUnknownArgumentType=false
# (small functions in tables take what their callers take)

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from thermoc.ir.equations.expressions import FUNCTIONS, Algebra
from thermoc.support.namespaces import namespace


def _plain(name: str) -> Callable[[Any], Any]:
    return lambda x: getattr(namespace(x), name)(x)


def _exprel(x: Any) -> Any:
    xp = namespace(x)
    safe = xp.where(x == 0, 1.0, x)
    return xp.where(x == 0, 1.0, xp.expm1(safe) / safe)


def _minimum(a: Any, b: Any) -> Any:
    return namespace(a, b).where(a < b, a, b)


def _maximum(a: Any, b: Any) -> Any:
    return namespace(a, b).where(a > b, a, b)


def _sinh(x: Any) -> Any:
    grown = namespace(x).exp(x)
    return (grown - 1.0 / grown) * 0.5


def _cosh(x: Any) -> Any:
    grown = namespace(x).exp(x)
    return (grown + 1.0 / grown) * 0.5


def _number(truth: Any) -> Any:
    return namespace(truth).where(truth, 1.0, 0.0)


COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "==": lambda a, b: a == b,
}
ARRAYS = Algebra(
    functions={
        **{name: _plain(name) for name in ("exp", "expm1", "log", "sqrt", "sin", "cos", "tanh", "abs", "sign")},
        "floor": _plain("floor"),
        "ceil": lambda x: -namespace(x).floor(-x),
        "tan": lambda x: namespace(x).sin(x) / namespace(x).cos(x),
        "sinh": _sinh,
        "cosh": _cosh,
        "exprel": _exprel,
        "int": _number,
        "min": _minimum,
        "max": _maximum,
        "clip": lambda x, low, high: _minimum(_maximum(x, low), high),
        "where": lambda condition, a, b: namespace(condition).where(condition, a, b),
    },
    compare=lambda text, a, b: COMPARE[text](a, b),
    power=lambda a, b: a**b,
    both=lambda a, b: a & b,
    either=lambda a, b: a | b,
    negated=lambda a: ~a,
)
assert ARRAYS.functions.keys() == FUNCTIONS.keys()


def arrays_as(like: Any) -> Algebra:
    """Return the same on arrays of the format of ``like``, which numbers that a truth chooses between take too."""
    xp = namespace(like)

    def array(value: Any) -> Any:
        return xp.full_like(like, value) if isinstance(value, int | float) else value

    choices: dict[str, Callable[..., Any]] = {
        "where": lambda truth, a, b: xp.where(truth, array(a), array(b)),
        "int": lambda truth: xp.where(truth, array(1.0), array(0.0)),
    }
    return replace(ARRAYS, functions={**ARRAYS.functions, **choices})
