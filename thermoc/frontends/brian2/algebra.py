"""Arithmetic on what may be numbers or values of the network: numbers are computed at once, by NumPy as Brian2 does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from thermoc.ir.functions import call
from thermoc.ir.handle import Handle
from thermoc.ir.types import DType, Role

Term = Any
"""A number, an array of numbers, or a Handle: of shape () or one element a unit."""

_NUMPY: dict[str, Callable[..., Any]] = {
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "div": np.true_divide,
    "pow": np.power,
    "less": np.less,
    "less_equal": np.less_equal,
    "greater": np.greater,
    "greater_equal": np.greater_equal,
    "equal": np.equal,
    "and": np.logical_and,
    "or": np.logical_or,
    "not": np.logical_not,
    "neg": np.negative,
    "minimum": np.minimum,
    "maximum": np.maximum,
    **{
        name: getattr(np, name)
        for name in ("abs", "sign", "exp", "expm1", "log", "sqrt", "sin", "cos", "tanh", "floor")
    },
}
_LOGICAL = ("and", "or", "not")


def computed(*terms: Term) -> bool:
    """Tell whether any of these is a value of the network."""
    return any(isinstance(term, Handle) for term in terms)


def apply(name: str, *terms: Term) -> Term:
    """Return a core op of this name, or its number."""
    if not computed(*terms):
        with np.errstate(all="ignore"):
            return _NUMPY[name](*(number(term) if name not in _LOGICAL else term for term in terms))
    form = truth if name in _LOGICAL else number
    return call(f"core.{name}", *(form(term) for term in terms))


def is_truth(term: Term) -> bool:
    """Tell whether a term is true or false rather than a number."""
    return term.type.dtype is DType.bool if isinstance(term, Handle) else np.asarray(term).dtype.kind == "b"


def number(term: Term) -> Term:
    """Return a term as floats; a truth counts as 1."""
    if isinstance(term, Handle):
        return call("core.cast", term, dtype=DType.f64) if term.type.dtype is not DType.f64 else term
    array = np.asarray(term)
    return array.astype(np.float64) if array.dtype != np.float64 else array


def truth(term: Term) -> Term:
    """Return a term as true or false."""
    if is_truth(term):
        return term
    return apply("not", apply("equal", term, 0.0))


def select(condition: Term, a: Term, b: Term) -> Term:
    """Return a where the condition holds, b elsewhere, unit by unit; of truths as of numbers."""
    if not computed(condition):
        mask = np.asarray(condition)
        if mask.all():
            return a
        if not mask.any():
            return b
    if not computed(condition, a, b):
        return np.where(condition, a, b)
    if is_truth(a) and is_truth(b):
        return apply("or", apply("and", condition, a), apply("and", apply("not", condition), b))
    return call("core.select", truth(condition), number(a), number(b))


def both(a: Term | None, b: Term | None) -> Term | None:
    """Return where both conditions hold; None always holds."""
    return b if a is None else a if b is None else apply("and", a, b)


def spread(term: Term, size: int) -> Term:
    """Return a term with one element a unit."""
    if isinstance(term, Handle):
        return term if term.shape == (size,) else call("core.broadcast", term, shape=(size,))
    return np.broadcast_to(np.asarray(term), (size,))


def spikes(condition: Term, size: int) -> Handle:
    """Return which units spike as 0 and 1."""
    fired = spread(condition, size)
    if not isinstance(fired, Handle):
        fired = call("core.greater", np.asarray(fired, np.float64), 0.5)
    return call("core.cast", fired, dtype=DType.f64, role=Role.spike)


def as_value(term: Term, size: int | None) -> Handle:
    """Return a term as a value of the network, of one element a unit, or of shape () where ``size`` is None."""
    value = spread(term, size) if size is not None else term
    if isinstance(value, Handle):
        return value
    array = np.asarray(value)
    return call("core.not", np.logical_not(array)) if array.dtype.kind == "b" else call("core.neg", -number(array))
