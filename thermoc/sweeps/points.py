"""Which points a sweep has: a grid, or points drawn at random, by Sobol's sequence or a Latin hypercube."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from thermoc.support.array_types import FloatArray
from thermoc.support.errors import error
from thermoc.sweeps.axes import CODE, Axis

METHODS = ("grid", "random", "sobol", "latin_hypercube")
MOST = 10_000_000
"""Points of a sweep: their values are held in memory."""

Point = tuple[Any, ...]
"""A value for each axis, in the order of the axes."""


def points_of(axes: Sequence[Axis], method: str, count: int | None, seed: int) -> list[Point]:
    """Return the points of a sweep, the last axis fastest.

    Drawn points are run from every seed: an axis of seeds is never drawn from. Errors: T520.
    """
    if method == "grid":
        if count is not None:
            raise error(CODE, "a grid has as many points as its axes say", hint="leave count away")
        return _grid(axes)
    if count is None:
        raise error(CODE, f"method {method!r} needs a count of points", hint="give count")
    drawn = [axis for axis in axes if axis.kind != "seed"]
    seeds = [axis for axis in axes if axis.kind == "seed"]
    if not drawn:
        raise error(CODE, f"method {method!r} has nothing to draw", hint='name a parameter, or method = "grid"')
    shares = unit_cube(method, len(drawn), count, seed)
    repeats = _grid(seeds)
    _check_count(count * len(repeats))
    rows = [tuple(axis.at(float(u)) for axis, u in zip(drawn, row)) for row in shares]
    return [(*row, *repeat) for row in rows for repeat in repeats]


def unit_cube(method: str, axes: int, count: int, seed: int) -> FloatArray:
    """Return points (count, axes) of the unit cube: independent, scrambled Sobol, or Latin hypercube (SciPy's qmc)."""
    rng = np.random.default_rng(seed)
    if method == "random":
        return rng.random((count, axes))
    from scipy.stats import qmc

    # by this name in every SciPy that thermoc takes; the newest call it rng too
    drawn: dict[str, Any] = {"seed": rng}
    if method == "latin_hypercube":
        return qmc.LatinHypercube(axes, **drawn).random(count)
    with warnings.catch_warnings():  # the balance of a power of two is the user's choice
        warnings.simplefilter("ignore", UserWarning)
        return qmc.Sobol(axes, **drawn).random(count)


def _grid(axes: Sequence[Axis]) -> list[Point]:
    values = [axis.grid() for axis in axes]
    _check_count(math.prod(map(len, values)))
    return list(itertools.product(*values))


def _check_count(count: int) -> None:
    if count > MOST:
        notes = [f"there would be {count:,}", f"the limit is {MOST:,}"]
        raise error(CODE, "the sweep has too many points", notes=notes, hint="take fewer steps, or draw points")
