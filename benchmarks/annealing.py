"""Simulated annealing of a +-J glass on an 800-node torus, against dwave-samplers in one run.

pip install dwave-samplers. Both cool geometrically over the same sweeps. Ours keeps 512 replicas in words of 64;
dwave's reads run one by one. Compared: spin updates a second of all replicas together, and the time until the best
energy that either finds.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from timing import show

import thermoc as tc
from thermoc import physics

ROWS, COLUMNS, REPLICAS, SWEEPS = 20, 40, 512, 1000
HOT, COLD = 3.0, 0.2


def glass() -> Any:
    """Return couplings -1 and +1 on the periodic lattice."""
    place = np.arange(ROWS * COLUMNS).reshape(ROWS, COLUMNS)
    J, rng = np.zeros((place.size, place.size)), np.random.default_rng(7)
    for axis in (0, 1):
        other = np.roll(place, -1, axis)
        J[place, other] = J[other, place] = rng.choice([-1.0, 1.0], place.shape)
    return csr_array(J)


def ours(J: Any, threads: int):
    """Return a function seed -> best energy: one tick is a whole cooling."""
    T = np.geomspace(HOT, COLD, SWEEPS)[:, np.newaxis]
    with tc.Network("glass") as net:
        start = tc.constant(np.ones(J.shape[0]))
        tc.output("s", tc.gibbs_sweeps(start, T, J, sweeps=SWEEPS, draws="replica"))
    exe = tc.compile(net, "sim", threads=threads)

    def anneal(seed: int) -> float:
        return float(physics.ising_energy(exe.run(batch=REPLICAS, seed=seed)["s"][0], J).min())

    return anneal


def main() -> None:
    """Print updates a second and times to the best energy."""
    from dwave.samplers import SimulatedAnnealingSampler  # pyright: ignore

    J, rows = glass(), []
    best = min(ours(J, 2)(seed) for seed in range(20))
    for threads in (1, 2):
        anneal = ours(J, threads)
        anneal(0)
        start = time.perf_counter()
        reached = next((k for k in range(200) if anneal(1000 + k) <= best), None)
        found = time.perf_counter() - start
        start = time.perf_counter()
        for seed in range(3):
            anneal(seed)
        rate = 3 * REPLICAS * SWEEPS * J.shape[0] / (time.perf_counter() - start)
        rows.append(
            {"sampler": f"thermoc, {threads} threads", "M updates/s": rate / 1e6, "s to best": found, "calls": reached}
        )
    sampler, couplings = SimulatedAnnealingSampler(), {}
    for i, j in zip(*J.nonzero()):
        if i < j:
            couplings[int(i), int(j)] = -float(J[i, j])
    given = {"beta_range": (1 / HOT, 1 / COLD), "num_sweeps": SWEEPS}
    start = time.perf_counter()
    sampler.sample_ising({}, couplings, num_reads=32, seed=1, **given)
    rate = 32 * SWEEPS * J.shape[0] / (time.perf_counter() - start)
    start, reached = time.perf_counter(), None
    for seed in range(40):
        if sampler.sample_ising({}, couplings, num_reads=32, seed=seed, **given).first.energy <= best:
            reached = seed
            break
    found = time.perf_counter() - start
    rows.append({"sampler": "dwave-samplers", "M updates/s": rate / 1e6, "s to best": found, "calls": reached})
    for row in rows:
        row["updates / dwave's"] = row["M updates/s"] / rows[-1]["M updates/s"]
        row["dwave's time / it"] = rows[-1]["s to best"] / row["s to best"]
    show(f"+-J glass, {J.shape[0]} nodes, {REPLICAS} replicas, {SWEEPS} sweeps; best energy {best:g}", rows)


if __name__ == "__main__":
    main()
