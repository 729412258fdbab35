"""The shape that each node of a model gives: from its own numbers, else from what it reads."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from thermoc.frontends.nir.nodes import MOST_ELEMENTS, PER_UNIT, NirModel, NirNode, at, unreadable
from thermoc.ir.ops import ShapeProblem
from thermoc.ir.windows import windowed
from thermoc.support.errors import error

Shape = tuple[int, ...]
WINDOWED = {"Conv1d": 1, "Conv2d": 2, "SumPool2d": 2, "AvgPool2d": 2, "MaxPool2d": 2}
"""Nodes that move a window, and over how many axes behind the channels."""


def shapes(model: NirModel) -> tuple[dict[str, Shape], dict[str, Shape]]:
    """Return (what each node wants to read, what it gives), as far as either is known. Errors: T504, T508."""
    into, out = model.into(), {name: [] for name in model.nodes}
    for source, target in model.edges:
        out[source].append(target)
    wants: dict[str, Shape] = {}
    gives: dict[str, Shape] = {}
    waiting = list(reversed(model.nodes))
    # A parameter may be one number for many units: its own shape counts only when nothing else tells.
    alone = [name for name, node in reversed(model.nodes.items()) if node.kind in PER_UNIT]
    while waiting or alone:
        last = not waiting
        name = alone.pop() if last else waiting.pop()
        node, before = model.nodes[name], (name in wants, name in gives)
        if name not in wants:
            read = next((gives[a] for a in into[name] if a in gives), None)
            demanded = next((wants[b] for b in out[name] if b in wants), None)
            want = _wanted(node, read, demanded) or (_own(node) if last else None)
            if want is not None:
                wants[name] = _small(model, name, want)
        if name not in gives and name in wants:
            gives[name] = _small(model, name, _given(model, name, node, wants[name]))
        # A shape is set once and only then wakes its neighbours, so the search ends.
        if before != (name in wants, name in gives):
            waiting += [*into[name], *out[name]]
    return wants, gives


def _wanted(node: NirNode, read: Shape | None, asked: Shape | None) -> Shape | None:
    """Return the shape a node reads: its own word first, then its source's, then that of what reads it."""
    if node.kind == "Input":
        return node.whole("shape") or asked
    if node.kind in ("Affine", "Linear"):
        return (node["weight"].shape[1],)
    if node.kind in ("Conv1d", "Conv2d") and node.whole("input_shape"):
        return (node["weight"].shape[1] * (node.whole("groups") or (1,))[0], *(node.whole("input_shape") or ()))
    if node.kind in WINDOWED:
        return None if read is None else _with_rank(read, WINDOWED[node.kind] + 1)
    if node.kind in PER_UNIT:
        return _spread(_own(node), read if read is not None else asked)
    return read or node.whole("input_type") or node.whole("shape")


def _own(node: NirNode) -> Shape:
    """Return the shape of a unit's parameters; of the largest where they do not broadcast."""
    shapes = [array.shape for array in node.fields.values()]
    try:
        return np.broadcast_shapes(*shapes)
    except ValueError:
        return max(shapes, key=math.prod)


def _spread(own: Shape, read: Shape | None) -> Shape | None:
    """Return the shape of a population that reads ``read``, with parameters of shape ``own``; None where it is open.

    Parameters state the shape of units, or of less: one number, one a channel. Of two that differ in leading axes of
    1, a batch axis, it is the shorter.
    """
    if read is None or math.prod(own) == 1:
        return read
    if _bare(own) == _bare(read):
        return min(read, own, key=len)
    return read if fitted(own, read) is not None else own


def fitted(own: Shape, units: Shape) -> Shape | None:
    """Return the shape in which parameters broadcast to units; None where they do not.

    Leading axes of 1 count as a batch axis; one axis alone, as long as the first of the units and not as their last,
    is a number a channel.
    """
    spare = max(len(own) - len(units), 0)
    layout = own[spare:]
    if own[:spare] == (1,) * spare and _broadcasts(layout, units):
        return layout
    bare = _bare(own)
    if len(bare) == 1 and units and bare[0] == units[0]:
        return (bare[0], *(1,) * (len(units) - 1))
    return None


def _broadcasts(shape: Shape, target: Shape) -> bool:
    return all(a in (1, b) for a, b in zip(reversed(shape), reversed(target)))


