"""Optima proven by enumeration: 100 random QUBOs of 24 variables, and how often each sampler finds the least value.

Coefficients are whole numbers from -100 to 100, half of them 0. All 2^24 values are tried, a half of the variables at a
time; then each sampler has 8 replicas and so many sweeps. "auto" enumerates models as small as these, its own way.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from timing import report, show

from thermoc.apps import answers, minimise, read_problem
from thermoc.apps.optimisation.minimise import METHODS as SAMPLERS

METHODS = ("auto", *SAMPLERS)
UNITS, QUBOS, SWEEPS = (16, 10, 500) if "--quick" in sys.argv else (24, 100, 500)


def qubo(seed: int) -> np.ndarray:
    """Return an upper triangular matrix."""
    rng = np.random.default_rng(seed)
    return np.triu(rng.integers(-100, 101, (UNITS, UNITS)) * (rng.random((UNITS, UNITS)) < 0.5))


def least(Q: np.ndarray) -> int:
    """Return the least x.Q.x over all x of 0 and 1: x is cut into halves (a, b), and E = a.A.a + a.C.b + b.B.b."""
    half = UNITS // 2
    bits = (np.arange(2**half)[:, np.newaxis] >> np.arange(half)) & 1
    first, second = (((bits @ block) * bits).sum(axis=1) for block in (Q[:half, :half], Q[half:, half:]))
    fields = (bits @ Q[:half, half:]).astype(np.float32)
    lowest = np.inf
    for start in range(0, len(bits), 256):
        # whole numbers below 2^24: exact in float32
        values = fields[start : start + 256] @ bits.T.astype(np.float32) + second.astype(np.float32)
        lowest = min(lowest, float((values.min(axis=1) + first[start : start + 256]).min()))
    return int(lowest)


def main() -> None:
    """All samplers on all problems."""
    solved, seconds = dict.fromkeys(METHODS, 0), dict.fromkeys(METHODS, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(QUBOS):
            Q, path = qubo(seed), Path(folder) / "q.coo"
            entries = "\n".join(f"{i} {j} {Q[i, j]}" for i, j in np.argwhere(Q))
            path.write_text(f"{UNITS} {np.count_nonzero(Q)}\n{entries}\n")
            problem, optimum = read_problem(path), least(Q)
            for method in METHODS:
                start = time.perf_counter()
                samples = minimise(problem.model, method=method, seed=seed, replicas=8, sweeps=SWEEPS, threads=1)
                seconds[method] += time.perf_counter() - start
                solved[method] += answers(problem, samples)[0].objective == optimum
    title = f"{QUBOS} QUBOs of {UNITS} variables, 8 replicas, {SWEEPS} sweeps"
    show(title, [{"sampler": name, "solved": solved[name], "s": seconds[name]} for name in METHODS])
    row = {"work": f"optima proven by enumeration, {title}", "anchor": "enumeration", "goal": 1.0, "better": "higher"}
    best = max(SAMPLERS, key=lambda name: solved[name])
    note = f"auto; of the samplers, {best} solves {solved[best]}"
    report([{**row, "ratio": solved["auto"] / QUBOS, "note": note}])


if __name__ == "__main__":
    main()
