"""A network of coupled units, exact in law: steps a second against thermox (goal: 10x at d = 1000, 4x at 100).

thermox runs in an environment of its own, whose Python is the one argument: python benchmarks/ou_network.py PYTHON
Both sample dx = -K x dt + sqrt(2) dW with the same K, prepared beforehand; rounds alternate, the best of each counts.
"""

from __future__ import annotations

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

STEPS = {100: 20_000, 1000: 2_000}
DT, ROUNDS = 0.1, 3


def stiffness(d: int) -> np.ndarray:
    """Return K = 1 + G G^T / d."""
    G = np.random.default_rng(0).normal(size=(d, d))
    return np.eye(d) + G @ G.T / d


def best(work: Callable[[int], object], steps: int) -> float:
    """Return steps a second of the best call after the first."""
    work(0)
    times = []
    for seed in range(ROUNDS):
        start = time.perf_counter()
        work(seed)
        times.append(time.perf_counter() - start)
    return steps / min(times)


def thermox_steps(d: int, precision: str) -> float:
    """Return thermox's steps a second; runs in its own environment."""
    import jax  # pyright: ignore[reportMissingImports]
    import thermox  # pyright: ignore[reportMissingImports]

    jax.config.update("jax_enable_x64", precision == "float64")
    zeros, K, D = (jax.numpy.array(a, precision) for a in (np.zeros(d), stiffness(d), 2 * np.eye(d)))
    A, D = thermox.preprocess(K, D)
    times = jax.numpy.arange(STEPS[d] + 1) * DT
    return best(
        lambda s: thermox.sample(jax.random.PRNGKey(s), times, zeros, A, zeros, D).block_until_ready(), STEPS[d]
    )


def our_steps(d: int, precision: str, threads: int) -> float:
    """Return ours."""
    import thermoc as tc
    from thermoc import simulator
    from thermoc.backends.sim.emit import emit

    with tc.Network("ou", dt=DT) as net:
        tc.output("x", tc.ou_network(stiffness(d), 1.0))
    program = emit(tc.compile(net, "sim", precision=precision).graph)
    return best(lambda s: simulator.run(program, {}, ticks=STEPS[d], batch=1, seed=s, threads=threads), STEPS[d])


def main(python: str) -> None:
    """Print steps a second and ratios."""
    from timing import show

    rows = []
    for d in STEPS:
        for precision in ("float32", "float64"):
            asked = [python, __file__, "--thermox", str(d), precision]
            theirs = float(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)
            one, two = our_steps(d, precision, 1), our_steps(d, precision, 2)
            row = {"d": d, "precision": precision, "thermox": theirs, "one thread": one, "two threads": two}
            rows.append({**row, "ratio, one": one / theirs})
    show("steps a second of one chain; thermox on one thread", rows)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--thermox"]:
        print(thermox_steps(int(sys.argv[2]), sys.argv[3]))
    elif len(sys.argv) == 2:
        main(sys.argv[1])
    else:
        print("skipped: name the Python of an environment that has thermox")
