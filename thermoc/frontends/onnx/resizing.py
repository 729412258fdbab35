"""Resize and Upsample: along each axis a product with a matrix of the interpolation's weights."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.onnx import axes
from thermoc.frontends.onnx.linear import product
from thermoc.frontends.onnx.logic import chosen
from thermoc.frontends.onnx.operator import Node, operator, text
from thermoc.frontends.onnx.selection import taken
from thermoc.frontends.onnx.site import Site, of_python
from thermoc.frontends.onnx.tensor import BATCH, Tensor, known

ROUNDINGS: dict[str, Callable[[float], int]] = {
    "round_prefer_floor": lambda x: math.ceil(x - 0.5),
    "round_prefer_ceil": lambda x: math.floor(x + 0.5),
    "floor": math.floor,
    "ceil": math.ceil,
}


@dataclass(frozen=True, kw_only=True)
class ResizedAxis:
    """How one axis is resized: its lengths, its scale as stated, and the node's modes."""

    old: int
    new: int
    scale: float
    mode: str
    transform: str
    rounding: str
    cubic: float
    exclude: bool
    antialias: bool
    crop: tuple[float, float] = (0.0, 1.0)

    def place(self, i: int) -> float:
        """Return where element i of the result lies in x."""
        if self.transform == "align_corners":
            # By the length that the scale means, before it is rounded down.
            return 0.0 if self.new == 1 else i * (self.old - 1) / (self.scale * self.old - 1)
        if self.transform == "tf_crop_and_resize":
            start, end = self.crop
            if self.new == 1:
                return (start + end) / 2 * (self.old - 1)
            return (start + i * (end - start) / (self.new - 1)) * (self.old - 1)
        if self.transform == "asymmetric":
            return i / self.scale
        if self.transform == "pytorch_half_pixel" and self.new == 1:
            return -0.5
        if self.transform == "half_pixel_symmetric":
            centre = self.old / 2 * (1 - self.new / (self.scale * self.old))
            return centre + (i + 0.5) / self.scale - 0.5
        return (i + 0.5) / self.scale - 0.5

    def weights(self, i: int) -> tuple[NDArray, NDArray]:
        """Return the places in x, beyond its ends too, that element i is made of, and their weights."""
        x = self.place(i)
        if self.mode == "nearest":
            return np.array([ROUNDINGS[self.rounding](x)]), np.ones(1)
        kernel = self._linear if self.mode == "linear" else self._cubic
        stretch = min(1.0, self.scale) if self.antialias else 1.0
        reach = (1 if self.mode == "linear" else 2) / stretch
        places = np.arange(math.ceil(x - reach), math.floor(x + reach) + 1)
        weights = np.array([kernel((position - x) * stretch) for position in places])
        inside = (places >= 0) & (places < self.old)
        if self.exclude or self.antialias:
            weights = np.where(inside if self.exclude else True, weights, 0.0)
            weights = weights / weights.sum()
        return places, weights

    @staticmethod
    def _linear(distance: float) -> float:
        return max(0.0, 1.0 - abs(distance))

    def _cubic(self, distance: float) -> float:
        d, a = abs(distance), self.cubic
        if d <= 1:
            return (a + 2) * d**3 - (a + 3) * d**2 + 1
        return a * (d**3 - 5 * d**2 + 8 * d - 4) if d < 2 else 0.0


