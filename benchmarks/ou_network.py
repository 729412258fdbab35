"""A network of coupled units, exact in law: steps a second against thermox (goal: 12x at d = 1000, 5x at 100).

    python benchmarks/ou_network.py [--quick] [--python PYTHON]

thermox runs in a process of its own, by the Python named if this one has none. Both sample dx = -K x dt + sqrt(2) dW
with the same K, prepared beforehand, on one thread; the best of some rounds counts.
"""

from __future__ import annotations

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"
os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import argparse
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

STEPS, QUICK = {100: 20_000, 1000: 2_000}, {100: 500}
GOALS = {100: 5.0, 1000: 12.0}
DT, ROUNDS = 0.1, 1 if "--quick" in sys.argv else 3


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


def thermox_steps(d: int, precision: str, steps: int) -> float:
    """Return thermox's steps a second; runs in its own environment."""
    import jax  # pyright: ignore[reportMissingImports]
    import thermox  # pyright: ignore[reportMissingImports]

    jax.config.update("jax_enable_x64", precision == "float64")
    zeros, K, D = (jax.numpy.array(a, precision) for a in (np.zeros(d), stiffness(d), 2 * np.eye(d)))
    A, D = thermox.preprocess(K, D)
    times = jax.numpy.arange(steps + 1) * DT
    return best(lambda s: thermox.sample(jax.random.PRNGKey(s), times, zeros, A, zeros, D).block_until_ready(), steps)


def our_steps(d: int, precision: str, steps: int) -> float:
    """Return ours."""
    import thermoc as tc
    from thermoc import simulator
    from thermoc.backends.sim.emit import emit

    with tc.Network("ou", dt=DT) as net:
        tc.output("x", tc.ou_network(stiffness(d), 1.0))
    program = emit(tc.compile(net, "sim", precision=precision).graph)
    return best(lambda s: simulator.run(program, {}, ticks=steps, batch=1, seed=s, threads=1), steps)


def theirs(python: str, d: int, precision: str, steps: int) -> float:
    """Return thermox's steps a second, NaN where that Python has no thermox."""
    quick = [argument for argument in sys.argv if argument == "--quick"]
    asked = [python, __file__, "--thermox", str(d), precision, str(steps), *quick]
    done = subprocess.run(asked, capture_output=True, text=True)
    if "No module named" in done.stderr:
        return float("nan")
    done.check_returncode()
    return float(done.stdout)


def main() -> None:
    # here, for the process that runs thermox has no thermoc
    from timing import report, show

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="d = 100 in float64 alone, fewer steps")
    parser.add_argument("--python", default=sys.executable, help="one that has thermox")
    options = parser.parse_args()
    shown, rows = list[dict[str, object]](), []
    for d, steps in (QUICK if options.quick else STEPS).items():
        for precision in ("float64",) if options.quick else ("float32", "float64"):
            peer, ours = theirs(options.python, d, precision, steps), our_steps(d, precision, steps)
            shown.append({"d": d, "precision": precision, "thermox": peer, "thermoc": ours})
            work, note = f"OU network, d = {d}, {precision}", "" if peer == peer else "thermox is not installed"
            row = {"work": work, "anchor": "thermox", "ratio": ours / peer, "goal": GOALS[d], "better": "higher"}
            rows.append({**row, "note": note})
    show("steps a second of one chain, one thread", shown)
    report(rows)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--thermox"]:
        print(thermox_steps(int(sys.argv[2]), sys.argv[3], int(sys.argv[4])))
    else:
        main()
