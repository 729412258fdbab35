"""Explicit steps of heat on 4096 x 4096 cells, two threads, against a plain stencil in Numba and the memory's speed.

The plain stencil takes a step a sweep, over rows in parallel. A step that is not blocked in time reads and writes each
cell once: the time of a copy, which Numba's two threads make too, is the least it can take.
"""

from __future__ import annotations

import os
import sys
from statistics import median

os.environ.setdefault("NUMBA_NUM_THREADS", str(min(2, os.cpu_count() or 1)))

import numpy as np
from numba import njit, prange
from timing import report, seconds, show

from thermoc.simulator.thermal import explicit_steps

QUICK = "--quick" in sys.argv
SIZE, FOURIER, STEPS = 1024 if QUICK else 4096, 0.2, 16
THREADS = int(os.environ["NUMBA_NUM_THREADS"])


@njit(parallel=True)
def sweep(after, T, fourier):
    """A step of all cells but those at the border."""
    rows, columns = T.shape
    for i in prange(1, rows - 1):
        for j in range(1, columns - 1):
            around = (T[i - 1, j] + T[i + 1, j]) + (T[i, j - 1] + T[i, j + 1])
            after[i, j] = T[i, j] + fourier * (around - 4 * T[i, j])


@njit(parallel=True)
def copy(after, T):
    """after = T."""
    for i in prange(T.shape[0]):
        after[i] = T[i]


def case(precision: str) -> dict[str, object]:
    """Time so many steps of each."""
    T = np.random.default_rng(0).random((SIZE, SIZE)).astype(precision)
    rooms, fourier = [T.copy(), T.copy()], T.dtype.type(FOURIER)

    def swept() -> None:
        for k in range(STEPS):
            sweep(rooms[1 - k % 2], rooms[k % 2], fourier)

    def copied() -> None:
        for k in range(STEPS):
            copy(rooms[1 - k % 2], rooms[k % 2])

    works = {"ours": lambda: explicit_steps(T, FOURIER, STEPS, threads=THREADS), "plain Numba": swept, "copy": copied}
    for work in works.values():
        work()
    rounds = [{name: seconds(work, 1) for name, work in works.items()} for _ in range(3 if QUICK else 9)]
    times = {f"{name}, ms a step": 1e3 * min(r[name] for r in rounds) / STEPS for name in works}
    speeds = {f"{name} / ours": median(r[name] / r["ours"] for r in rounds) for name in works if name != "ours"}
    return {"case": precision, **times, **speeds}


def main() -> None:
    """Print the times and what is asked for."""
    rows = [case(precision) for precision in ("float64", "float32")]
    show(f"{STEPS} steps of {SIZE} x {SIZE} cells, {THREADS} threads", rows)
    named = {row["case"]: f"heat stencil {SIZE}^2, {row['case']}, t{THREADS}" for row in rows}
    anchors = {"plain Numba": 2.0, "copy": 1.0}
    report(
        [
            {
                "work": named[row["case"]],
                "anchor": name,
                "ratio": row[f"{name} / ours"],
                "goal": goal,
                "better": "higher",
            }
            for name, goal in anchors.items()
            for row in rows
        ]
    )


if __name__ == "__main__":
    main()
