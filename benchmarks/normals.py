"""Standard normals that are a function of a counter, against NumPy's of the same generator (Philox), one thread each.

    python benchmarks/normals.py [--quick]

NumPy's are a stream by the ziggurat method; ours are one Philox block each, by Box and Muller, so that any of them can
be made on its own. The last column is what the blocks alone take: no formula goes below it.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from timing import report, show

from thermoc.simulator.kernels.thermal import fill, fill_normals

COUNT = 8192
GOAL = 8.0


def nanoseconds(works: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Return the time of a number in the best round of each work; rounds alternate."""
    best = dict.fromkeys(works, np.inf)
    for work in works.values():
        work()
    for _ in range(rounds):
        for name, work in works.items():
            start = time.perf_counter()
            work()
            best[name] = min(best[name], (time.perf_counter() - start) / COUNT * 1e9)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    rounds = 50 if parser.parse_args().quick else 2000
    shown, rows = list[dict[str, object]](), []
    for dtype in (np.float64, np.float32):
        z, spare, name = np.empty(COUNT, dtype), np.empty(COUNT, dtype), np.dtype(dtype).name
        generator: Any = np.random.Generator(np.random.Philox(1))
        times = nanoseconds(
            {
                "NumPy": lambda g=generator, z=z, t=dtype: g.standard_normal(out=z, dtype=t),
                "thermoc": lambda z=z, v=spare: fill_normals(z, v, 0, 1, 0, 3, 12345),
                "blocks alone": lambda z=z, v=spare: fill(z, v, 0, 1, 0, 3, 12345),
            },
            rounds,
        )
        shown.append({"precision": name, **{f"{work} ns": time for work, time in times.items()}})
        ratio = times["NumPy"] / times["thermoc"]
        note = f"the blocks alone: {times['NumPy'] / times['blocks alone']:.3g}"
        work = f"normals, counter-based, {name}"
        rows.append(
            {"work": work, "anchor": "NumPy Philox", "ratio": ratio, "goal": GOAL, "better": "higher", "note": note}
        )
    show("nanoseconds a normal, one thread", shown)
    report(rows)


if __name__ == "__main__":
    main()
