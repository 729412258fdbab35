"""Simulated annealing against dwave-samplers in one run: a +-J glass on an 800-node torus, and integer weights.

pip install dwave-samplers. Compared are spin updates a second, of all replicas together, and the time to the best
energy: the median over seeds of the time, from the first call on, until a read comes as low as the lowest of
dwave's TRIAL reads from other seeds. A call of ours anneals 512 replicas, packs and unpacks them and computes their
energies; one of dwave's is 32 reads. Each side takes, of some numbers of sweeps, the one that is soonest. Both cool
geometrically between the same temperatures. The integer weights are a random graph with 800 nodes and 19,176 edges as
G1 of the G-set has, of weights -3 to 3.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from math import inf, isfinite, nan
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from timing import report, show

import thermoc as tc

ROWS, COLUMNS, EDGES, REPLICAS, READS = 20, 40, 19_176, 512, 32
QUICK = "--quick" in sys.argv
TRIAL, SEEDS, LIMIT, ROUNDS = (32, 1, 1.0, 1) if QUICK else (512, 9, 20.0, 9)
Anneal = Callable[[int], float]


def glass() -> Any:
    """Return couplings -1 and +1 on the periodic lattice."""
    place = np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS)
    J, rng = np.zeros((place.size, place.size)), np.random.default_rng(7)
    for axis in (0, 1):
        other = np.roll(place, -1, axis)
        J[place, other] = J[other, place] = rng.choice([-1.0, 1.0], place.shape)
    return csr_array(J)


def weighted() -> Any:
    """Return couplings of -3 to 3 between pairs drawn at random."""
    n, rng = ROWS * COLUMNS, np.random.default_rng(3)
    J, (rows, columns) = np.zeros((n, n)), np.triu_indices(n, 1)
    drawn = rng.choice(len(rows), EDGES, replace=False)
    J[rows[drawn], columns[drawn]] = rng.choice([-3.0, -2.0, -1.0, 1.0, 2.0, 3.0], EDGES)
    return csr_array(J + J.T)


def ours(J: Any, span: tuple[float, float], sweeps: int, threads: int) -> Anneal:
    """Return a function seed -> best energy: one tick is a whole cooling."""
    T = np.geomspace(*span, sweeps)[:, np.newaxis]
    with tc.Network("annealing") as net:
        start = tc.constant(np.ones(J.shape[0]))
        tc.output("s", tc.gibbs_sweeps(start, T, J, sweeps=sweeps, draws="replica"))
    exe, couplings = tc.compile(net, "sim", threads=threads, precision="float32"), J.astype(np.float32)

    def anneal(seed: int) -> float:
        # whole numbers below 2^24: exact in float32
        s = np.ascontiguousarray(exe.run(batch=REPLICAS, seed=seed)["s"][0].T, np.float32)
        return float(-((couplings @ s) * s).sum(axis=0).max() / 2)

    return anneal


def dwave(J: Any, span: tuple[float, float], sweeps: int, reads: int) -> Anneal:
    """Return dwave's, from the same temperatures. Raises ImportError."""
    from dwave.samplers import SimulatedAnnealingSampler  # pyright: ignore

    couplings = {(int(i), int(j)): -float(J[i, j]) for i, j in zip(*J.nonzero()) if i < j}
    given = {"num_reads": reads, "num_sweeps": sweeps, "beta_range": (1 / span[0], 1 / span[1])}
    sampler = SimulatedAnnealingSampler()
    return lambda seed: float(sampler.sample_ising({}, couplings, seed=seed, **given).first.energy)  # pyright: ignore


def seconds_to(best: float, anneal: Anneal, first: int) -> float:
    """Return the time until a call comes as low as ``best``; infinite beyond the limit."""
    start = time.perf_counter()
    for seed in range(first, first + 10_000):
        if anneal(seed) <= best:
            return time.perf_counter() - start
        if time.perf_counter() - start > LIMIT:
            break
    return inf


def soonest(best: float, make: Callable[[int], Anneal], choices: tuple[int, ...]) -> tuple[float, int]:
    """Return the least median over seeds, and its number of sweeps."""
    found = []
    for sweeps in choices:
        anneal = make(sweeps)
        anneal(0)
        found.append((statistics.median(seconds_to(best, anneal, 1000 * (k + 1)) for k in range(SEEDS)), sweeps))
    return min(found)


def compare(title: str, J: Any, span: tuple[float, float], sweeps: int, choices: tuple[int, ...]) -> dict[str, float]:
    """Print updates a second, the best of interleaved rounds, and times to dwave's best energy.

    Returns how much faster we are than dwave, with one thread.
    """
    choices = choices[-1:] if QUICK else choices
    works: dict[str, tuple[Callable[[int], Anneal], int]] = {
        "thermoc, 1 thread": (lambda k: ours(J, span, k, 1), REPLICAS),
        "thermoc, 2 threads": (lambda k: ours(J, span, k, 2), REPLICAS),
        "dwave-samplers": (lambda k: dwave(J, span, k, READS), READS),
    }
    anneals = {name: make(sweeps) for name, (make, _) in works.items()}
    for anneal in anneals.values():
        anneal(99)
    rates = dict.fromkeys(works, 0.0)
    for round_ in range(ROUNDS):
        for name, (_, samples) in works.items():
            start = time.perf_counter()
            anneals[name](round_)
            seconds = time.perf_counter() - start
            rates[name] = max(rates[name], samples * J.shape[0] * sweeps / seconds / 1e6)
    best = dwave(J, span, max(choices), TRIAL)(99)
    times = {name: soonest(best, make, choices) for name, (make, _) in works.items()}
    rows = [
        {
            "sampler": name,
            "M updates/s": rate,
            "s to that energy": times[name][0],
            "with sweeps": times[name][1],
        }
        for name, rate in rates.items()
    ]
    show(f"{title}; {sweeps} sweeps; dwave's best energy of {TRIAL} reads: {best:g}", rows)
    mine, theirs = "thermoc, 1 thread", "dwave-samplers"
    sooner = times[theirs][0] / times[mine][0] if isfinite(times[mine][0]) else nan
    return {"updates a second": rates[mine] / rates[theirs], "time to its best energy": sooner}


def main() -> None:
    """Both graphs."""
    graphs = (
        ("+-J glass, 800 nodes", glass(), (3.0, 0.2), 1000, (100, 300, 1000), (100.0, 12.0)),
        ("weights -3 to 3, 800 nodes, 19,176 edges", weighted(), (30.0, 3.0), 100, (30, 100, 300), (25.0, 5.0)),
    )
    rows: list[dict[str, Any]] = []
    for title, J, span, sweeps, choices, goals in graphs:
        try:
            found, note = compare(title, J, span, sweeps, choices), f"{REPLICAS} replicas, 1 thread"
        except ImportError:
            found, note = {"updates a second": nan, "time to its best energy": nan}, "not installed"
        for (what, ratio), goal in zip(found.items(), goals):
            work = f"annealing, {title}: {what}"
            rows.append(
                {
                    "work": work,
                    "anchor": "dwave-samplers",
                    "ratio": ratio,
                    "goal": goal,
                    "better": "higher",
                    "note": note,
                }
            )
    report(rows)


if __name__ == "__main__":
    main()
