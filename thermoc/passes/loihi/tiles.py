"""Tiles of the channels and the space behind a convolution: units that stand close read alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np

from thermoc.support.array_types import IntArray

Fits = Callable[[IntArray], bool]
"""Whether a core holds these units."""


def tiles(grid: IntArray, fits: Fits, units: int) -> list[IntArray] | None:
    """Return the fewest equal tiles that fit, over the ways to divide the axes; None where a tile has too many units.

    units: no more than so many fit, whatever they read; tiles that are plainly larger are not looked at.
    """
    grid = grid - grid.min(axis=0)
    sizes = [int(size) for size in grid.max(axis=0) + 1]
    *leading, last = [_counts(size) for size in sizes]
    fewest: list[IntArray] | None = None
    for counts in sorted(product(*leading), key=math.prod):
        bound = len(grid) + 1 if fewest is None else len(fewest)
        # Fewest first: from here on no division of the axes has fewer tiles than the best so far.
        if math.prod(counts) >= bound:
            break
        fitting = [n for n in last if _largest(grid, sizes, (*counts, n)) <= units and math.prod(counts) * n < bound]
        fewest = _least(grid, sizes, counts, fitting, fits) or fewest
    return fewest


def _counts(size: int) -> list[int]:
    """Return into how many intervals an axis can be divided, those of equal length once."""
    return sorted({-(-size // length) for length in range(1, size + 1)})


def _largest(grid: IntArray, sizes: Sequence[int], counts: Sequence[int]) -> int:
    """Return how many units the largest tile has, 0 where they are not on every place of the grid."""
    everywhere = len(grid) == math.prod(sizes)
    return math.prod(-(-size // count) for size, count in zip(sizes, counts)) if everywhere else 0


def _least(
    grid: IntArray, sizes: Sequence[int], counts: Sequence[int], last: Sequence[int], fits: Fits
) -> list[IntArray] | None:
    """Return the tiles of the least number of intervals of the last axis, of those given, that fit; None without."""
    low, high = 0, len(last)
    # A bisection by one tile of the middle, then every tile from there on: whom a tile reads takes long to find out.
    while low < high:
        middle = (low + high) // 2
        tile = _typical(grid, sizes, (*counts, last[middle]))
        low, high = (low, middle) if fits(tile) else (middle + 1, high)
    for number in last[low:]:
        groups = list(_split(grid, sizes, (*counts, number)))
        if all(map(fits, groups)):
            return groups
    return None


def _typical(grid: IntArray, sizes: Sequence[int], counts: Sequence[int]) -> IntArray:
    """Return the units of a largest tile near the middle, where windows are complete."""
    chosen = np.ones(len(grid), bool)
    for axis, (size, count) in enumerate(zip(sizes, counts)):
        intervals = _intervals(size, count)
        lengths = np.bincount(intervals, minlength=count)
        largest = np.flatnonzero(lengths == lengths.max())
        chosen &= (intervals == largest[len(largest) // 2])[grid[:, axis]]
    return np.flatnonzero(chosen)


def _intervals(size: int, count: int) -> IntArray:
    """Return the interval of each place along an axis."""
    return np.arange(size) * count // size


def _split(grid: IntArray, sizes: Sequence[int], counts: Sequence[int]) -> Iterator[IntArray]:
    """Yield the units of each tile that has some, tile after tile through space, channels last."""
    channel, row, column = (_intervals(*axis)[positions] for *axis, positions in zip(sizes, counts, grid.T))
    number = np.ravel_multi_index((row, column, channel), (counts[1], counts[2], counts[0]))
    order = np.argsort(number, kind="stable")
    ends = np.flatnonzero(np.diff(np.take(number, order))) + 1
    yield from np.split(order, ends)
