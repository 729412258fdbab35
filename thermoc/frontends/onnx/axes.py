"""What moves elements of tensors: alignment, reshaping, transposing, cutting, joining, repeating, reducing."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from thermoc.frontends.onnx.site import Site
from thermoc.frontends.onnx.tensor import BATCH, Shape, Tensor, known, sample_shape
from thermoc.ir.functions import call
from thermoc.ir.handle import Handle

MIXED = "it mixes the samples of a batch"


def axis_of(s: Site, axis: int, rank: int) -> int:
    """Return an axis counted from the front. Errors: T508."""
    if not -rank <= axis < rank:
        raise s.refuse("no such axis", f"axis is {axis}", f"there are {rank} axes")
    return axis % rank


def place(s: Site, t: Tensor, axis: int) -> int:
    """Return where an axis is among those of a sample. Errors: T508 for the batch."""
    if t.shape[axis] == BATCH:
        raise s.refuse(MIXED, f"axis {axis} is the batch")
    if t.shape[axis] > BATCH:
        raise s.refuse(MIXED, f"axis {axis} holds the batch")
    batch = t.batch
    return axis - int(batch is not None and batch < axis and t.shape[batch] == BATCH)


def broadcast_shape(s: Site, *shapes: Shape) -> Shape:
    """Return NumPy's common shape. Errors: T508."""
    rank = max(len(shape) for shape in shapes)
    common: list[int] = []
    for lengths in zip(*((1,) * (rank - len(shape)) + tuple(shape) for shape in shapes)):
        longer = {length for length in lengths if length != 1}
        if len(longer) > 1:
            raise s.refuse("shapes do not broadcast", *(f"{shown(shape)}" for shape in shapes))
        common.append(longer.pop() if longer else 1)
    if sum(length >= BATCH for length in common) > 1:
        raise s.refuse(MIXED, *(f"{shown(shape)}" for shape in shapes))
    return tuple(common)


def shown(shape: Shape) -> str:
    """Return a shape as messages show it."""
    names = {BATCH: "batch"}
    return f"[{', '.join(names.get(n) or (f'{n // BATCH} batch' if n > BATCH else str(n)) for n in shape)}]"


def fitted(s: Site, t: Tensor, shape: Shape) -> Handle:
    """Return a tensor's value with the axes of one sample of ``shape``, into which it broadcasts."""
    handle = s.value(t)
    batch = next((axis for axis, length in enumerate(shape) if length >= BATCH), None)
    if batch is None or t.batch is not None or shape[batch] > BATCH:
        return handle
    axis = t.rank - (len(shape) - batch)
    if axis < 0:
        return handle
    # Its axis of 1 meets the batch, which is no axis here.
    return call("core.reshape", handle, shape=(*t.shape[:axis], *t.shape[axis + 1 :]))


def elementwise(s: Site, f: Callable[..., Handle], *ts: Tensor, elem: Any = None) -> Tensor:
    """Return f of values that are aligned; ``elem`` is the result's type, the first one's if left out."""
    shape = broadcast_shape(s, *(t.shape for t in ts))
    return s.tensor(f(*(fitted(s, t, shape) for t in ts)), shape, ts[0].elem if elem is None else elem)


def reshape(s: Site, t: Tensor, shape: Sequence[int]) -> Tensor:
    """Return the same elements under another shape. Errors: T508 where a sample would lose its axis."""
    shape = tuple(int(n) for n in shape)
    if shape == t.shape:
        return t
    if math.prod(shape) != math.prod(t.shape):
        raise s.refuse("sizes differ", f"x has shape {shown(t.shape)}", f"the new shape is {shown(shape)}")
    if t.numbers is not None and t.batch is None and t.other is None:
        return known(t.numbers.reshape(shape))
    if t.batch is not None:
        new = next((axis for axis, length in enumerate(shape) if length >= BATCH), None)
        if new is None or math.prod(t.shape[: t.batch]) != math.prod(shape[:new]):
            raise s.refuse(MIXED, f"x has shape {shown(t.shape)}", f"the new shape is {shown(shape)}")
    return Tensor(elem=t.elem, shape=shape, handle=_reshaped(s.value(t), sample_shape(shape)))


def _reshaped(handle: Handle, shape: Shape) -> Handle:
    return handle if handle.shape == shape else call("core.reshape", handle, shape=shape)


def transpose(s: Site, t: Tensor, axes: Sequence[int]) -> Tensor:
    """Return the axes in another order."""
    axes = tuple(int(axis) for axis in axes)
    if sorted(axes) != list(range(t.rank)):
        raise s.refuse("perm is no permutation", f"x has {t.rank} axes", f"perm is {list(axes)}")
    if axes == tuple(range(t.rank)):
        return t
    if t.numbers is not None and t.other is None:
        return known(t.numbers.transpose(axes))
    shape = tuple(t.shape[axis] for axis in axes)
    inner = tuple(place(s, t, axis) for axis in axes if t.shape[axis] < BATCH)
    if t.batch is not None and t.shape[t.batch] > BATCH:
        inner = axes
    handle = s.value(t)
    if inner != tuple(range(len(inner))):
        handle = call("core.transpose", handle, axes=inner)
    return Tensor(elem=t.elem, shape=shape, handle=handle)


