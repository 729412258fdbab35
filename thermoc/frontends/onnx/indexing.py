"""Gathering: elements at places that are known, or computed."""

from __future__ import annotations

import numpy as np

from thermoc.frontends.onnx import axes
from thermoc.frontends.onnx.linear import product
from thermoc.frontends.onnx.logic import chosen
from thermoc.frontends.onnx.operator import Node, operator
from thermoc.frontends.onnx.selection import one_hot, picked, taken, wrapped_places
from thermoc.frontends.onnx.site import Site
from thermoc.frontends.onnx.tensor import BATCH, Tensor, known


@operator("Gather")
def gather(s: Site, n: Node) -> Tensor:
    """x at places along an axis; the places' axes stand where that axis was."""
    x, places = n[0], n[1]
    axis = axes.axis_of(s, int(n.attr("axis", 0)), x.rank)
    length = x.shape[axis]
    if places.numbers is not None and places.other is None:
        numbers = np.where(places.numbers < 0, places.numbers + length, places.numbers)
        if length < BATCH and ((numbers < 0) | (numbers >= length)).any():
            raise s.refuse("an index lies outside", f"the axis has length {length}")
        gathered = taken(s, x, axis, numbers.reshape(-1))
        return axes.reshape(s, gathered, (*x.shape[:axis], *numbers.shape, *x.shape[axis + 1 :]))
    # (before, length, after) against (before, places, length, after)
    mask = one_hot(s, wrapped_places(s, places, length), length, places.rank)
    mask = axes.reshape(s, mask, (*mask.shape, *(1,) * (x.rank - axis - 1)))
    spread = axes.reshape(s, x, (*x.shape[:axis], *(1,) * places.rank, *x.shape[axis:]))
    return picked(s, mask, spread, axis + places.rank)


@operator("GatherElements")
def gather_elements(s: Site, n: Node) -> Tensor:
    """x at places along an axis, one place for each element of the result."""
    x, places = n[0], n[1]
    axis = axes.axis_of(s, int(n.attr("axis", 0)), x.rank)
    for dim in range(x.rank):
        if dim != axis:
            x = axes.cut(s, x, dim, 0, places.shape[dim])
    mask = one_hot(s, wrapped_places(s, places, x.shape[axis]), x.shape[axis], axis + 1)
    return picked(s, mask, axes.unsqueeze(s, x, axis), axis + 1)


@operator("GatherND", known=(1,))
def gather_nd(s: Site, n: Node) -> Tensor:
    """x at known tuples of places."""
    x, places, lead = n[0], s.numbers(n[1], "indices"), int(n.attr("batch_dims", 0))
    depth = places.shape[-1]
    lengths = x.shape[lead : lead + depth]
    flat = np.zeros(places.shape[:-1], np.int64)
    for i, length in enumerate(lengths):
        flat = flat * length + np.where(places[..., i] < 0, places[..., i] + length, places[..., i])
    size = int(np.prod(lengths))
    before = int(np.prod(x.shape[:lead]))
    rows = (np.arange(before)[:, None] * size + flat.reshape(before, -1)).reshape(-1)
    trailing = x.shape[lead + depth :]
    gathered = taken(s, axes.reshape(s, x, (before * size, *trailing)), 0, rows)
    return axes.reshape(s, gathered, (*places.shape[:-1], *trailing))


@operator("OneHot", known=(1,))
def one_hot_(s: Site, n: Node) -> Tensor:
    """The second of two values where the place is the index, the first elsewhere."""
    depth = int(s.numbers(n[1], "depth").reshape(-1)[0])
    axis = axes.axis_of(s, int(n.attr("axis", -1)), n[0].rank + 1)
    mask = one_hot(s, wrapped_places(s, n[0], depth), depth, axis)
    values = n[2]
    off, on = (axes.reshape(s, axes.cut(s, values, 0, i, i + 1), ()) for i in range(2))
    return chosen(s, mask, on, off)


@operator("Compress", known=(1,))
def compress(s: Site, n: Node) -> Tensor:
    """x where a known condition is true."""
    places = np.flatnonzero(s.numbers(n[1], "condition"))
    if n.attrs.get("axis") is None:
        return taken(s, axes.reshape(s, n[0], (int(np.prod(n[0].shape)),)), 0, places)
    return taken(s, n[0], axes.axis_of(s, int(n.attr("axis")), n[0].rank), places)


@operator("ReverseSequence", known=(1,))
def reverse_sequence(s: Site, n: Node) -> Tensor:
    """Each sequence backwards, up to its own known length."""
    x, time, row = n[0], int(n.attr("time_axis", 0)), int(n.attr("batch_axis", 1))
    parts = []
    for i, length in enumerate(s.integers(n[1], "sequence_lens")):
        order = np.concatenate([np.arange(length)[::-1], np.arange(length, x.shape[time])])
        parts.append(taken(s, axes.cut(s, x, row, i, i + 1), time, order))
    return axes.concat(s, parts, row)


@operator("CumSum", known=(1,))
def cum_sum(s: Site, n: Node) -> Tensor:
    """Sums of all elements up to each: a product with a triangle of ones."""
    x = n[0]
    axis = axes.axis_of(s, int(s.numbers(n[1], "axis").reshape(-1)[0]), x.rank)
    length = x.shape[axis]
    triangle = np.tri(length, length, -1 if n.attr("exclusive") else 0)
    if n.attr("reverse"):
        triangle = triangle.T
    last = axes.swapped(s, x, axis, x.rank - 1)
    return axes.swapped(s, product(s, last, known(triangle.T.astype(x.elem))), axis, x.rank - 1)