def _bare(shape: Shape) -> Shape:
    """Return a shape without its leading axes of 1."""
    first = next((index for index, length in enumerate(shape) if length != 1), len(shape))
    return shape[first:]


def _with_rank(shape: Shape, rank: int) -> Shape:
    """Return a shape with leading axes of 1 put before it or taken off it until it has so many; else itself."""
    spare = len(shape) - rank
    if spare < 0:
        return (1,) * -spare + shape
    return shape[spare:] if shape[:spare] == (1,) * spare else shape


def _given(model: NirModel, name: str, node: NirNode, want: Shape) -> Shape:
    if node.kind in ("Affine", "Linear"):
        return (node["weight"].shape[0],)
    try:
        if node.kind in ("Conv1d", "Conv2d"):
            window = node["weight"].shape[2:]
            return (node["weight"].shape[0], *windowed(want[1:], window, *window_of(node, len(window))))
        if node.kind.endswith("Pool2d"):
            size = per_axis(node.whole("kernel_size"), 2, (1, 1))
            stride, padding, _ = window_of(node, 2)
            return (want[0], *windowed(want[1:], size, stride, padding, (1, 1)))
    except (ShapeProblem, IndexError, ValueError) as reason:
        raise unreadable(model.source, name, f"its windows do not fit an input of {list(want)}: {reason}") from None
    if node.kind == "Flatten":
        first, last = flat_axes(model, name, node, len(want))
        return (*want[:first], math.prod(want[first : last + 1]), *want[last + 1 :])
    return want


def window_of(node: NirNode, axes: int) -> tuple[Shape, tuple[tuple[int, int], ...], Shape]:
    """Return (stride, padding as pairs, dilation) of a window; raises ValueError where they are none."""
    dilation = per_axis(node.whole("dilation"), axes, (1,) * axes)
    size = per_axis(node.whole("kernel_size"), axes, node["weight"].shape[2:] if "weight" in node.fields else None)
    # Without a stride a pool moves by its own size and a convolution by one, as in torch.
    stride = per_axis(node.whole("stride"), axes, (1,) * axes if "weight" in node.fields else size)
    if min(*dilation, *stride, *size) < 1:
        raise ValueError("sizes, strides and dilations are at least 1")
    padding = node.texts.get("padding")
    if padding == "same":
        if max(stride) > 1:
            raise ValueError("padding 'same' goes with a stride of 1, as in torch")
        spans = [spread * (n - 1) for spread, n in zip(dilation, size)]
        return stride, tuple(same_padding(spans)), dilation
    before = (0,) * axes if padding == "valid" else per_axis(node.whole("padding"), axes, (0,) * axes)
    return stride, tuple((n, n) for n in before), dilation


def same_padding(spans: Sequence[int]) -> list[tuple[int, int]]:
    """Return (before, after) an axis by which windows that reach over so many further places are as many as places."""
    # Of an odd number of places torch puts the larger half behind.
    return [(n // 2, n - n // 2) for n in spans]


def per_axis(numbers: Sequence[int] | None, axes: int, default: Sequence[int] | None) -> Shape:
    """Return one number an axis; raises ValueError where their count is neither one nor that of the axes."""
    entries = tuple(default or ()) if numbers is None else tuple(numbers)
    if len(entries) == 1:
        return entries * axes
    if len(entries) != axes:
        raise ValueError(f"{len(entries)} numbers for {axes} axes")
    return entries


def flat_axes(model: NirModel, name: str, node: NirNode, rank: int) -> tuple[int, int]:
    """Return the first and last axis that a Flatten joins, counted without the batch. Errors: T508."""
    first, last = ((node.whole(key) or (default,))[0] for key, default in (("start_dim", 0), ("end_dim", -1)))
    first, last = (axis + rank if axis < 0 else axis for axis in (first, last))
    if not 0 <= first <= last < max(rank, 1):
        raise unreadable(model.source, name, f"axes {first} to {last} of an input with {rank}")
    return first, last


def _small(model: NirModel, name: str, shape: Shape) -> Shape:
    if any(length < 1 for length in shape):
        raise unreadable(model.source, name, f"its shape is {list(shape)}")
    if math.prod(shape) > MOST_ELEMENTS:
        notes = [f"its shape is {list(shape)}", f"the limit is {MOST_ELEMENTS} elements"]
        raise error("T504", f"node {name!r} is too large", where=at(model.source, name), notes=notes)
    return shape
