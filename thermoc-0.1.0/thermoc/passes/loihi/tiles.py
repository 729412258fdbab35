"""Units behind a convolution are cut into tiles of its channels and its space: what stands close reads alike."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import product

import numpy as np

from thermoc.passes.loihi.reads import Index

Fits = Callable[[Index], bool]
"""Whether a core holds these units."""


def tiles(grid: Index, fits: Fits, units: int) -> list[Index] | None:
    """Return the fewest equal tiles that fit, over the ways to part the axes; None where a place has too many units.

    units: no more than so many fit, whatever they read; tiles that are plainly larger are not looked at.
    """
    grid = grid - grid.min(axis=0)
    sizes = [int(size) for size in grid.max(axis=0) + 1]
    *others, last = [_counts(size) for size in sizes]
    best: list[Index] | None = None
    for counts in sorted(product(*others), key=math.prod):
        most = len(grid) + 1 if best is None else len(best)
        if math.prod(counts) >= most:
            break
        small = [n for n in last if _largest(grid, sizes, (*counts, n)) <= units and math.prod(counts) * n < most]
        best = _least(grid, sizes, counts, small, fits) or best
    return best


def _counts(size: int) -> list[int]:
    """Return in how many parts an axis can go, those of equal length once."""
    return sorted({-(-size // length) for length in range(1, size + 1)})


def _largest(grid: Index, sizes: Sequence[int], counts: Sequence[int]) -> int:
    """Return how many units the largest tile has, 0 where they are not on every place of the grid."""
    everywhere = len(grid) == math.prod(sizes)
    return math.prod(-(-size // count) for size, count in zip(sizes, counts)) if everywhere else 0


def _least(
    grid: Index, sizes: Sequence[int], counts: Sequence[int], last: Sequence[int], fits: Fits
) -> list[Index] | None:
    """Return the tiles of the least number of parts of the last axis, of those given, that fit; None without."""
    low, high = 0, len(last)
    while low < high:
        middle = (low + high) // 2
        tile = _typical(grid, sizes, (*counts, last[middle]))
        low, high = (low, middle) if fits(tile) else (middle + 1, high)
    for number in last[low:]:
        groups = list(_split(grid, sizes, (*counts, number)))
        if all(map(fits, groups)):
            return groups
    return None


def _typical(grid: Index, sizes: Sequence[int], counts: Sequence[int]) -> Index:
    """Return the units of a largest tile near the middle, where windows are whole."""
    chosen = np.ones(len(grid), bool)
    for axis, (size, count) in enumerate(zip(sizes, counts)):
        parts = _parts(size, count)
        lengths = np.bincount(parts, minlength=count)
        largest = np.flatnonzero(lengths == lengths.max())
        chosen &= (parts == largest[len(largest) // 2])[grid[:, axis]]
    return np.flatnonzero(chosen)


def _parts(size: int, count: int) -> Index:
    """Return the part of each place along an axis."""
    return np.arange(size) * count // size


def _split(grid: Index, sizes: Sequence[int], counts: Sequence[int]) -> Iterator[Index]:
    """Yield the units of each tile that has some, tile after tile through space, channels last."""
    channel, row, column = (_parts(*cut)[places] for *cut, places in zip(sizes, counts, grid.T))
    number = np.ravel_multi_index((row, column, channel), (counts[1], counts[2], counts[0]))
    order = np.argsort(number, kind="stable")
    ends = np.flatnonzero(np.diff(np.take(number, order))) + 1
    yield from np.split(order, ends)
