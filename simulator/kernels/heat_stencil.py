"""Explicit steps of the heat equation on a grid, several at a time while a panel of rows is in the cache (P19).

A step of a cell is T' = fma(F, fma(-4, T, (above + below) + (left + right)), T): its bits depend on no order of cells.
"""

from __future__ import annotations

from typing import NamedTuple

from numba import njit
from numpy import empty

from thermoc.simulator.kernels.simd.fused import fma

DEPTH = 8
"""Steps that a panel is taken on before it is left."""
PANEL = 512
"""Columns of a panel: three rows of each of its steps should fit a second-level cache, with much to spare."""


class Border(NamedTuple):
    """What lies beyond the grid: sign times the cell at the border plus ``offset``."""

    sign: float
    offset: float


class Panel(NamedTuple):
    """Rows and columns of the grid that are to be known after so many steps: from first to last, from left to right."""

    first: int
    last: int
    left: int
    right: int


@njit(error_model="numpy", nogil=True)
def step_row(result, above, below, before, middle, behind, fourier):
    """Some cells of a row after one step, from those around them: views, so that no index can be negative."""
    four = result.dtype.type(-4)
    for j in range(result.size):
        around = (above[j] + below[j]) + (before[j] + behind[j])
        result[j] = fma(fourier, fma(four, middle[j], around), middle[j])


@njit(error_model="numpy", nogil=True)
def mirror(result, row, border):
    """result = what lies beyond a row at the border."""
    for j in range(row.size):
        result[j] = fma(border.sign, row[j], border.offset)


@njit(error_model="numpy", nogil=True)
def close(row, start, end, width, shift, border):
    """Set the cells beyond the ends of a row that is known from column ``start`` to ``end`` of ``width``."""
    if start == 0:
        row[-1 - shift] = fma(border.sign, row[-shift], border.offset)
    if end == width:
        row[width - shift] = fma(border.sign, row[width - 1 - shift], border.offset)


@njit(error_model="numpy", nogil=True)
def advance_panel(result, T, panel, steps, fourier, border):
    """result = T (rows, columns) after so many steps, in a panel; cells around it are stepped beside it.

    The steps run down the rows as waves, each two rows behind the one before: three rows of each are kept.
    """
    rows, columns = T.shape
    left, right = max(0, panel.left - steps), min(columns, panel.right + steps)
    shift = left - 1
    window = empty((steps + 1, 3, right - left + 2), T.dtype)
    beyond = empty((2, right - left + 2), T.dtype)
    for i in range(max(0, panel.first - steps), min(rows, panel.last + steps) + steps):
        if i < rows:
            row = window[0, i % 3]
            row[1 : right - left + 1] = T[i, left:right]
            close(row, left, right, columns, shift, border)
        for s in range(1, steps + 1):
            q, slack = i - s, steps - s
            if q < max(0, panel.first - slack) or q >= min(rows, panel.last + slack):
                continue
            known = window[s - 1]
            middle, above, below = known[q % 3], known[(q - 1) % 3], known[(q + 1) % 3]
            if q == 0:
                mirror(beyond[0], middle, border)
                above = beyond[0]
            if q == rows - 1:
                mirror(beyond[1], middle, border)
                below = beyond[1]
            start, end = max(0, panel.left - slack), min(columns, panel.right + slack)
            at, to = start - shift, end - shift
            before, behind = middle[at - 1 : to - 1], middle[at + 1 : to + 1]
            step_row(window[s, q % 3, at:to], above[at:to], below[at:to], before, middle[at:to], behind, fourier)
            close(window[s, q % 3], start, end, columns, shift, border)
            if s == steps:
                result[q, panel.left : panel.right] = window[s, q % 3, panel.left - shift : panel.right - shift]


@njit(error_model="numpy", nogil=True)
def advance_rows(result, T, first, last, steps, fourier, border, halt):
    """result = T after so many steps, in rows from first to last; ``halt[0]`` ends it early."""
    columns = T.shape[1]
    for left in range(0, columns, PANEL):
        if halt[0]:
            return
        panel = Panel(first, last, left, min(left + PANEL, columns))
        advance_panel(result, T, panel, steps, fourier, border)