def swapped(s: Site, t: Tensor, a: int, b: int) -> Tensor:
    """Return two axes exchanged."""
    axes = list(range(t.rank))
    axes[a], axes[b] = axes[b], axes[a]
    return transpose(s, t, axes)


def cut(s: Site, t: Tensor, axis: int, start: int, stop: int, step: int = 1) -> Tensor:
    """Return x[start:stop:step] along an axis, step >= 1, 0 <= start <= stop <= length."""
    if (start, stop, step) == (0, t.shape[axis], 1):
        return t
    if t.numbers is not None and t.other is None:
        return known(t.numbers[(slice(None),) * axis + (slice(start, stop, step),)])
    inner, handle = place(s, t, axis), s.value(t)
    starts, stops, steps = [0] * handle.ndim, list(handle.shape), [1] * handle.ndim
    starts[inner], stops[inner], steps[inner] = start, stop, step
    new = call("core.slice", handle, starts=tuple(starts), stops=tuple(stops), steps=tuple(steps))
    return Tensor(elem=t.elem, shape=(*t.shape[:axis], new.shape[inner], *t.shape[axis + 1 :]), handle=new)


def concat(s: Site, ts: Sequence[Tensor], axis: int) -> Tensor:
    """Return tensors one after another along an axis."""
    ts = [t for t in ts if 0 not in t.shape] or list(ts[:1])
    if len(ts) == 1:
        return ts[0]
    if all(t.numbers is not None and t.other is None for t in ts):
        return known(np.concatenate([np.asarray(t.numbers) for t in ts], axis))
    batch = next((t.batch for t in ts if t.batch is not None), None)
    if batch == axis:
        raise s.refuse(MIXED, f"axis {axis} is the batch")
    length = next((t.shape[batch] for t in ts if t.batch is not None), 0) if batch is not None else 0
    parts = [t if batch is None or t.batch is not None else repeated(s, t, {batch: length}) for t in ts]
    if any(len({t.shape[i] for t in parts}) > 1 for i in range(parts[0].rank) if i != axis):
        raise s.refuse("shapes differ", *(shown(t.shape) for t in parts))
    handles = [s.value(t) for t in parts]
    joined = call("core.concat", tuple(handles), axis=place(s, parts[0], axis))
    total = sum(t.shape[axis] for t in parts)
    s.check_size(joined.shape)
    return Tensor(elem=ts[0].elem, shape=(*parts[0].shape[:axis], total, *parts[0].shape[axis + 1 :]), handle=joined)


def repeated(s: Site, t: Tensor, lengths: dict[int, int]) -> Tensor:
    """Return a tensor with some axes of 1 repeated."""
    return expand(s, t, [lengths.get(axis, length) for axis, length in enumerate(t.shape)])


def expand(s: Site, t: Tensor, shape: Sequence[int]) -> Tensor:
    """Return a tensor broadcast with a shape, both ways."""
    common = broadcast_shape(s, t.shape, tuple(int(n) for n in shape))
    s.check_size(sample_shape(common))
    if t.numbers is not None and t.other is None and all(length < BATCH for length in common):
        return known(np.ascontiguousarray(np.broadcast_to(t.numbers, common)))
    return s.tensor(fitted(s, t, common), common, t.elem)


def unsqueeze(s: Site, t: Tensor, axis: int) -> Tensor:
    """Return a tensor with an axis of 1 more."""
    return reshape(s, t, (*t.shape[:axis], 1, *t.shape[axis:]))


def squeeze(s: Site, t: Tensor, axis: int) -> Tensor:
    """Return a tensor without an axis of 1."""
    return reshape(s, t, (*t.shape[:axis], *t.shape[axis + 1 :]))


def reduce(s: Site, t: Tensor, kind: str, axes: Sequence[int], *, keep: bool, elem: Any = None) -> Tensor:
    """Return sum, mean, max, min, argmax or argmin over axes."""
    handle, axes = s.value(t), tuple(sorted({axis_of(s, int(axis), t.rank) for axis in axes}))
    inner = tuple(place(s, t, axis) for axis in axes)
    if inner:
        handle = call("core.reduce", handle, kind=kind, axes=inner)
    if kind.startswith("arg"):
        handle = call("core.cast", handle, dtype="f64")
    shape = tuple(1 if i in axes else n for i, n in enumerate(t.shape) if keep or i not in axes)
    return Tensor(
        elem=np.dtype(t.elem if elem is None else elem), shape=shape, handle=_reshaped(handle, sample_shape(shape))
    )
