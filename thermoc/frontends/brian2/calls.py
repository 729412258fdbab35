"""Calls in Brian2's code: its own functions, draws of random numbers, and tables of time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.brian2 import algebra
from thermoc.frontends.brian2.algebra import Term, apply, computed
from thermoc.frontends.brian2.functions import DRAWS, FUNCTIONS
from thermoc.frontends.brian2.site import MOST_ELEMENTS
from thermoc.frontends.brian2.variables import Store
from thermoc.ir.functions import call
from thermoc.ir.types import Shape

_RAREST = 1e-17
"""Outcomes of a count that all together are rarer are left out: less than a uniform number can tell apart."""


def result(store: Store, function: Any, name: str, terms: list[Term], shape: Shape, clock: Any) -> Term:
    """Return what a function gives for these arguments. Errors: T508 for functions that have no equation."""
    kind = _kind(function, name)
    if kind == "TimedArray":
        return _table(store, function, name, terms, float(clock.dt_))
    if kind in DRAWS:
        return _draw(store, kind, terms, shape)
    if kind not in FUNCTIONS:
        hint = "write it as an expression, or as a TimedArray"
        raise store.site.refuse(
            f"function {name!r} is Python or C++ of the user's, which no other target has", hint=hint
        )
    value = FUNCTIONS[kind](*terms)
    if value is None:
        raise store.site.refuse(f"there is no {name} of values that are computed")
    return value


def _kind(function: Any, name: str) -> str:
    """Return the name under which Brian2 itself has a function, or of which class it is."""
    from brian2.core.functions import DEFAULT_FUNCTIONS  # pyright: ignore[reportMissingTypeStubs]

    if type(function).__name__ == "TimedArray":
        return "TimedArray"
    functions = {id(known): key for key, known in DEFAULT_FUNCTIONS.items()}
    if function is None:
        return name if name in DEFAULT_FUNCTIONS else ""
    return functions.get(id(function), "")


# ------------------------------------------------------------------------------------------------------------- draws


def _draw(store: Store, kind: str, terms: list[Term], shape: Shape) -> Term:
    if kind == "rand":
        return call("thermo.uniform", shape=shape)
    if kind == "randn":
        return call("thermo.normal", shape=shape)
    rate = terms[0]
    if computed(rate) or np.ndim(rate):
        hint = "draw by rand() < p where at most one comes in a step"
        raise store.site.refuse("poisson(x) of an x that is not one number", hint=hint)
    from scipy.stats import poisson  # pyright: ignore[reportMissingTypeStubs]

    return count(poisson(float(rate)), shape)


def count(law: Any, shape: Shape) -> Term:
    """Return numbers drawn from a law of whole numbers: how many of its cumulative probabilities lie below u."""
    levels = np.asarray(law.cdf(np.arange(int(law.isf(_RAREST)) + 1)), np.float64)
    levels = levels[levels < 1.0]
    u = call("thermo.uniform", shape=shape)
    if not len(levels):
        return apply("mul", u, 0.0)
    above = call("core.greater", call("core.reshape", u, shape=(*shape, 1)), levels)
    return call("core.reduce", algebra.number(above), kind="sum", axes=(len(shape),))


# ------------------------------------------------------------------------------------------------------------ tables


def _table(store: Store, function: Any, name: str, terms: list[Term], dt: float) -> Term:
    """Return values[step of t], or values[step of t, i]: the row is chosen by its number, exactly."""
    values = np.asarray(function.values, np.float64)
    if not np.isfinite(values).all():
        raise store.site.refuse(f"{name} holds numbers that are not finite", code="T107")
    row = _row(terms[0], float(function.dt), dt, len(values))
    if values.ndim == 2:
        if computed(terms[1]):
            raise store.site.refuse(
                f"the column of {name} is computed", hint="take a fixed one for each unit, such as i"
            )
        values = values[:, np.asarray(terms[1]).astype(np.int64)]
    if not computed(row):
        return values[row.astype(np.int64)] if values.ndim == 1 or row.ndim == 0 else _paired(values, row)
    if np.prod([float(n) for n in (*row.shape, *values.shape)]) > MOST_ELEMENTS:
        notes = (f"{name} has shape {values.shape}", f"the limit is {MOST_ELEMENTS} numbers a tick")
        raise store.site.refuse("a table of times is too large", *notes, code="T504")
    key = ("row", row.value.name, len(values))
    if key not in store.cache:
        store.cache[key] = _one_hot(row, len(values))
    chosen = store.cache[key]
    if row.shape and values.ndim == 2:
        return call("core.reduce", apply("mul", chosen, values.T), kind="sum", axes=(1,))
    wide = call("core.affine", chosen, values.T if values.ndim == 2 else values[None])
    return wide if values.ndim == 2 else call("core.reshape", wide, shape=row.shape)


def _row(t: Term, step: float, dt: float, length: int) -> Term:
    """Return the row of a time, as Brian2 counts it: in parts of a step, rounded."""
    parts = max(int(2 ** np.ceil(np.log2(8 / dt * step))), 1)
    near = apply("floor", apply("add", apply("div", t, step / parts), 0.5))
    row = apply("floor", apply("div", near, float(parts)))
    return apply("minimum", apply("maximum", row, 0.0), float(length - 1))


def _paired(values: NDArray, row: NDArray) -> NDArray:
    return values[row.astype(np.int64), np.arange(values.shape[1])]


def _one_hot(row: Any, length: int) -> Any:
    """Return 1 at the row and 0 elsewhere, (*row, length)."""
    wide = call("core.reshape", row, shape=(*row.shape, 1))
    return algebra.number(call("core.equal", wide, np.arange(length, dtype=np.float64)))
