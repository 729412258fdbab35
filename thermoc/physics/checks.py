"""Numbers handed to a formula are checked here: what, where in the array, what it must be."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from thermoc.support.array_types import BoolArray, FloatArray
from thermoc.support.errors import error
from thermoc.support.namespaces import as_type, namespace


def finite(name: str, values: ArrayLike) -> FloatArray:
    """Return the array; every element must be finite. Errors: T405."""
    # A tensor is not looked at: on a GPU it would be waited for.
    if namespace(values) is not np:
        return as_type(values, np.dtype(np.float64))
    array = np.asarray(values, float)
    return _all(name, array, np.isfinite(array), "finite")


def positive(name: str, values: ArrayLike, unit: str = "") -> FloatArray:
    """Return the array; every element must be > 0. Errors: T405."""
    array = finite(name, values)
    return _all(name, array, array > 0, f"> 0{unit and ' ' + unit}")


def non_negative(name: str, values: ArrayLike) -> FloatArray:
    """Return the array; every element must be >= 0. Errors: T405."""
    array = finite(name, values)
    return _all(name, array, array >= 0, ">= 0")


def distribution(name: str, values: ArrayLike) -> FloatArray:
    """Return the array; its last axis must hold probabilities that sum to one within 1e-9. Errors: T405.

    Of float32 numbers they must within 1e-5.
    """
    array = non_negative(name, values)
    total = array.sum(axis=-1)
    # n float32 roundings add up to more than float64's tolerance
    tolerance = 1e-5 if getattr(values, "dtype", None) == np.float32 else 1e-9
    wrong = np.argwhere(np.abs(total - 1) > tolerance)
    if len(wrong):
        index = tuple(int(i) for i in wrong[0])
        notes = [f"{name}{list(index) if index else ''} sums to {float(total[index])!r}"]
        raise error("T405", f"{name} must sum to one", notes=notes, hint="divide it by its sum")
    return array


def symmetric(name: str, values: ArrayLike) -> FloatArray:
    """Return the matrix; it must equal its transpose. Errors: T405."""
    array = finite(name, values)
    if namespace(array) is not np:
        return array
    if array.ndim != 2 or array.shape[0] != array.shape[1]:
        raise error("T405", f"{name} must be a square matrix", notes=[f"it has shape {list(array.shape)}"])
    wrong = np.argwhere(array != array.T)
    if len(wrong):
        i, j = (int(k) for k in wrong[0])
        notes = [f"{name}[{i}, {j}] = {array[i, j]}", f"{name}[{j}, {i}] = {array[j, i]}"]
        raise error("T405", f"{name} must be symmetric", notes=notes, hint=f"take ({name} + {name}.T) / 2")
    return array


def _all(name: str, array: FloatArray, holds: BoolArray, what: str) -> FloatArray:
    if namespace(array) is not np:
        return array
    wrong = np.argwhere(~holds)
    if len(wrong):
        index = tuple(int(i) for i in wrong[0])
        fact = f"{name}{list(index) if index else ''} = {float(array[index])!r}"
        raise error("T405", f"{name} must be {what}", notes=[fact])
    return array
