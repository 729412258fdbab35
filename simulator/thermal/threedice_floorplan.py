"""3D-ICE's floorplans: blocks with their power over time."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.thermal.floorplan import Floorplan, FloorplanBlock, Rectangle
from thermoc.simulator.thermal.text import wrong
from thermoc.simulator.thermal.threedice_words import Words

UM = 1e-6


def read_floorplan(path: str | os.PathLike[str], width: float, height: float) -> tuple[Floorplan, NDArray]:
    """Return a floorplan on a die of this size in m, and its powers (blocks, slots) in W. Errors: T501, T514."""
    words, blocks, powers = Words(path), [], []
    while not words.done:
        block, watts = _block(words)
        blocks.append(block)
        powers.append(watts)
    # all blocks share the slots of one trace: a shorter row would leave its block undefined at its end
    lengths = {len(watts) for watts in powers}
    if len(lengths) != 1:
        raise wrong(f"{Path(path).name}: blocks have {sorted(lengths)} powers", words.last, "give all as many")
    return Floorplan(width=width, height=height, blocks=tuple(blocks)), np.array(powers)


def _block(words: Words) -> tuple[FloorplanBlock, list[float]]:
    name = words.take()
    where = words.last
    words.take(":")
    rectangles = [_rectangle(words)]
    # a block may be several rectangles, listed one after another
    while words.peek() in ("position", "rectangle"):
        rectangles.append(_rectangle(words))
    if words.peek() == "material":
        words.refuse(f"block {name!r}: a material of its own")
    words.phrase("power values")
    watts = [words.number()]
    while words.take(",", ";") == ",":
        watts.append(words.number())
    return FloorplanBlock(name=name, rectangles=tuple(rectangles), where=where), watts


def _rectangle(words: Words) -> Rectangle:
    if words.take("position", "rectangle") == "rectangle":
        x, y, w, h = (_after(words, mark) for mark in ("(", ",", ",", ","))
        words.phrase(") ;")
    else:
        x, y = words.number(), _after(words, ",")
        words.phrase("; dimension")
        w, h = words.number(), _after(words, ",")
        words.take(";")
    return Rectangle(x * UM, y * UM, w * UM, h * UM)


def _after(words: Words, mark: str) -> float:
    words.take(mark)
    return words.number()
