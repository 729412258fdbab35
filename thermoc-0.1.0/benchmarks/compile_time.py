"""Compiling: 1,000 ops under a second, the time an op constant from 100 to 10,000; importing: 50 ms over NumPy's."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

import numpy as np
from timing import show

import thermoc as tc
from thermoc.ir.graph import Graph


def chain(ops: int) -> Graph:
    """Return a network of about ``ops`` ops: layers of affine, activation, noise, state."""
    rng = np.random.default_rng(0)
    with tc.Network("chain") as net:
        x = tc.input("x", (4,))
        while len(net._builder.ops) < ops:  # pyright: ignore[reportOptionalMemberAccess]
            x = tc.tanh(tc.affine(x, rng.normal(size=(4, 4)), rng.normal(size=4)) + tc.sin(x))
            x = tc.delay(tc.thermal_relu(x, T=0.1)) * tc.uniform(shape=(4,))
        tc.output("y", x)
    return net.graph


def compiling(target: str, ops: int) -> float:
    """Return the time of a compile, artefact included."""
    graph = chain(ops)
    start = time.perf_counter()
    tc.compile(graph, target).artefact  # noqa: B018
    return time.perf_counter() - start


def importing(code: str) -> float:
    """Return the median time a fresh interpreter takes for an import."""
    script = f"import time; s = time.perf_counter(); {code}; print(time.perf_counter() - s)"
    runs = [
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True) for _ in range(9)
    ]
    return statistics.median(float(run.stdout) for run in runs)


def main() -> None:
    """Print compile times by size and target, and import times."""
    rows = []
    for target in ("sim", "onnx"):
        compiling(target, 100)
        for ops in (100, 1_000, 10_000):
            seconds = min(compiling(target, ops) for _ in range(2))
            rows.append({"target": target, "ops": ops, "seconds": seconds, "us an op": 1e6 * seconds / ops})
    show("compile, artefact included", rows)
    alone, both = importing("import numpy"), importing("import numpy, thermoc")
    show("import", [{"numpy ms": 1e3 * alone, "numpy and thermoc ms": 1e3 * both, "added ms": 1e3 * (both - alone)}])


if __name__ == "__main__":
    main()
