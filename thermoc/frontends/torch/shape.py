"""Shapes, indices, and tensors that are made of nothing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from thermoc.frontends.onnx import axes
from thermoc.frontends.onnx.selection import taken
from thermoc.frontends.onnx.tensor import BATCH, Tensor, known
from thermoc.frontends.torch.aten import Aten, Joined, aten, integers

LAST = 2**31 - 1
"""Where a slice ends that ends nowhere."""


@aten("view", "reshape", "_unsafe_view", "unsafe_view")
def view(t: Aten, self: Any, **named: Any) -> Any:
    """The same numbers in another shape."""
    (shape,) = named.values()
    if isinstance(self, Joined):
        if tuple(shape) != self.tensor.shape:
            raise t.site.refuse("it mixes the samples of a batch", f"the new shape is {axes.shown(tuple(shape))}")
        return self.tensor
    if self.batch and len(shape) == 2 and (parted := _parted(self, shape)) is not None:
        return Joined(tensor=t.reshape(self, parted), shape=(math.prod(parted[:-1]), parted[-1]))
    return t("Reshape", self, integers(shape), allowzero=int(0 in shape))


def _parted(x: Tensor, shape: Sequence[int]) -> tuple[int, ...] | None:
    """Return x's own axes with the last of them joined, where ``shape`` joins all others, the batch not the first."""
    lengths: list[int] = []
    for length in x.shape:
        lengths += [BATCH, length // BATCH] if length > BATCH else [length]
    for axis in range(lengths.index(BATCH) + 1, len(lengths)):
        rows, columns = math.prod(lengths[:axis]), math.prod(lengths[axis:])
        if list(shape) in ([rows, columns], [-1, columns], [rows, -1]):
            return (*lengths[:axis], columns)
    return None


@aten("view_as", "reshape_as")
def view_as(t: Aten, self: Tensor, other: Tensor) -> Tensor:
    """In the shape of another."""
    return t.reshape(self, other.shape)


@aten("flatten")
def flatten(t: Aten, self: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Axes joined."""
    (first,), (last,) = t.axes(self, start_dim), t.axes(self, end_dim)
    joined = math.prod(self.shape[first : last + 1])
    return t.reshape(self, (*self.shape[:first], joined, *self.shape[last + 1 :]))


@aten("unflatten")
def unflatten(t: Aten, self: Tensor, dim: int, sizes: Sequence[int]) -> Tensor:
    """One axis parted."""
    (axis,) = t.axes(self, dim)
    return view(t, self, size=[*self.shape[:axis], *sizes, *self.shape[axis + 1 :]])


@aten("permute")
def permute(t: Aten, self: Tensor, dims: Sequence[int]) -> Tensor:
    """Axes in another order."""
    return t("Transpose", self, perm=t.axes(self, dims))


@aten("transpose", "swapaxes")
def transpose(t: Aten, self: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two axes exchanged."""
    a, b = t.axes(self, [dim0, dim1])
    return axes.swapped(t.site, self, a, b)


@aten("t", "numpy_T")
def t_(t: Aten, self: Tensor) -> Tensor:
    """Rows and columns exchanged."""
    return axes.swapped(t.site, self, 0, 1) if self.rank == 2 else self


@aten("unsqueeze")
def unsqueeze(t: Aten, self: Tensor, dim: int) -> Tensor:
    """An axis of one more."""
    return t("Unsqueeze", self, [dim + self.rank + 1 if dim < 0 else dim])


@aten("squeeze")
def squeeze(t: Aten, self: Tensor, dim: Any = None) -> Tensor:
    """Without axes of one."""
    over = [axis for axis in t.axes(self, dim) if self.shape[axis] == 1]
    return t("Squeeze", self, over) if over else self


@aten("expand")
def expand(t: Aten, self: Tensor, size: Sequence[int], implicit: bool = False) -> Tensor:
    """Repeated along axes of one."""
    padded = (1,) * (len(size) - self.rank) + self.shape
    lengths = [n if m == -1 else m for n, m in zip(padded, size)]
    return self if tuple(lengths) == self.shape else t("Expand", self, integers(lengths))


@aten("expand_as")
def expand_as(t: Aten, self: Tensor, other: Tensor) -> Tensor:
    """Repeated to the shape of another."""
    return expand(t, self, other.shape)


@aten("repeat", "tile")
def repeat(t: Aten, self: Tensor, **named: Any) -> Tensor:
    """Repeated as often along each axis."""
    (counts,) = named.values()
    counts = [1] * (self.rank - len(counts)) + [int(n) for n in counts]
    wide = t.reshape(self, (1,) * (len(counts) - self.rank) + self.shape)
    return t("Tile", wide, integers(counts)) if set(counts) != {1} else wide


@aten("cat", "concat", "concatenate")
def cat(t: Aten, tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Side by side."""
    operands = [t.number(x) for x in tensors if x.shape != (0,)]
    return t("Concat", *operands, axis=int(dim)) if len(operands) > 1 else operands[0]


@aten("stack")
def stack(t: Aten, tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Along a new axis."""
    return cat(t, [unsqueeze(t, x, dim) for x in tensors], dim)


@aten("split", "split_with_sizes")
def split(t: Aten, self: Tensor, split_size: Any = None, split_sizes: Any = None, dim: int = 0) -> Any:
    """Parts of given lengths."""
    (axis,) = t.axes(self, dim)
    sizes = split_sizes if split_sizes is not None else split_size
    if isinstance(sizes, int):
        sizes = [min(sizes, self.shape[axis] - start) for start in range(0, self.shape[axis], sizes)]
    parts = t("Split", self, integers(sizes), axis=axis, outputs=len(sizes))
    return parts if isinstance(parts, tuple) else (parts,)


@aten("chunk")
def chunk(t: Aten, self: Tensor, chunks: int, dim: int = 0) -> Any:
    """So many parts of one length, the last shorter."""
    (axis,) = t.axes(self, dim)
    return split(t, self, -(-self.shape[axis] // chunks), dim=axis)


@aten("unbind")
def unbind(t: Aten, self: Tensor, dim: int = 0) -> Any:
    """The places of an axis."""
    (axis,) = t.axes(self, dim)
    return tuple(select(t, self, axis, i) for i in range(self.shape[axis]))


@aten("select")
def select(t: Aten, self: Tensor, dim: int, index: int) -> Tensor:
    """One place of an axis."""
    (axis,) = t.axes(self, dim)
    if self.shape[axis] >= BATCH:
        raise t.site.refuse("it takes one sample of the batch", "samples of a network never meet")
    position = index + self.shape[axis] if index < 0 else index
    return axes.squeeze(t.site, axes.cut(t.site, self, axis, position, position + 1), axis)


@aten("slice")
def slice_(t: Aten, self: Tensor, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Tensor:
    """Places from start to end."""
    (axis,) = t.axes(self, dim)
    first, last = start or 0, LAST if end is None else min(end, LAST)
    if first == 0 and step == 1 and last >= min(self.shape[axis], LAST):
        return self
    return t("Slice", self, [int(first)], [int(last)], [axis], [int(step)])


@aten("narrow")
def narrow(t: Aten, self: Tensor, dim: int, start: int, length: int) -> Tensor:
    """So many places from start on."""
    return slice_(t, self, dim, start, start + length)


@aten("slice_scatter")
def slice_scatter(
    t: Aten, self: Tensor, src: Tensor, dim: int = 0, start: Any = None, end: Any = None, step: int = 1
) -> Tensor:
    """self with places from start to end replaced."""
    (axis,) = t.axes(self, dim)
    length = self.shape[axis]
    if length >= BATCH and not (start or 0) and (end is None or end >= min(length, LAST)) and step == 1:
        return src
    if length >= BATCH:
        raise t.site.refuse("it writes some samples of the batch", "samples of a network never meet")
    first, last, _ = slice(start, None if end is None else min(end, length), step).indices(length)
    places = list(range(first, last, step))
    return _replaced(t, self, src, axis, places)


@aten("select_scatter")
def select_scatter(t: Aten, self: Tensor, src: Tensor, dim: int, index: int) -> Tensor:
    """self with one place replaced."""
    (axis,) = t.axes(self, dim)
    if self.shape[axis] >= BATCH:
        raise t.site.refuse("it writes one sample of the batch", "samples of a network never meet")
    return _replaced(t, self, unsqueeze(t, src, axis), axis, [index % self.shape[axis]])


def _replaced(t: Aten, x: Tensor, new: Tensor, axis: int, places: list[int]) -> Tensor:
    """Return x with places of an axis taken from ``new`` in turn."""
    order = list(range(x.shape[axis]))
    for turn, place in enumerate(places):
        order[place] = x.shape[axis] + turn
    joined = t("Concat", x, t.number(new, x.elem), axis=axis)
    return taken(t.site, joined, axis, np.asarray(order))


@aten("index_select")
def index_select(t: Aten, self: Tensor, dim: int, index: Tensor) -> Tensor:
    """Places of an axis by number."""
    return t("Gather", self, index, axis=int(dim))


@aten("embedding")
def embedding(t: Aten, weight: Tensor, indices: Tensor, *_: Any, **__: Any) -> Tensor:
    """Rows by number."""
    return t("Gather", weight, indices, axis=0)


@aten("gather")
def gather(t: Aten, self: Tensor, dim: int, index: Tensor, sparse_grad: bool = False) -> Tensor:
    """Numbers of an axis by their places."""
    return t("GatherElements", self, index, axis=int(dim))


@aten("index")
def index(t: Aten, self: Tensor, indices: Sequence[Tensor | None]) -> Tensor:
    """Places of one axis by number, or of several by a number each."""
    indexed = [axis for axis, item in enumerate(indices) if item is not None]
    if len(indexed) == 1:
        places = indices[indexed[0]]
        assert places is not None
        if places.elem.kind == "b":
            if places.numbers is None or places.rank != 1:
                raise t.site.refuse("how many places a mask takes depends on the data", code="T507")
            places = known(np.flatnonzero(places.numbers))
        return t("Gather", self, t.cast(places, np.int64), axis=indexed[0])
    if indexed != list(range(len(indexed))):
        raise t.site.refuse("it takes places of axes that are no neighbours from the first on", code="T507")
    columns = [t.cast(x, np.int64) for x in indices if x is not None]
    rank = max(x.rank for x in columns)
    shape = np.broadcast_shapes(*[x.shape for x in columns])
    wide = [axes.unsqueeze(t.site, expand(t, x, shape), rank) for x in columns]
    return t("GatherND", self, t("Concat", *wide, axis=rank))


@aten("constant_pad_nd", "pad")
def pad(t: Aten, self: Tensor, pad: Sequence[int], value: Any = 0, mode: str = "constant") -> Tensor:
    """Places put before and after."""
    pairs = list(zip(pad[::2], pad[1::2]))[::-1]
    before = [0] * (self.rank - len(pairs)) + [a for a, _ in pairs]
    after = [0] * (self.rank - len(pairs)) + [b for _, b in pairs]
    kind = {"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}[mode]
    fill = t.number(value or 0, self.elem) if kind == "constant" else None
    return t("Pad", self, integers([*before, *after]), fill, mode=kind)


def _padding(mode: str) -> Any:
    return lambda t, self, padding: pad(t, self, padding, mode=mode)


aten("reflection_pad1d", "reflection_pad2d", "reflection_pad3d")(_padding("reflect"))
aten("replication_pad1d", "replication_pad2d", "replication_pad3d")(_padding("replicate"))


@aten("flip")
def flip(t: Aten, self: Tensor, dims: Sequence[int]) -> Tensor:
    """Axes backwards."""
    y = self
    for axis in t.axes(self, dims):
        y = t("Slice", y, [-1], [-LAST], [axis], [-1])
    return y


@aten("roll")
def roll(t: Aten, self: Tensor, shifts: Any, dims: Any = ()) -> Tensor:
    """Places moved around."""
    shifts = [shifts] if isinstance(shifts, int) else list(shifts)
    if not dims:
        return t.reshape(roll(t, t.reshape(self, (math.prod(self.shape),)), shifts, [0]), self.shape)
    y = self
    for axis, shift in zip(t.axes(self, dims), shifts):
        y = taken(t.site, y, axis, (np.arange(y.shape[axis]) - shift) % y.shape[axis])
    return y


@aten("tril", "triu")
def triangle(t: Aten, self: Tensor, diagonal: int = 0) -> Tensor:
    """Below or above a diagonal, 0 elsewhere."""
    x = t.cast(self, np.float32) if self.elem.kind == "b" else self
    y = t("Trilu", x, known(np.int64(diagonal)), upper=int(t.name == "triu"))
    return t.cast(y, self.elem)


@aten("pixel_shuffle")
def pixel_shuffle(t: Aten, self: Tensor, upscale_factor: int) -> Tensor:
    """Channels into space."""
    return t("DepthToSpace", self, blocksize=int(upscale_factor), mode="CRD")


@aten("pixel_unshuffle")
def pixel_unshuffle(t: Aten, self: Tensor, downscale_factor: int) -> Tensor:
    """Space into channels."""
    r, (*lead, c, h, w) = int(downscale_factor), self.shape
    y = t.reshape(self, (*lead, c, h // r, r, w // r, r))
    n = len(lead)
    y = t("Transpose", y, perm=[*range(n), n, n + 2, n + 4, n + 1, n + 3])
    return t.reshape(y, (*lead, c * r * r, h // r, w // r))


def _resized(mode: str) -> Any:
    def read(t: Aten, input: Tensor, output_size: Any = None, align_corners: bool = False, **named: Any) -> Tensor:
        rank = input.rank - 2
        factors = named.get("scale_factors") or [value for key, value in named.items() if key.startswith("scales")]
        size = output_size or [int(n * f) for n, f in zip(input.shape[2:], factors)]
        where = {"nearest": "asymmetric"}.get(mode, "align_corners" if align_corners else "half_pixel")
        rounding: dict[str, Any] = {"nearest_mode": "floor"} if mode == "nearest" else {}
        if mode == "cubic":
            rounding = {"cubic_coeff_a": -0.75}
        lengths = integers([*input.shape[:2], *size[:rank]])
        return t("Resize", input, None, None, lengths, mode=mode, coordinate_transformation_mode=where, **rounding)

    return read


aten("upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d")(
    lambda t, self=None, input=None, **named: _resized("nearest")(t, self if self is not None else input, **named)
)
aten("upsample_linear1d", "upsample_bilinear2d", "upsample_trilinear3d")(
    lambda t, self=None, input=None, **named: _resized("linear")(t, self if self is not None else input, **named)
)
aten("upsample_bicubic2d")(
    lambda t, self=None, input=None, **named: _resized("cubic")(t, self if self is not None else input, **named)
)