@operator("Resize", known=(1, 2, 3))
def resize(s: Site, n: Node) -> Tensor:
    """x at other lengths, by the nearest element, linearly or by cubics."""
    x, first = n[0], 1 if n.version < 11 else 2
    transform = text(n.attr("coordinate_transformation_mode", "half_pixel" if first == 2 else "asymmetric"))
    listed = [axes.axis_of(s, int(a), x.rank) for a in n.attr("axes") or range(x.rank)]
    scales = n.get(first)
    sizes = n.get(3)
    if sizes is not None and sizes.shape != (0,):
        lengths = s.integers(sizes, "sizes")
        ratios = [length / x.shape[axis] for length, axis in zip(lengths, listed)]
        policy = text(n.attr("keep_aspect_ratio_policy", "stretch"))
        if policy != "stretch":
            ratio = min(ratios) if policy == "not_larger" else max(ratios)
            ratios = [ratio] * len(listed)
            lengths = [math.floor(ratio * x.shape[axis] + 0.5) for axis in listed]
    else:
        ratios = [float(r) for r in s.numbers(scales, "scales").reshape(-1)]
        lengths = [math.floor(x.shape[axis] * ratio) for ratio, axis in zip(ratios, listed)]
    crops = [(0.0, 1.0)] * len(listed)
    if transform == "tf_crop_and_resize":
        roi = [float(r) for r in s.numbers(n.get(1), "roi").reshape(-1)]
        crops = list(zip(roi[: len(listed)], roi[len(listed) :]))
    return _resized(s, n, x, listed, list(lengths), ratios, transform, crops)


@operator("Upsample", known=(1,))
def upsample(s: Site, n: Node) -> Tensor:
    """Resize as it was before opset 10."""
    x = n[0]
    ratios = [float(r) for r in (n.attr("scales") if n.version < 9 else s.numbers(n[1], "scales").reshape(-1))]
    lengths = [math.floor(length * ratio) for length, ratio in zip(x.shape, ratios)]
    return _resized(s, n, x, list(range(x.rank)), lengths, ratios, "asymmetric", [(0.0, 1.0)] * x.rank)


def _resized(
    s: Site,
    n: Node,
    x: Tensor,
    listed: list[int],
    lengths: list[int],
    ratios: list[float],
    transform: str,
    crops: list[tuple[float, float]],
) -> Tensor:
    mode = text(n.attr("mode", "nearest"))
    legacy = n.version < 11
    for axis, new, ratio, crop in zip(listed, lengths, ratios, crops):
        if ratio == 1.0 and crop == (0.0, 1.0):
            continue
        if x.shape[axis] >= BATCH:
            raise s.refuse(axes.MIXED, f"axis {axis} is the batch")
        s.check_size((*(k for k in x.sample if k), new))
        x = _along(
            s,
            x,
            axis,
            ResizedAxis(
                old=x.shape[axis],
                new=int(new),
                scale=ratio,
                mode="linear" if mode == "bilinear" else mode,
                transform=transform,
                rounding="floor" if legacy else text(n.attr("nearest_mode", "round_prefer_floor")),
                cubic=float(n.attr("cubic_coeff_a", -0.75)),
                exclude=bool(n.attr("exclude_outside", 0)),
                antialias=bool(n.attr("antialias", 0)),
                crop=crop,
            ),
            float(n.attr("extrapolation_value", 0.0)),
        )
    return x


def _along(s: Site, x: Tensor, axis: int, how: ResizedAxis, beyond: float) -> Tensor:
    y = _interpolated(s, x, axis, how)
    places = np.array([how.place(i) for i in range(how.new)])
    outside = (places < 0) | (places > how.old - 1)
    if how.transform != "tf_crop_and_resize" or not outside.any():
        return y
    mask = known(outside.reshape([-1 if i == axis else 1 for i in range(x.rank)]))
    return chosen(s, mask, of_python(beyond, x), y)


def _interpolated(s: Site, x: Tensor, axis: int, how: ResizedAxis) -> Tensor:
    parts = [how.weights(i) for i in range(how.new)]
    if how.mode == "nearest":
        return taken(s, x, axis, np.clip([places[0] for places, _ in parts], 0, how.old - 1))
    s.check_size((how.new, how.old))
    matrix = np.zeros((how.old, how.new))
    for i, (places, weights) in enumerate(parts):
        np.add.at(matrix[:, i], np.clip(places, 0, how.old - 1), weights)
    last = axes.swapped(s, x, axis, x.rank - 1)
    return axes.swapped(s, product(s, last, known(matrix.astype(x.elem))), axis, x.rank - 1)
