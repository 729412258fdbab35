"""Elements at given places of an axis: known places by cuts, computed ones by comparing with every place."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.onnx import axes
from thermoc.frontends.onnx.logic import chosen
from thermoc.frontends.onnx.site import Site, of_python
from thermoc.frontends.onnx.tensor import Tensor, known
from thermoc.ir.functions import call

MOST_CUTS = 64
"""Runs of places that are cut out one by one; more of them are a product with a matrix of 0 and 1."""


def taken(s: Site, x: Tensor, axis: int, places: NDArray[Any]) -> Tensor:
    """Return x at known places along an axis, in their order."""
    places = np.asarray(places, np.int64)
    if x.numbers is not None and x.other is None:
        return known(np.take(x.numbers, places, axis))
    runs = _runs(places)
    if len(runs) > MOST_CUTS and x.elem != np.dtype(bool):
        return _by_matrix(s, x, axis, places)
    if not runs:
        return axes.cut(s, x, axis, 0, 0)
    return axes.concat(s, [axes.cut(s, x, axis, *run) for run in runs], axis)


def _runs(places: NDArray[Any]) -> list[tuple[int, int, int]]:
    """Return places as cuts (start, stop, step), steps >= 1."""
    runs: list[tuple[int, int, int]] = []
    i = 0
    while i < len(places):
        step = int(places[i + 1] - places[i]) if i + 1 < len(places) else 1
        j = i
        while step >= 1 and j + 1 < len(places) and places[j + 1] - places[j] == step:
            j += 1
        runs.append((int(places[i]), int(places[j]) + 1, max(step, 1) if j > i else 1))
        i = j + 1
    return runs


def _by_matrix(s: Site, x: Tensor, axis: int, places: NDArray[Any]) -> Tensor:
    last = axes.swapped(s, x, axis, x.rank - 1)
    handle = s.value(last)
    matrix = np.zeros((len(places), x.shape[axis]), handle.dtype)
    matrix[np.arange(len(places)), places] = 1
    new = call("core.affine", handle, s.plain(matrix))
    moved = Tensor(elem=x.elem, shape=(*last.shape[:-1], len(places)), handle=new)
    return axes.swapped(s, moved, axis, x.rank - 1)


def wrapped_places(s: Site, places: Tensor, length: int) -> Tensor:
    """Return computed places with negative ones counted from the end."""
    return axes.elementwise(s, lambda i: call("core.select", i < 0.0, i + float(length), i), places)


def one_hot(s: Site, places: Tensor, length: int, axis: int) -> Tensor:
    """Return a mask with an axis more, true where its place is the number that ``places`` holds."""
    spread = axes.unsqueeze(s, places, axis)
    shape = [1] * spread.rank
    shape[axis] = length
    s.check_size((*spread.sample, length))
    count = known(np.arange(length).reshape(shape).astype(places.elem))
    return axes.elementwise(s, lambda i, k: call("core.equal", i, k), spread, count, elem=np.dtype(bool))


def picked(s: Site, mask: Tensor, x: Tensor, axis: int) -> Tensor:
    """Return x where the mask is true, of which there is one along the axis: a sum of it and zeros."""
    elem = x.elem
    if elem == np.dtype(bool):
        x = s.tensor(call("core.cast", s.value(x), dtype="f64"), x.shape, np.int32)
    total = axes.reduce(s, chosen(s, mask, x, of_python(0, x)), "sum", [axis], keep=False)
    if elem == np.dtype(bool):
        return axes.elementwise(s, lambda v: v > 0.5, total, elem=bool)
    return total
