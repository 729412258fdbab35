"""Dense layers, a rectifier between them: a checked step of a session against NumPy and onnxruntime, one thread each.

NumPy runs the layers as one writes them, on OpenBLAS; onnxruntime runs our own file of them (float32,
``intra_op_num_threads`` 1, all else by default). Batch 1 and 128; rounds alternate.
"""

from __future__ import annotations

import argparse
import math
import os
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import numpy as np
from timing import report, seconds

import thermoc as tc

SIZES = ((64, 32, 10), (784, 500, 10))
BATCHES = (1, 128)
NUMPY_GOAL, ONNX_GOAL = 1.1, 1.5
Layers = list[tuple[np.ndarray, np.ndarray]]
Work = Callable[[], Any]


def layers(sizes: tuple[int, ...], dtype: str) -> Layers:
    """Return weights (out, in) and biases (out,) of each layer."""
    rng = np.random.default_rng(0)
    return [
        (rng.normal(size=(m, n)).astype(dtype) / np.sqrt(n, dtype=dtype), rng.normal(size=m).astype(dtype))
        for n, m in pairwise(sizes)
    ]


def network(weights: Layers) -> tc.Network:
    """Return the layers as a network."""
    (w1, b1), (w2, b2) = weights
    with tc.Network("layers") as net:
        hidden = tc.maximum(tc.affine(tc.input("x", (w1.shape[1],)), w1, b1), 0.0)
        tc.output("y", tc.affine(hidden, w2, b2))
    return net


def numpy_layers(x: np.ndarray, weights: Layers) -> np.ndarray:
    """Return the outputs, as one writes it in NumPy."""
    (w1, b1), (w2, b2) = weights
    return np.maximum(x @ w1.T + b1, 0) @ w2.T + b2


def onnx_layers(x: np.ndarray, weights: Layers) -> Work | None:
    """Return onnxruntime's run of our file; None where it is not installed."""
    try:
        import onnxruntime
    except ImportError:
        return None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layers.onnx"
        tc.compile(network(weights), "onnx").save(path)
        session = onnxruntime.InferenceSession(path.read_bytes(), options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, {"x": x})[0]


def best(works: dict[str, Work], rounds: int) -> dict[str, float]:
    """Return the least seconds a call of each, over rounds in which they take turns."""
    repeat = {name: max(1, int(1e-3 / seconds(work, 3))) for name, work in works.items()}
    turns = [{name: seconds(work, repeat[name]) for name, work in works.items()} for _ in range(rounds)]
    return {name: min(turn[name] for turn in turns) for name in works}


def rows(sizes: tuple[int, ...], dtype: str, batch: int, rounds: int) -> list[dict[str, Any]]:
    """Return a row for each peer."""
    weights = layers(sizes, dtype)
    x = np.random.default_rng(1).random((batch, sizes[0])).astype(dtype)
    session = tc.compile(network(weights), "sim", precision=dtype, threads=1).start(batch=batch)
    works: dict[str, Work] = {"ours": lambda: session.step({"x": x})["y"], "NumPy": lambda: numpy_layers(x, weights)}
    onnx = onnx_layers(x, weights) if dtype == "float32" else None
    if onnx is not None:
        works["onnxruntime"] = onnx
    for work in works.values():
        np.testing.assert_allclose(work(), numpy_layers(x, weights), atol=1e-4)
    times = best(works, rounds)
    work = f"{'-'.join(map(str, sizes))}, {dtype}, batch {batch}"
    anchors = {"NumPy": NUMPY_GOAL, **({"onnxruntime": ONNX_GOAL} if dtype == "float32" else {})}
    return [
        {
            "work": work,
            "anchor": name,
            "ratio": times["ours"] / times[name] if name in times else math.nan,
            "goal": goal,
            "better": "lower",
            "note": f"{1e6 * times['ours']:.3g} us" if name in times else "not installed",
        }
        for name, goal in anchors.items()
    ]


def main() -> None:
    """Print a row a network, precision, batch and peer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    rounds = 15 if parser.parse_args().quick else 100
    cases = [(sizes, dtype, batch) for sizes in SIZES for dtype in ("float64", "float32") for batch in BATCHES]
    report([row for case in cases for row in rows(*case, rounds)])


if __name__ == "__main__":
    main()
