"""How HotSpot's grid model reads a block's temperature off its cells (grid_map_mode).

HotSpot takes every cell that a block so much as touches, each with the same weight: a block that covers a sliver of a
hot neighbour's row counts the whole row. ``Binning.means`` weighs cells by the area that they share with the block.
The two differ by a part of a cell's size times the gradient, up to several K where blocks are a few cells wide;
docs/thermal.md has the figures.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.thermal.floorplan import Floorplan, FloorplanBlock
from thermoc.simulator.thermal.grid import Shape
from thermoc.support.errors import error
from thermoc.support.suggestions import near

SLACK = 1e-6
"""Of a cell: a border so close to a line of the grid lies on it."""


def read_blocks(plan: Floorplan, field: NDArray, mode: str = "avg") -> NDArray:
    """Return HotSpot's number of each block (blocks,) for a map (ny, nx); its modes are avg, min, max and center.

    Errors: T402 for a map that is no grid, T405 for other modes.
    """
    if mode not in MODES:
        raise error(
            "T405", f"HotSpot has no grid_map_mode {mode!r}", hint=near(mode, MODES, f"known are {', '.join(MODES)}")
        )
    if field.ndim != 2:
        raise error("T402", "a map of one layer is (ny, nx)", notes=[f"it has shape {list(field.shape)}"])
    ny, nx = map(int, field.shape)
    return np.array([MODES[mode](field[touched(plan, block, (ny, nx))]) for block in plan.blocks])


def touched(plan: Floorplan, block: FloorplanBlock, shape: Shape) -> tuple[slice, slice]:
    """Return the rows and columns of the cells that a block of one rectangle touches. Errors: T405 for several."""
    (r, *rectangles), (ny, nx) = block.rectangles, shape
    if rectangles:
        raise error("T405", f"block {block.name!r} has {len(block.rectangles)} rectangles, HotSpot's have one")
    return _range(r.y, r.height, plan.height / ny), _range(r.x, r.width, plan.width / nx)


def _range(low: float, size: float, step: float) -> slice:
    # a border on a line of the grid must not touch the cell beyond, whichever way it was rounded
    return slice(math.floor(low / step + SLACK), math.ceil((low + size) / step - SLACK))


def _centre(cells: NDArray) -> float:
    """Return the middle cell, or the mean of the middle two or four."""
    # an even number of cells has no middle one
    rows, columns = (slice((n - 1) // 2, n // 2 + 1) for n in cells.shape)
    return float(cells[rows, columns].mean())


MODES: Mapping[str, Callable[[NDArray], float]] = {
    "avg": lambda cells: float(cells.mean()),
    "min": lambda cells: float(cells.min()),
    "max": lambda cells: float(cells.max()),
    "center": _centre,
}
