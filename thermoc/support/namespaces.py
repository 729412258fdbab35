"""The array API standard: one function for NumPy's arrays and for torch's tensors, through which gradients go.

What is written on ``namespace(x)`` gives with NumPy the bits of NumPy's own functions.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from thermoc.support.array_types import AnyArray

Numbers = Any
"""A number, a list of numbers, an array of NumPy, or a tensor of a library that array-api-compat knows."""

_OURS = (np.ndarray, np.generic, int, float, list, tuple)


def namespace(*arrays: Any) -> Any:
    """Return the functions for these arrays: NumPy, or what array-api-compat has for the first that is not NumPy's."""
    # One comparison for NumPy's own: the reference asks at every op of every tick.
    for array in arrays:
        if not isinstance(array, _OURS):
            import array_api_compat

            return array_api_compat.array_namespace(array)
    return np


def as_type(array: Any, dtype: np.dtype[Any]) -> Any:
    """Return an array in a number format that NumPy names."""
    xp = namespace(array)
    if xp is np:
        return array.astype(dtype)
    return xp.astype(array, getattr(xp, np.dtype(dtype).name))


def like(array: Any, other: Any) -> Any:
    """Return an array in the number format of another."""
    return array if array.dtype == other.dtype else namespace(array).astype(array, other.dtype)


def as_float64(*items: Any) -> tuple[Any, ...]:
    """Return arrays of float64; Python's numbers beside a library's tensors stay numbers."""
    if namespace(*items) is np:
        return tuple(np.asarray(item, np.float64) for item in items)
    return tuple(item if isinstance(item, (int, float)) else as_type(item, np.dtype(np.float64)) for item in items)


def beside(numbers: Any, array: Any) -> Any:
    """Return NumPy's numbers as they are beside NumPy's arrays, else in the kind, format and place of ``array``."""
    xp = namespace(array)
    return numbers if xp is np else xp.asarray(numbers, dtype=array.dtype, device=array.device)


def root(x: Any) -> Any:
    """Return the square root; at 0, where its slope has no bound, a gradient is cut off."""
    xp = namespace(x)
    if xp is np:
        return np.sqrt(x)
    # Infinity times the zero slope of what is under the root would be no number.
    return xp.where(x == 0, 0.0, xp.sqrt(xp.where(x == 0, 1.0, x)))


def numbers_of(array: Any) -> AnyArray:
    """Return the numbers of an array as NumPy's: nothing computed from them has a gradient."""
    return array if namespace(array) is np else array.detach().cpu().numpy()


def row_sums(terms: Any, offsets: Any) -> Any:
    """Return sums of terms (batch, entries), one for each row that the offsets bound, (batch, rows)."""
    counts: AnyArray = np.diff(numbers_of(offsets))
    if namespace(terms) is np:
        # reduceat needs an entry at every offset: a zero stands behind the last, and empty rows are set after.
        padded = np.concatenate([terms, np.zeros((len(terms), 1), terms.dtype)], axis=1)
        sums = np.add.reduceat(padded, offsets[:-1], axis=1) if len(counts) else padded[:, :0]
        return np.where(counts > 0, sums, 0)
    # The standard has no sum by index; of the libraries that have gradients torch names it so.
    rows = offsets.new_tensor(np.repeat(np.arange(len(counts)), counts))
    return terms.new_zeros((len(terms), len(counts))).index_add(1, rows, terms)


def as_arrays(*items: Any) -> tuple[Any, ...]:
    """Return arrays as they are, and Python's numbers and lists as NumPy's, where all are of NumPy or Python."""
    xp = namespace(*items)
    return tuple(np.asarray(item) for item in items) if xp is np else items
