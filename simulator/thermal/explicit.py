"""The heat equation on a plane grid by explicit Euler steps, several of them in each pass over the memory."""

from __future__ import annotations

from functools import partial
from itertools import pairwise

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from thermoc.simulator.arrays import count
from thermoc.simulator.cache import keep
from thermoc.simulator.kernels import heat_stencil
from thermoc.simulator.kernels.heat_stencil import DEPTH, Border
from thermoc.simulator.row_functions import CORES
from thermoc.simulator.thread_pool import spread
from thermoc.support.errors import error
from thermoc.support.suggestions import near

BOUNDARIES = ("insulated", "fixed")
_advance = keep(
    njit(heat_stencil.advance_rows.py_func, error_model="numpy", nogil=True), "steps of heat on a grid", 3.0
)


def explicit_steps(
    T: ArrayLike,
    fourier: float,
    steps: int,
    *,
    boundary: str = "insulated",
    T_boundary: float = 0.0,
    threads: int | None = None,
) -> NDArray:
    """Return T (rows, columns) after steps T' = T + F (sum of the four neighbours - 4 T), F = D dt / spacing^2 (P19).

    Order 1 in dt, 2 in the spacing, stable for F <= 1/4. ``boundary``: insulated, or fixed at T_boundary half a cell
    outside. The format is that of T, float32 or float64; bits depend neither on threads nor on how steps are split.
    Errors: T402 (not a plane grid), T403 (format), T404 (steps, threads, boundary), T405 (F).
    """
    before = np.array(T, order="C")
    if before.ndim != 2 or 0 in before.shape:
        raise error("T402", f"T has the shape {before.shape}", notes=["it must have rows and columns"])
    if before.dtype not in (np.float32, np.float64):
        raise error("T403", f"T is of {before.dtype}", hint="give it as float32 or float64")
    if not 0 < fourier <= 0.25:
        raise error("T405", f"F = D dt / spacing^2 is {fourier:g}", notes=["steps are stable for 0 < F <= 1/4"])
    if boundary not in BOUNDARIES:
        raise error(
            "T404",
            f"boundary is {boundary!r}",
            notes=[f"it must be one of {', '.join(BOUNDARIES)}"],
            hint=near(boundary, BOUNDARIES),
        )
    remaining, bands = count("steps", steps), count("threads", CORES if threads is None else threads, least=1)
    real = before.dtype.type
    border = Border(real(1), real(0)) if boundary == "insulated" else Border(real(-1), real(2 * T_boundary))
    ends = [len(before) * k // bands for k in range(bands + 1)]
    after, halt = np.empty_like(before), np.zeros(1, np.int64)
    while remaining > 0:
        settings = min(DEPTH, remaining), real(fourier), border, halt
        spread([partial(_advance, after, before, *band, *settings) for band in pairwise(ends)], halt)
        before, after, remaining = after, before, remaining - settings[0]
    return before
