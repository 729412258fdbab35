"""Elements of one vector at the places of another, and sums of elements that meet at a place."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.brian2.algebra import Term, is_truth, number
from thermoc.ir.functions import call
from thermoc.ir.handle import Handle

_DENSE = 0.5
"""Share of the pairs from which on a matrix is kept whole."""
_MOST_SLICES = 8
"""Of a gather: where there would be more, it is a sparse matrix."""


def take(full: Term, places: NDArray, cache: dict[Any, Any]) -> Term:
    """Return full[places]."""
    if not isinstance(full, Handle):
        array = np.asarray(full)
        return array if array.ndim == 0 else array[places]
    if full.shape == ():
        return full
    size, count = full.shape[0], len(places)
    if count == size and np.array_equal(places, np.arange(size)):
        return full
    key = (full.value.name, places.tobytes())
    if key not in cache:
        cache[key] = _taken(full, places)
    return cache[key]


def _taken(full: Handle, places: NDArray) -> Handle:
    count = len(places)
    # Parts of a vector need no multiplication, and on Loihi no synapse.
    runs = np.split(places, np.flatnonzero(np.diff(places) != 1) + 1)
    if count and len(runs) <= _MOST_SLICES:
        parts = [call("core.slice", full, starts=(int(r[0]),), stops=(int(r[-1]) + 1,), steps=(1,)) for r in runs]
        return parts[0] if len(parts) == 1 else call("core.concat", parts, axis=0)
    rows = _rows(np.ones(count), places, np.arange(count + 1))
    gathered = call("core.sparse_affine", number(full), *rows)
    return call("core.greater", gathered, 0.5) if is_truth(full) else gathered


def add_up(x: Handle, values: NDArray, columns: NDArray, targets: NDArray, size: int, order: NDArray) -> Handle:
    """Return y[j] = sum of values[s] x[columns[s]] over the s with targets[s] = j, in the order of ``order``.

    Brian2 adds spike by spike: so that rounding is the same, the order of a row's entries is that of its queue.
    """
    pairs = targets.astype(np.int64) * x.shape[0] + columns
    if len(values) >= _DENSE * size * x.shape[0] and len(np.unique(pairs)) == len(pairs):
        matrix = np.zeros((size, x.shape[0]))
        matrix[targets, columns] = values
        return call("core.affine", x, matrix)
    by_target = np.lexsort((order, targets))
    offsets = np.searchsorted(targets[by_target], np.arange(size + 1))
    return call("core.sparse_affine", x, *_rows(values[by_target], columns[by_target], offsets))


def _rows(values: NDArray, columns: NDArray, offsets: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    return values.astype(np.float64), columns.astype(np.int64), offsets.astype(np.int64)
