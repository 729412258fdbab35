"""Shapes of windows that slide along space axes: the attributes of convolutions and pools, in full and checked."""

from __future__ import annotations

from typing import Any, cast

from thermoc.ir.ops import ShapeProblem
from thermoc.ir.types import Shape

Pairs = tuple[tuple[int, int], ...]
WINDOW = frozenset({"window", "stride", "dilation", "padding"})


def per_axis(attrs: dict[str, Any], axes: int) -> dict[str, Any]:
    """Return window attributes with an entry an axis; padding as pairs (before, after)."""
    full = dict(attrs)
    for name in WINDOW & attrs.keys():
        full[name] = (attrs[name],) * axes if isinstance(attrs[name], int) else attrs[name]
    if isinstance(full["padding"], tuple):
        full["padding"] = tuple(
            (item, item) if isinstance(item, int) else item for item in cast("tuple[Any, ...]", full["padding"])
        )
    return full


def windowed(space: Shape, window: Shape, stride: Shape, padding: Pairs, dilation: Shape) -> Shape:
    """Return how many places a window takes along each axis. Raises ShapeProblem where it fits nowhere."""
    if not len(space) == len(window) == len(stride) == len(padding) == len(dilation):
        raise ShapeProblem(
            "window, stride, padding and dilation need one entry an axis", f"there are {len(space)} space axes"
        )
    if any(len(pair) != 2 or min(pair) < 0 for pair in padding):
        raise ShapeProblem("padding must be pairs (before, after), none negative", f"padding is {padding}")
    positions: list[int] = []
    for length, size, step, (before, after), spread in zip(space, window, stride, padding, dilation):
        # The last start of a window, counted from the first: its span reaches to the end of the padding.
        last = length + before + after - spread * (size - 1) - 1
        if last < 0:
            raise ShapeProblem(
                "the window is larger than the padded input",
                f"the input has length {length} + {before} + {after}",
                f"the window spans {spread * (size - 1) + 1}",
            )
        positions.append(last // step + 1)
    return tuple(positions)
