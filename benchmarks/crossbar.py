"""A crossbar with wire resistance: currents of one input, cold and warm, against badcrossbar, a sparse LU and CrossSim.

Cells of 10 kilohms to a megohm, evenly over the decades, wires of 1 ohm, inputs up to 0.2 V. Every solver must reach
the LU's currents before it is timed: badcrossbar and ours to 1e-9, CrossSim's method (successive under-relaxation with
its own threshold, 2e-4 of the input, and the largest factor of 0.9, 0.8, ... with which it converges, found before the
clock starts; written again in NumPy, as it is not on PyPI) to 1e-3.
badcrossbar is timed where it is installed (pip install --no-deps badcrossbar==1.1.0 sigfig pathvalidate).
"""

from __future__ import annotations

import importlib
import io
import logging
import os
import statistics
import sys
import warnings
from collections.abc import Callable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
from timing import report, seconds, show

# the folder itself: this script has the name of the package that it would be
sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "crossbar"))

from circuits import assembled, random_cells  # pyright: ignore[reportMissingImports]
from scipy.sparse.linalg import splu

from thermoc.simulator.crossbar import Circuit

QUICK = "--quick" in sys.argv
SIZES, R, ROUNDS, MANY = (64,) if QUICK else (64, 128, 256), 1.0, 5, 16
Solver = Callable[[np.ndarray, np.ndarray], np.ndarray]


def ours(G: np.ndarray, V: np.ndarray) -> np.ndarray:
    """Return the currents, with nothing known before."""
    return Circuit(G=G, r_word=R, r_bit=R).solve(V).currents[0]


def heated(circuit: Circuit, V: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return the watts of each cell, and of each wire along and down."""
    found = circuit.solve(V)
    return found.cell_power, found.word_power, found.bit_power


def sparse_lu(G: np.ndarray, V: np.ndarray) -> Solver:
    """Return SciPy's SuperLU on the whole nodal matrix, which is put together before the clock starts."""
    matrix, source = assembled(G, V, R, R)

    def solve(G: np.ndarray, V: np.ndarray) -> np.ndarray:
        word, bit = splu(matrix).solve(source).reshape(2, *G.shape)
        return (G * (word - bit)).sum(axis=0)

    return solve


def cross_sim(G: np.ndarray, V: np.ndarray, factor: float) -> np.ndarray | None:
    """Return the currents by CrossSim's method: voltage drops of the currents so far, taken over in part.

    None where that diverges.
    """
    applied = np.broadcast_to(V[:, np.newaxis], G.shape)
    across = applied.copy()
    for _ in range(100):
        current = G * across
        along = np.cumsum(current[:, ::-1], axis=1)[:, ::-1]
        down = np.cumsum(current, axis=0)
        drops = R * np.cumsum(along, axis=1) + R * np.cumsum(down[::-1], axis=0)[::-1]
        missing = applied - drops - across
        if np.abs(missing).max() < 2e-4 * np.abs(V).max():
            return current.sum(axis=0)
        across += factor * missing
    return None


def bad_crossbar() -> Solver | None:
    """Return badcrossbar's solver, None where it is not installed; its drawing part may lack its library."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            package: Any = importlib.import_module("badcrossbar")
    except ImportError:
        return None
    warnings.filterwarnings("ignore", category=ImportWarning)
    logging.disable(logging.INFO)

    def solve(G: np.ndarray, V: np.ndarray) -> np.ndarray:
        with redirect_stdout(io.StringIO()):
            return package.compute(V[:, np.newaxis], 1 / G, R, node_voltages=False, all_currents=False).currents.output[
                0
            ]

    return solve


def tuned(G: np.ndarray, V: np.ndarray) -> Solver:
    """Return CrossSim's method with the largest factor that converges here."""
    factor = next(f for f in (0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1) if cross_sim(G, V, f) is not None)
    return lambda G, V: np.asarray(cross_sim(G, V, factor))


def solvers(G: np.ndarray, V: np.ndarray, bad: Solver | None) -> dict[str, tuple[Solver, float]]:
    """Return each solver and how near it must come."""
    found = {"cold": (ours, 1e-9), "sparse LU": (sparse_lu(G, V), 1e-9), "CrossSim's method": (tuned(G, V), 1e-3)}
    return found if bad is None else found | {"badcrossbar": (bad, 1e-9)}


def case(size: int, bad: Solver | None) -> dict[str, object]:
    """Time every solver on one crossbar in interleaved rounds."""
    G, V = random_cells(size, size), np.random.default_rng(1).uniform(0, 0.2, size)
    exact, known = sparse_lu(G, V)(G, V), solvers(G, V, bad)
    for name, (solve, near) in known.items():
        off = np.abs(solve(G, V) / exact - 1).max()
        assert off < near, f"{name} is {off:.1e} off"
    circuit = Circuit(G=G, r_word=R, r_bit=R)
    assert np.abs(circuit.currents(V) / exact - 1).max() < 1e-9
    circuit.solve(V)
    works: dict[str, Callable[[], object]] = {name: lambda s=solve: s(G, V) for name, (solve, _) in known.items()}
    many = np.random.default_rng(2).uniform(0, 0.2, (MANY, size))
    works |= {"warm": lambda: circuit.currents(V), "warm, cells too": lambda: circuit.solve(V)}
    works |= {"warm, heat too": lambda: heated(circuit, V), f"{MANY} warm, heat too": lambda: heated(circuit, many)}
    works["transfer, once"] = lambda: Circuit(G=G, r_word=R, r_bit=R).transfer
    repeats = {"cold": 5, "warm, cells too": 5, "warm, heat too": 5, "warm": 100}
    rounds = [{name: seconds(work, repeats.get(name, 1)) for name, work in works.items()} for _ in range(ROUNDS)]
    row: dict[str, object] = {"size": f"{size} x {size}"}
    row |= {f"{name} ms": 1e3 * statistics.median(r[name] for r in rounds) for name in works}
    others = [name for name in known if name != "cold"]
    return row | {f"{name} / cold": statistics.median(r[name] / r["cold"] for r in rounds) for name in others}


def main() -> None:
    """Print times and ratios for each size, and the goals."""
    bad = bad_crossbar()
    rows = [case(size, bad) for size in SIZES]
    show(f"one input, wires of {R:g} ohm, {os.cpu_count()} processors", rows)
    goals = {"badcrossbar / cold": 100.0, "sparse LU / cold": 50.0, "CrossSim's method / cold": 5.0}
    size = rows[-1]["size"]
    currents, cells, heat, many = (
        float(str(rows[-1][f"{name} ms"]))
        for name in ("warm", "warm, cells too", "warm, heat too", f"{MANY} warm, heat too")
    )
    print(
        f"warm start at {size}: {currents:.4f} ms, {cells:.2f} ms with the potentials of all cells, {heat:.2f} ms "
        f"with the heat of all cells and wires, {many / MANY:.2f} ms of each of {MANY} inputs (goal: 5)"
    )
    report(
        [
            {
                "work": f"crossbar with wires, {size}, cold",
                "anchor": name.removesuffix(" / cold"),
                "ratio": rows[-1].get(name, float("nan")),
                "goal": goal,
                "better": "higher",
                "note": "" if name in rows[-1] else "not installed",
            }
            for name, goal in goals.items()
        ]
    )


if __name__ == "__main__":
    main()
