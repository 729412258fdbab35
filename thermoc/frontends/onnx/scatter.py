"""Scattering: elements put at known places."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.onnx import axes
from thermoc.frontends.onnx.operator import Node, operator, text
from thermoc.frontends.onnx.selection import taken
from thermoc.frontends.onnx.site import Site
from thermoc.frontends.onnx.tensor import Tensor
from thermoc.ir.functions import call

OPS = {"add": "core.add", "mul": "core.mul", "max": "core.maximum", "min": "core.minimum"}


@operator("ScatterElements", "Scatter", known=(1,))
def scatter_elements(s: Site, n: Node) -> Tensor:
    """x with updates at places along an axis."""
    places, axis = s.numbers(n[1], "indices"), axes.axis_of(s, int(n.attr("axis", 0)), n[0].rank)
    where = list(np.indices(places.shape))
    where[axis] = np.where(places < 0, places + n[0].shape[axis], places)
    return _put(s, n, np.asarray(np.ravel_multi_index(tuple(where), n[0].shape)), ())


@operator("ScatterND", known=(1,))
def scatter_nd(s: Site, n: Node) -> Tensor:
    """x with updates, each a slice, at tuples of places."""
    places, lengths = s.numbers(n[1], "indices"), n[0].shape
    depth = places.shape[-1]
    where = tuple(np.where(places[..., i] < 0, places[..., i] + lengths[i], places[..., i]) for i in range(depth))
    return _put(s, n, np.asarray(np.ravel_multi_index(where, lengths[:depth])), lengths[depth:])


def _put(s: Site, n: Node, rows: NDArray, rest: tuple[int, ...]) -> Tensor:
    x, updates = n[0], n[2]
    count, size = rows.size, int(np.prod(x.shape)) // int(np.prod(rest or (1,)))
    flat = axes.reshape(s, x, (size, *rest))
    new = axes.reshape(s, updates, (count, *rest))
    kind = text(n.attr("reduction", "none"))
    rows = rows.reshape(-1)
    if kind == "none":
        # Of several at one place the last stays.
        source = np.arange(size)
        source[rows] = size + np.arange(count)
        placed = taken(s, axes.concat(s, [flat, new], 0), 0, source)
        return axes.reshape(s, placed, x.shape)
    for _ in range(count):
        fresh = np.unique(rows, return_index=True)[1]
        if not len(fresh):
            break
        order = np.full(size, -1)
        order[rows[fresh]] = fresh
        touched = np.flatnonzero(order >= 0)
        changed = axes.elementwise(
            s, lambda a, b: call(OPS[kind], a, b), taken(s, flat, 0, touched), taken(s, new, 0, order[touched])
        )
        source = np.arange(size)
        source[touched] = size + np.arange(len(touched))
        flat = taken(s, axes.concat(s, [flat, changed], 0), 0, source)
        untouched = np.setdiff1d(np.arange(len(rows)), fresh)
        if not len(untouched):
            break
        rows, new = rows[untouched], taken(s, new, 0, untouched)
    return axes.reshape(s, flat, x.shape)
