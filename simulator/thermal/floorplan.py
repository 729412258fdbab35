"""Floorplans: blocks of rectangles, checked for overlap, binned onto cells by exact area.

One sparse matrix serves both ways: entry (block, cell) is the share of the block's area that lies in the cell, so
powers of blocks become powers of cells, and temperatures of cells become means over blocks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse

from thermoc.simulator.arrays import numbers
from thermoc.support.errors import Finding, Location, ThermocError, error

MOST_OVERLAPS = 100
"""So many are named: a plan whose every two blocks overlap has millions."""
SLACK = 1e-6
"""Blocks may overlap or leave the die by this share of its size: floorplan files are rounded to about as much."""


@dataclass(frozen=True)
class Rectangle:
    """A rectangle: lower left corner ``x``, ``y``, then ``width`` and ``height``, all in m."""

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        """Its area in m^2."""
        return self.width * self.height


@dataclass(frozen=True, kw_only=True)
class FloorplanBlock:
    """A named part of a die: rectangles that do not overlap. ``where`` is its line in a file."""

    name: str
    rectangles: tuple[Rectangle, ...]
    where: Location | None = None

    def __post_init__(self) -> None:
        for r in self.rectangles:
            if not all(map(math.isfinite, (r.x, r.y, r.width, r.height))) or not (r.width > 0 and r.height > 0):
                raise error("T514", f"block {self.name!r} has no area", where=self.where, notes=[str(r)])
        if not self.rectangles:
            raise error("T514", f"block {self.name!r} has no rectangle", where=self.where)

    @property
    def area(self) -> float:
        """Its area in m^2."""
        return sum(r.area for r in self.rectangles)


def block(name: str, x: float, y: float, width: float, height: float) -> FloorplanBlock:
    """Return a block of one rectangle, in m."""
    return FloorplanBlock(name=name, rectangles=(Rectangle(x, y, width, height),))


@dataclass(frozen=True, kw_only=True)
class Floorplan:
    """Blocks in the plane of a ``width`` by ``height`` die in m. Errors: T514 for those that overlap or lie outside."""

    width: float
    height: float
    blocks: tuple[FloorplanBlock, ...]

    def __post_init__(self) -> None:
        problems = [*_twice(self.blocks), *_outside(self), *_overlaps(self)]
        if problems:
            raise ThermocError(problems)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the blocks, in order."""
        return tuple(block.name for block in self.blocks)

    def binned(self, shape: tuple[int, int]) -> Binning:
        """Return how the blocks lie on a grid of ``shape`` (ny, nx)."""
        return Binning(floorplan=self, shape=shape)


@dataclass(frozen=True, kw_only=True)
class Binning:
    """A floorplan on a grid: row 0 at y = 0, column 0 at x = 0."""

    floorplan: Floorplan
    shape: tuple[int, int]

    @cached_property
    def weights(self) -> sparse.csr_array:
        """Share of each block's area in each cell, (blocks, ny nx); rows sum to one."""
        rows = [self._shares(block).ravel() for block in self.floorplan.blocks]
        # a block covers few of the cells: kept sparse, plans of many blocks on fine grids fit
        return sparse.csr_array(sparse.vstack([sparse.csr_array(row[np.newaxis]) for row in rows]))

    @cached_property
    def _spread(self) -> sparse.csr_array:
        return sparse.csr_array(self.weights.T)

    def power(self, watts: ArrayLike) -> NDArray:
        """Return W of each cell (ny, nx) for W of each block (blocks,). Errors: T402."""
        values = numbers("power", watts)
        if values.shape != (len(self.floorplan.blocks),):
            notes = [f"it has shape {list(values.shape)}", f"the floorplan has {len(self.floorplan.blocks)} blocks"]
            raise error("T402", "power must hold one number a block", notes=notes)
        return (self._spread @ values).reshape(self.shape)

    def means(self, temperature: NDArray) -> NDArray:
        """Return the mean over each block (blocks,) of a map (ny, nx)."""
        return self.weights @ temperature.ravel()

    def _shares(self, block: FloorplanBlock) -> NDArray:
        ny, nx = self.shape
        total = np.zeros(self.shape)
        for r in block.rectangles:
            across = _overlap(r.x, r.x + r.width, self.floorplan.width, nx)
            up = _overlap(r.y, r.y + r.height, self.floorplan.height, ny)
            total += np.outer(up, across)
        # by what lies on the die: a block may stick out by the slack, and its power must arrive in full
        return total / total.sum()


def _overlap(low: float, high: float, size: float, n: int) -> NDArray:
    """Return the length of [low, high] in each of the n cells of [0, size]."""
    # multiples and not a running sum: errors of rounding do not pile up along the die
    edges = np.arange(n + 1) * (size / n)
    return np.maximum(np.minimum(edges[1:], high) - np.maximum(edges[:-1], low), 0.0)


def _twice(blocks: tuple[FloorplanBlock, ...]) -> list[Finding]:
    visited: set[str] = set()
    problems = []
    for b in blocks:
        if b.name in visited:
            problems.append(Finding(code="T514", what=f"two blocks are named {b.name!r}", where=b.where))
        visited.add(b.name)
    return problems


def _outside(plan: Floorplan) -> list[Finding]:
    problems, tolerance = [], SLACK * max(plan.width, plan.height)
    for b in plan.blocks:
        for r in b.rectangles:
            low, high = min(r.x, r.y), max(r.x + r.width - plan.width, r.y + r.height - plan.height)
            if low < -tolerance or high > tolerance:
                notes = (str(r), f"the die is {plan.width!r} x {plan.height!r} m")
                problems.append(
                    Finding(code="T514", what=f"block {b.name!r} lies outside the die", where=b.where, notes=notes)
                )
    return problems


def _overlaps(plan: Floorplan) -> list[Finding]:
    """Name every two blocks that overlap by more than a sliver, by a sweep along x."""
    tagged = [(r, b) for b in plan.blocks for r in b.rectangles]
    # sorted by left side, only those that begin before this one ends can overlap with it
    tagged.sort(key=lambda pair: pair[0].x)
    if not tagged:
        return []
    low = np.array([[r.x, r.y] for r, _ in tagged])
    high = low + np.array([[r.width, r.height] for r, _ in tagged])
    tolerance, problems = SLACK * max(plan.width, plan.height), []
    for i, (_, b) in enumerate(tagged):
        # less the tolerance: a block that only meets this one's right side is not looked at
        last = int(np.searchsorted(low[:, 0], high[i, 0] - tolerance))
        sides = np.minimum(high[i], high[i + 1 : last]) - np.maximum(low[i], low[i + 1 : last])
        for j in np.flatnonzero((sides > tolerance).all(axis=1)):
            problems.append(_overlap_of(b, tagged[i + 1 + int(j)][1], sides[j]))
            if len(problems) > MOST_OVERLAPS:
                return problems
    return problems


def _overlap_of(one: FloorplanBlock, other: FloorplanBlock, sides: NDArray) -> Finding:
    # the later line of the two is blamed: the first was right when it was read
    where = one.where if other.where is None or (one.where and one.where.line > other.where.line) else other.where
    notes = (f"their overlap is {sides[0]:.6g} x {sides[1]:.6g} m, {sides[0] * sides[1]:.6g} m^2",)
    what = f"blocks {one.name!r} and {other.name!r} overlap"
    return Finding(code="T514", what=what, where=where, notes=notes)
