"""The simulator against the same layers in NumPy: a whole call of each, at batch 1 and 128."""

from __future__ import annotations

import argparse
import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import numpy as np
from onnx_artefact import B1, B2, RNG, T_HIDDEN, T_OUT, W1, W2
from timing import compare, report, show

import thermoc as tc
from thermoc import simulator
from thermoc.backends.sim.emit import emit

GOALS = {1: 3.0, 128: 1.1}
"""Of a whole run over NumPy's time, at each batch: a run is checked, and keeps what made it."""


def network() -> tc.Network:
    """Return the digits network."""
    with tc.Network("digits") as net:
        h = tc.thermal_relu(tc.affine(tc.input("x", (64,)), W1, B1), T=T_HIDDEN)
        tc.output("p", tc.boltzmann(-tc.affine(h, W2, B2), T=T_OUT))
    return net


def numpy_layers(x: np.ndarray, weights: list[np.ndarray]) -> np.ndarray:
    """Return the probabilities, as one writes it in NumPy."""
    w1, b1, w2, b2 = weights
    h = np.maximum(x @ w1.T + b1 - x.dtype.type(T_HIDDEN), 0)
    e = (h @ w2.T + b2) / x.dtype.type(T_OUT)
    p = np.exp(e - e.max(axis=-1, keepdims=True))
    return p / p.sum(axis=-1, keepdims=True)


def main() -> None:
    """Print the ratios: the engine alone on one thread and two, and a checked run through the front door."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer calls, and no large batch")
    quick = parser.parse_args().quick
    rows, goals = [], []
    for precision in ("float64", "float32"):
        exe = tc.compile(network(), "sim", precision=precision, threads=1)
        program = emit(exe.graph)
        weights = [w.astype(precision) for w in (W1, B1, W2, B2)]
        for batch in (1, 128) if quick else (1, 128, 1024):
            x = RNG.random((batch, 64)).astype(precision)
            timed = {"x": np.broadcast_to(x, (1, *x.shape))}
            assert np.abs(exe.run({"x": x})["p"][0] - numpy_layers(x, weights)).max() < 1e-5
            works = {
                "engine": lambda a=timed, n=batch, p=program: simulator.run(p, a, ticks=1, batch=n, threads=1),
                "2 threads": lambda a=timed, n=batch, p=program: simulator.run(p, a, ticks=1, batch=n, threads=2),
                "exe.run": lambda x=x, e=exe: e.run({"x": x}),
                "numpy": lambda x=x, w=weights: numpy_layers(x, w),
            }
            row = compare(f"{precision}, batch {batch}", "exe.run", works, repeat=5 if quick else 50)
            for other in ("2 threads", "engine"):
                row.pop(f"exe.run / {other}")
            rows.append(row)
            if batch in GOALS:
                shared = {"work": f"exe.run of the digits, {row['case']}", "anchor": "NumPy", "better": "lower"}
                goals.append({**shared, "ratio": row["exe.run / numpy"], "goal": GOALS[batch]})
    show("digits on the CPU; one thread where nothing else is said", rows)
    report(goals)


if __name__ == "__main__":
    main()
