"""Gibbs steps of a restricted Boltzmann machine, 784 x 500, 128 chains, float32 (goal: 1.2 of the time of two sgemm).

A step updates all hidden and all visible units of every chain. The bound is the two products of a step by NumPy's
BLAS, without noise, sigmoid or comparison; ours takes no product, but tables of sums, so it may pass it. "each state
kept" returns the state after every step, as a tick of one sweep does; the others run ``STEPS`` steps in a call.
Each number of threads is a process of its own, in which rounds alternate and the best of each counts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np

QUICK = "--quick" in sys.argv
VISIBLE, HIDDEN, CHAINS, STEPS, ROUNDS = 784, 500, 128, 10 if QUICK else 50, 2 if QUICK else 9
WARM_UP, KEPT = (5, 10) if QUICK else (100, 400)
Step = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def machine() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return weights (visible, hidden) and the biases of both layers."""
    rng = np.random.default_rng(0)
    W, b, c = 0.08 * rng.normal(size=(VISIBLE, HIDDEN)), 0.3 * rng.normal(size=VISIBLE), 0.3 * rng.normal(size=HIDDEN)
    return W.astype(np.float32), b.astype(np.float32), c.astype(np.float32)


def numpy_step() -> Step:
    """Return a step in NumPy."""
    W, b, c = machine()
    rng = np.random.default_rng(1)

    def up(drive: np.ndarray) -> np.ndarray:
        return (rng.random(drive.shape, np.float32) < 1 / (1 + np.exp(-drive))).astype(np.float32)

    def step(v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        h = up(v @ W + c)
        return up(h @ W.T + b), h

    return step


def torch_step(threads: int) -> Step:
    """Return a step in torch. Raises ImportError."""
    import torch  # pyright: ignore[reportMissingImports]

    torch.set_num_threads(threads)
    torch.manual_seed(1)
    W, b, c = map(torch.from_numpy, machine())

    def step(v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        h = torch.bernoulli(torch.sigmoid(torch.addmm(c, torch.from_numpy(v), W)))
        return torch.bernoulli(torch.sigmoid(torch.addmm(b, h, W.T))).numpy(), h.numpy()

    return step


def sklearn_step() -> Step:
    """Return scikit-learn's step, which keeps its hidden units to itself. Raises ImportError."""
    from sklearn.neural_network import BernoulliRBM

    W, b, c = machine()
    model = BernoulliRBM(n_components=HIDDEN)
    model.components_, model.intercept_visible_, model.intercept_hidden_ = np.ascontiguousarray(W.T), b, c
    model.random_state_ = np.random.RandomState(1)

    def step(v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        after = model.gibbs(v)
        return after.astype(np.float32), np.empty((0, 0))

    return step


def ours(sweeps: int) -> Callable[[int, int, int], np.ndarray]:
    """Return run(ticks, seed, threads), the states after each tick (ticks, CHAINS, units): hidden units go first."""
    import thermoc as tc
    from thermoc import simulator
    from thermoc.backends.sim.emit import emit

    W, b, c = machine()
    J = np.zeros((VISIBLE + HIDDEN,) * 2)
    J[:HIDDEN, HIDDEN:], J[HIDDEN:, :HIDDEN] = W.T, W
    with tc.Network("rbm") as net:
        bias = np.concatenate([c, b])
        tc.output("s", tc.gibbs(1.0, J, bias, levels="binary", initial=0.0, sweeps=sweeps))
    program = emit(tc.compile(net, "sim", precision="float32").graph)

    def run(ticks: int, seed: int, threads: int) -> np.ndarray:
        return simulator.run(program, {}, ticks=ticks, batch=CHAINS, seed=seed, threads=threads).outputs["s"]

    return run


def chain(step: Step, steps: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the states of a chain from 0."""
    v, seen = np.zeros((CHAINS, VISIBLE), np.float32), []
    for _ in range(steps):
        v, h = step(v)
        seen.append((v.mean(axis=1), h.mean(axis=1) if h.size else h))
    return seen


def measured(threads: int) -> list[dict[str, object]]:
    """Return steps a second of each, and the mean activations of both layers with their errors."""
    steps: dict[str, Step] = {}
    for name, make in {"NumPy": numpy_step, "torch": lambda: torch_step(threads), "scikit-learn": sklearn_step}.items():
        try:
            steps[name] = make()
        except ImportError:
            print(f"{name} is not installed: left out", file=sys.stderr)
    many, one = ours(STEPS), ours(1)
    W, (v, h) = machine()[0], (np.ones((CHAINS, n), np.float32) for n in (VISIBLE, HIDDEN))
    works: dict[str, Callable[[], object]] = {
        "two sgemm": lambda: [(v @ W, h @ W.T) for _ in range(STEPS)],
        "ours": lambda: many(1 + 1, 0, threads),  # the state shown at a tick is that before its sweeps
        "ours, each state kept": lambda: one(STEPS, 0, threads),
    }
    works |= {name: (lambda step=step: chain(step, STEPS)) for name, step in steps.items()}
    counts = {name: 2 * STEPS if name == "ours" else STEPS for name in works}
    best = dict.fromkeys(works, np.inf)
    for turn in range(ROUNDS + 1):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            if turn:
                best[name] = min(best[name], (time.perf_counter() - start) / counts[name])
    means = activations(one, steps, threads)
    bound = best["two sgemm"]
    return [
        {
            "threads": threads,
            "way": name,
            "steps/s": 1 / each,
            "of the bound": bound / each,
            **means.get(name, {"visible": "", "hidden": ""}),
        }
        for name, each in best.items()
    ]


def activations(
    one: Callable[[int, int, int], np.ndarray], steps: dict[str, Step], threads: int
) -> dict[str, dict[str, str]]:
    """Return the mean activations of both layers after the warm-up, with errors from the chains."""
    s = one(WARM_UP + KEPT, 1, threads)[WARM_UP:]
    series = {"ours": (s[..., HIDDEN:].mean(axis=2), s[..., :HIDDEN].mean(axis=2))}
    for name, step in steps.items():
        v, h = zip(*chain(step, WARM_UP + KEPT)[WARM_UP:])
        series[name] = np.stack(v), np.stack(h)

    def told(x: np.ndarray) -> str:
        chains = x.mean(axis=0)
        return f"{chains.mean():.5f} +- {chains.std(ddof=1) / np.sqrt(CHAINS):.5f}" if x.size else ""

    return {name: {"visible": told(v), "hidden": told(h)} for name, (v, h) in series.items()}


def main() -> None:
    """Print a row a way and number of threads."""
    from timing import report, show

    rows = []
    for threads in (1,) if QUICK else (1, 2):
        names = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
        held = {**os.environ, **dict.fromkeys(names, str(threads))}
        asked = [sys.executable, __file__, *sys.argv[1:], "--threads", str(threads)]
        rows += json.loads(subprocess.run(asked, env=held, stdout=subprocess.PIPE, text=True, check=True).stdout)
    show(f"Gibbs steps of {CHAINS} chains, {VISIBLE} x {HIDDEN}, float32", rows)
    report(
        [
            {
                "work": f"RBM {VISIBLE} x {HIDDEN}, {CHAINS} chains, {row['threads']} threads: time of a step",
                "anchor": "its two sgemm, NumPy on OpenBLAS",
                "ratio": 1 / row["of the bound"],
                "goal": 1.2,
                "better": "lower",
            }
            for row in rows
            if row["way"] == "ours"
        ]
    )


if __name__ == "__main__":
    if "--threads" in sys.argv:
        print(json.dumps(measured(int(sys.argv[-1]))))
    else:
        main()
