"""Compiling: 1,000 ops under a second, the time an op constant from 100 to 10,000; importing: 50 ms over NumPy's."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from typing import Any

import numpy as np
from timing import report, show

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


def importing(code: str, times: int) -> float:
    """Return the median time a fresh interpreter takes for an import."""
    script = f"import time; s = time.perf_counter(); {code}; print(time.perf_counter() - s)"
    runs = [
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True) for _ in range(times)
    ]
    return statistics.median(float(run.stdout) for run in runs)


def main() -> None:
    """Print compile times by size and target, and import times."""
    quick, rows = "--quick" in sys.argv, []
    for target in ("sim", "onnx"):
        compiling(target, 100)
        for ops in (100, 1_000) if quick else (100, 1_000, 10_000):
            seconds = min(compiling(target, ops) for _ in range(1 if quick else 2))
            rows.append({"target": target, "ops": ops, "seconds": seconds, "us an op": 1e6 * seconds / ops})
    show("compile, artefact included", rows)
    alone, both = (importing(code, 3 if quick else 9) for code in ("import numpy", "import numpy, thermoc"))
    added = 1e3 * (both - alone)
    show("import", [{"numpy ms": 1e3 * alone, "numpy and thermoc ms": 1e3 * both, "added ms": added}])
    imports = {"work": "import thermoc", "anchor": "import numpy", "ratio": added, "goal": 50.0, "unit": "ms more"}
    report([*(goal for target in ("sim", "onnx") for goal in goals(target, rows)), {**imports, "better": "lower"}])


def goals(target: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of the report of one target."""
    found = {row["ops"]: row for row in rows if row["target"] == target}
    most = max(found)
    growth = found[most]["us an op"] / found[100]["us an op"]
    thousand = {"work": f"compile 1,000 ops for {target}", "anchor": "", "ratio": found[1_000]["seconds"], "unit": "s"}
    each = {"work": f"time an op, {most:,} ops for {target}", "anchor": "100 ops", "ratio": growth, "goal": 1.25}
    return [{**thousand, "goal": 1.0, "better": "lower"}, {**each, "better": "lower"}]


if __name__ == "__main__":
    main()
