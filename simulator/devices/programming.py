"""What writing, time and reading do to an array of conductances: functions of conductances in S; limits are operands.

With every limit at zero (no levels, no spread, no drift, no stuck cells, no noise) the conductances, and so the
product, come back bit for bit. Draws are Philox at (cell, tick, draw, stream), cells in the array's order; each effect
has a draw of its own, so that none changes another's.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from thermoc.simulator.arrays import count, counters, numbers
from thermoc.support import philox
from thermoc.support.errors import error

MOST_TICK = 2**32
# each effect draws under a number of its own: switching one on leaves the others' numbers as they were
VARIATION, WRITE, DRIFT, STUCK, READ = range(5)
FLOAT = np.dtype(np.float64)


@dataclass(frozen=True, kw_only=True)
class CellLimits:
    """What an array's cells can do; zero is ideal.

    levels: how many conductances a cell takes, evenly from G_min to G_max (0: any). write, variation, read: relative
    standard deviations of one write, of a cell against its like (log-normal), of one reading. drift: mean exponent nu
    of G (t / t0)^-nu, drift_spread its deviation from cell to cell. stuck_low, stuck_high: shares of cells stuck at
    G_min and at G_max.
    """

    G_min: float
    G_max: float
    levels: int = 0
    write: float = 0.0
    variation: float = 0.0
    drift: float = 0.0
    drift_spread: float = 0.0
    drift_start: float = 1.0
    stuck_low: float = 0.0
    stuck_high: float = 0.0
    read: float = 0.0

    def __post_init__(self):
        for name in self.__dataclass_fields__:
            if not np.isfinite(numbers(f"limits: {name}", getattr(self, name), code="T405")).all():
                raise error("T405", f"a limit of programming is not finite: {name}", notes=[str(self)])
        shares = (self.stuck_low, self.stuck_high, self.stuck_low + self.stuck_high)
        spreads = (self.write, self.variation, self.drift_spread, self.read)
        if not 0 <= self.G_min < self.G_max:
            raise error("T405", "the range of conductances is empty", notes=[f"from {self.G_min} to {self.G_max} S"])
        levels = self.levels == int(self.levels) and self.levels >= 0 and self.levels != 1
        if not levels or not all(s >= 0 for s in spreads) or not self.drift_start > 0:
            hint = "levels: 0 or at least 2; deviations: 0 or more; drift_start: above 0"
            raise error("T405", "a limit of programming is out of range", notes=[str(self)], hint=hint)
        if not all(0 <= fraction <= 1 for fraction in shares):
            raise error(
                "T405",
                "shares of stuck cells are out of range",
                notes=[f"{self.stuck_low} low, {self.stuck_high} high"],
            )


def program(G: ArrayLike, limits: CellLimits, *, seed: int = 0, stream: int = 0, tick: int = 0) -> NDArray[np.float64]:
    """Return what stands in the cells after writing G, (...) S; ``tick`` numbers the writes. Errors: T403, T405."""
    target = _cells(G)
    if limits.levels or limits.write or limits.stuck_low or limits.stuck_high or limits.variation:
        outside = (target < limits.G_min) | (target > limits.G_max)
        if outside.any():
            notes = [
                f"{target[outside].flat[0]:.6g} S, range {limits.G_min:.6g} to {limits.G_max:.6g} S",
                f"{outside.sum()} of {outside.size} cells",
            ]
            raise error(
                "T405", "a conductance lies outside what the cells can hold", notes=notes, hint="scale the weights"
            )
    # in the order in which it happens: a level is aimed at, the cell differs, the write misses, some are stuck
    written = quantised(target, limits)
    if limits.variation:
        # less half the variance: the log-normal factor then has the mean one, and variation does not shift products
        written = written * np.exp(
            limits.variation * _normals(written.shape, 0, VARIATION, stream, seed) - 0.5 * limits.variation**2
        )
    if limits.write:
        written = np.maximum(written * (1 + limits.write * _normals(written.shape, tick, WRITE, stream, seed)), 0.0)
    return stuck(written, limits, seed=seed, stream=stream)


def quantised(G: ArrayLike, limits: CellLimits) -> NDArray[np.float64]:
    """Return the nearest of the cell's levels."""
    if not limits.levels:
        return _cells(G)
    step = (limits.G_max - limits.G_min) / (limits.levels - 1)
    return limits.G_min + step * np.clip(np.rint((_cells(G) - limits.G_min) / step), 0, limits.levels - 1)


def stuck(G: ArrayLike, limits: CellLimits, *, seed: int = 0, stream: int = 0) -> NDArray[np.float64]:
    """Return G with the array's stuck cells at their ends; which they are depends on seed and stream alone."""
    G = _cells(G)
    if not limits.stuck_low and not limits.stuck_high:
        return G
    u = _uniforms(G.shape, STUCK, stream, seed)
    # low and high ends of one draw: no cell can be stuck at both
    return np.where(u < limits.stuck_low, limits.G_min, np.where(u >= 1 - limits.stuck_high, limits.G_max, G))


def drifted(G: ArrayLike, t: float, limits: CellLimits, *, seed: int = 0, stream: int = 0) -> NDArray[np.float64]:
    """Return G (t / t0)^-nu at t seconds after writing, t >= t0 = ``drift_start``; before t0 nothing has drifted."""
    G = _cells(G)
    t = float(numbers("time since writing", t, code="T405"))
    if not 0 <= t < np.inf:
        raise error("T405", f"time since writing is {t} s")
    if t <= limits.drift_start or not (limits.drift or limits.drift_spread):
        return G
    nu = limits.drift
    if limits.drift_spread:
        nu = nu + limits.drift_spread * _normals(G.shape, 0, DRIFT, stream, seed)
    return G * (t / limits.drift_start) ** -nu


def read(G: ArrayLike, limits: CellLimits, *, tick: int, seed: int = 0, stream: int = 0) -> NDArray[np.float64]:
    """Return G as one reading sees it; ``tick`` numbers the readings."""
    G = _cells(G)
    return G * (1 + limits.read * _normals(G.shape, tick, READ, stream, seed)) if limits.read else G


def _cells(G: ArrayLike) -> NDArray[np.float64]:
    """Return conductances as float64. Errors: T403 where one is negative or not finite."""
    array = numbers("a conductance", G)
    if not (np.isfinite(array).all() and (array >= 0).all()):
        raise error(
            "T403",
            "a conductance is negative or not finite",
            notes=[f"cell {np.argwhere(~(array >= 0) | ~np.isfinite(array))[0].tolist()}"],
        )
    return array


def _normals(shape: tuple[int, ...], tick: int, draw: int, stream: int, seed: int) -> NDArray[np.float64]:
    counters(seed, stream)
    count("tick", tick, below=MOST_TICK)
    cells = np.arange(int(np.prod(shape))).reshape(shape)
    return philox.normal(philox.words(cells, tick=tick, draw=draw, stream=stream, seed=seed), FLOAT)


def _uniforms(shape: tuple[int, ...], draw: int, stream: int, seed: int) -> NDArray[np.float64]:
    counters(seed, stream)
    cells = np.arange(int(np.prod(shape))).reshape(shape)
    block = philox.words(cells, tick=0, draw=draw, stream=stream, seed=seed)
    return philox.uniform(block[0], block[1], FLOAT)
