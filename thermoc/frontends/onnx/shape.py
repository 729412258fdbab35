"""Shapes: asked for, changed, joined, cut and padded."""

from __future__ import annotations

import itertools
import math

import numpy as np

from thermoc.frontends.onnx import axes
from thermoc.frontends.onnx.logic import chosen
from thermoc.frontends.onnx.operator import Node, dtype_of, operator, text
from thermoc.frontends.onnx.selection import taken
from thermoc.frontends.onnx.site import MOST_ELEMENTS, Site, of_python
from thermoc.frontends.onnx.tensor import BATCH, OTHER_BATCH, Shape, Tensor, known


@operator("Constant")
def constant(s: Site, n: Node) -> Tensor:
    """Numbers that the node holds."""
    for name in ("value", "value_float", "value_int", "value_floats", "value_ints"):
        if n.attrs.get(name) is not None:
            dtype = {"f": np.float32, "i": np.int64}.get(name[6:7])
            return known(np.asarray(n.attrs[name], dtype) if dtype else n.attrs[name])
    raise s.refuse("it holds texts or a sparse array, which are not read", code="T507")


def _counted(shape: Shape) -> Tensor:
    scaled = [n if n < BATCH else n // BATCH * OTHER_BATCH for n in shape]
    return known(np.array(shape, np.int64), np.array(scaled, np.int64))


@operator("Shape")
def shape(s: Site, n: Node) -> Tensor:
    """The lengths of x's axes."""
    full = n[0].shape
    end = n.attr("end")
    return _counted(full[slice(int(n.attr("start", 0)), None if end is None else int(end))])


@operator("Size")
def size(s: Site, n: Node) -> Tensor:
    """The number of x's elements."""
    total = math.prod(n[0].shape)
    scaled = math.prod(length if length < BATCH else length // BATCH * OTHER_BATCH for length in n[0].shape)
    return known(np.int64(total), np.int64(scaled))


@operator("Reshape", known=(1,))
def reshape(s: Site, n: Node) -> Tensor:
    """The same elements under another shape: 0 keeps a length, -1 is what is left."""
    lengths = list(s.integers(n[1], "shape") if n.version >= 5 else [int(x) for x in n.attr("shape")])
    if not n.attr("allowzero", 0):
        lengths = [n[0].shape[i] if length == 0 and i < n[0].rank else length for i, length in enumerate(lengths)]
    return axes.reshape(s, n[0], _filled(s, n[0], lengths))


def _filled(s: Site, x: Tensor, wanted: list[int]) -> list[int]:
    if wanted.count(-1) > 1 or any(length < -1 for length in wanted):
        raise s.refuse("it is no shape", f"shape is {wanted}")
    if -1 not in wanted:
        return wanted
    unknown, total = -math.prod(wanted), math.prod(x.shape)
    if unknown == 0 or total % unknown:
        raise s.refuse("sizes differ", f"x has shape {axes.shown(x.shape)}", f"shape is {axes.shown(tuple(wanted))}")
    return [total // unknown if length == -1 else length for length in wanted]


@operator("Flatten")
def flatten(s: Site, n: Node) -> Tensor:
    """Two axes: what is before ``axis``, and the rest."""
    axis = int(n.attr("axis", 1))
    axis = axis + n[0].rank if axis < 0 else axis
    return axes.reshape(s, n[0], (math.prod(n[0].shape[:axis]), math.prod(n[0].shape[axis:])))


@operator("Transpose")
def transpose(s: Site, n: Node) -> Tensor:
    """Axes in another order, reversed where none is named."""
    return axes.transpose(s, n[0], n.attr("perm") or range(n[0].rank)[::-1])


@operator("Squeeze", known=(1,))
def squeeze(s: Site, n: Node) -> Tensor:
    """Without axes of 1."""
    listed = n.attr("axes") if n.version < 13 else n.get(1) and s.integers(n.get(1), "axes")
    x = n[0]
    removed = (
        {axes.axis_of(s, int(a), x.rank) for a in listed} if listed else {i for i, k in enumerate(x.shape) if k == 1}
    )
    if any(x.shape[axis] != 1 for axis in removed):
        raise s.refuse("it takes away an axis that is not 1", f"x has shape {axes.shown(x.shape)}", f"axes {removed}")
    return axes.reshape(s, x, [length for axis, length in enumerate(x.shape) if axis not in removed])


@operator("Unsqueeze", known=(1,))
def unsqueeze(s: Site, n: Node) -> Tensor:
    """With axes of 1 more."""
    listed = n.attr("axes") if n.version < 13 else s.integers(n[1], "axes")
    rank = n[0].rank + len(listed)
    fresh = {axes.axis_of(s, int(axis), rank) for axis in listed}
    lengths = iter(n[0].shape)
    return axes.reshape(s, n[0], [1 if axis in fresh else next(lengths) for axis in range(rank)])


@operator("Concat")
def concat(s: Site, n: Node) -> Tensor:
    """Tensors one after another."""
    return axes.concat(s, n.given, axes.axis_of(s, int(n.attr("axis", 1)), n[0].rank))


@operator("Split", known=(1,))
def split(s: Site, n: Node) -> tuple[Tensor, ...]:
    """Parts of x along an axis."""
    axis = axes.axis_of(s, int(n.attr("axis", 0)), n[0].rank)
    length = n[0].shape[axis]
    listed = n.attr("split") if n.version < 13 else n.get(1) and s.integers(n.get(1), "split")
    if not listed:
        chunk = -(-length // int(n.attr("num_outputs", n.outputs)))
        listed = [max(0, min(chunk, length - chunk * i)) for i in range(n.outputs)]
    if sum(listed) != length:
        raise s.refuse("its parts do not make up the axis", f"it has length {length}", f"split is {list(listed)}")
    ends = np.cumsum([0, *listed])
    return tuple(axes.cut(s, n[0], axis, int(a), int(b)) for a, b in itertools.pairwise(ends))


@operator("Slice", known=(1, 2, 3, 4))
def slice_(s: Site, n: Node) -> Tensor:
    """x[start:end:step] along some axes."""
    if n.version < 10:
        starts, ends, listed, steps = n.attr("starts"), n.attr("ends"), n.attr("axes"), None
    else:
        starts, ends = s.integers(n[1], "starts"), s.integers(n[2], "ends")
        listed = n.get(3) and s.integers(n.get(3), "axes")
        steps = n.get(4) and s.integers(n.get(4), "steps")
    x = n[0]
    for i, (start, end) in enumerate(zip(starts, ends)):
        axis = axes.axis_of(s, int(listed[i]) if listed else i, x.rank)
        step = int(steps[i]) if steps else 1
        if step == 0:
            raise s.refuse("a step is 0")
        # Exporters write the end of an axis as a number beyond every length.
        if x.shape[axis] >= BATCH and (int(start), step) == (0, 1) and int(end) >= min(MOST_ELEMENTS, BATCH):
            continue
        begin, stop, step = slice(int(start), int(end), step).indices(x.shape[axis])
        if step > 0:
            x = axes.cut(s, x, axis, begin, max(begin, stop), step)
        else:
            x = taken(s, x, axis, np.arange(begin, stop, step))
    return x


@operator("Expand", known=(1,))
def expand(s: Site, n: Node) -> Tensor:
    """x broadcast with a shape."""
    return axes.expand(s, n[0], s.integers(n[1], "shape"))


@operator("Tile", known=(1,))
def tile(s: Site, n: Node) -> Tensor:
    """x side by side with itself along each axis."""
    x, counts = n[0], s.integers(n[1], "repeats")
    s.check_size(tuple(a * b for a, b in zip(x.shape, counts) if a < BATCH and b < BATCH))
    for axis, count in enumerate(counts):
        if count > MOST_ELEMENTS and count != BATCH:
            raise s.refuse("a tensor is too large", f"it is repeated {count} times", code="T504")
        if count == BATCH:
            x = axes.repeated(s, x, {axis: count})
        elif count == 0:
            x = axes.cut(s, x, axis, 0, 0)
        elif count > 1:
            split_ = axes.unsqueeze(s, x, axis)
            joined = axes.repeated(s, split_, {axis: count})
            x = axes.reshape(s, joined, (*x.shape[:axis], count * x.shape[axis], *x.shape[axis + 1 :]))
    return x


@operator("ConstantOfShape", known=(0,))
def constant_of_shape(s: Site, n: Node) -> Tensor:
    """One number in every place."""
    value = np.asarray(n.attr("value", np.zeros(1, np.float32))).reshape(-1)[:1]
    lengths = s.integers(n[0], "shape")
    return axes.expand(s, known(value.reshape((1,) * len(lengths))), lengths)


@operator("Range", known=(0, 1, 2))
def range_(s: Site, n: Node) -> Tensor:
    """start, start + delta, ... before limit."""
    start, limit, delta = (s.numbers(n[i], "its bound").reshape(()) for i in range(3))
    count = max(0, math.ceil((float(limit) - float(start)) / float(delta))) if float(delta) else 0
    s.check_size((count,))
    return known((float(start) + np.arange(count) * float(delta)).astype(n[0].elem))


@operator("EyeLike")
def eye_like(s: Site, n: Node) -> Tensor:
    """1 on a diagonal, of x's shape."""
    code = n.attrs.get("dtype")
    elem = n[0].elem if code is None else dtype_of(code)
    s.check_size(n[0].shape)
    return known(np.eye(*n[0].shape, k=int(n.attr("k", 0)), dtype=elem))


@operator("Trilu", known=(1,))
def trilu(s: Site, n: Node) -> Tensor:
    """The upper or lower triangle of matrices, 0 elsewhere."""
    k = int(s.numbers(n.get(1), "k").reshape(())) if n.get(1) is not None else 0
    rows, columns = n[0].shape[-2:]
    mask = np.tri(rows, columns, k - 1, dtype=bool) if n.attr("upper", 1) else ~np.tri(rows, columns, k, dtype=bool)
    return chosen(s, known(mask), of_python(0, n[0]), n[0])


@operator("Pad", known=(1, 3))
def pad(s: Site, n: Node) -> Tensor:
    """x between constants, its edge repeated, mirrored or wrapped; negative pads cut."""
    x = n[0]
    if n.version < 11:
        pads, listed, fill = [int(p) for p in n.attr("pads")], range(x.rank), of_python(n.attr("value", 0.0), x)
    else:
        pads = list(s.integers(n[1], "pads"))
        listed = [axes.axis_of(s, a, x.rank) for a in s.integers(n.get(3), "axes")] if n.get(3) else range(x.rank)
        fill = n.get(2) if n.get(2) is not None else of_python(0, x)
    mode = text(n.attr("mode", "constant"))
    for axis, before, after in zip(listed, pads, pads[len(pads) // 2 :]):
        x = padded(s, x, axis, before, after, mode, fill)
    return x


def padded(s: Site, x: Tensor, axis: int, before: int, after: int, mode: str, fill: Tensor | None) -> Tensor:
    """Return a tensor longer, or shorter, at both ends of an axis."""
    if before < 0 or after < 0:
        x = axes.cut(s, x, axis, max(0, -before), x.shape[axis] + min(0, after))
        before, after = max(0, before), max(0, after)
    if not (before or after):
        return x
    if max(before, after) > MOST_ELEMENTS:
        raise s.refuse("a tensor is too large", f"it is padded by {before} and {after}", code="T504")
    if mode != "constant":
        places = np.pad(np.arange(x.shape[axis]), (before, after), mode=mode)  # type: ignore[call-overload]
        return taken(s, x, axis, places)
    assert fill is not None

    def block(length: int) -> list[Tensor]:
        shape = [length if i == axis else 1 if k >= BATCH else k for i, k in enumerate(x.shape)]
        return [axes.expand(s, axes.reshape(s, fill, (1,) * x.rank), shape)] if length else []

    return axes.concat(s, [*block(before), x, *block(after)], axis)


@operator("DepthToSpace")
def depth_to_space(s: Site, n: Node) -> Tensor:
    """Channels into squares of b x b places."""
    b, (batch, c, h, w) = int(n.attr("blocksize")), n[0].shape
    if text(n.attr("mode", "DCR")) == "DCR":
        x = axes.transpose(s, axes.reshape(s, n[0], (batch, b, b, c // b**2, h, w)), (0, 3, 4, 1, 5, 2))
    else:
        x = axes.transpose(s, axes.reshape(s, n[0], (batch, c // b**2, b, b, h, w)), (0, 1, 4, 2, 5, 3))
    return axes.reshape(s, x, (batch, c // b**2, h * b, w * b))


@operator("SpaceToDepth")
def space_to_depth(s: Site, n: Node) -> Tensor:
    """Squares of b x b places into channels."""
    b, (batch, c, h, w) = int(n.attr("blocksize")), n[0].shape
    x = axes.reshape(s, n[0], (batch, c, h // b, b, w // b, b))
    order = (0, 3, 5, 1, 2, 4) if text(n.attr("mode", "DCR")) == "DCR" else (0, 1, 3, 5, 2, 4)
    return axes.reshape(s, axes.transpose(s, x, order), (batch, c * b * b, h // b, w // b))
