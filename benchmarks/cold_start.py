"""From a new process to the first result of the digits: kernels compiled (empty cache), and read from the cache.

Each figure is the least of a few processes, by the clock on the wall; what it is made of is the processor's time of the
fastest. Bytecode is compiled beforehand, as an installer does.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

from timing import report, show

EMPTY_GOAL, KEPT_GOAL = 15.0, 0.4
STAGES = """
import json, time
marks = [("python", 0.0)]
def mark(name):
    marks.append((name, time.process_time()))
mark("start")
import numpy
mark("import numpy")
import thermoc as tc
from thermoc import demo
mark("import thermoc")
net, images = demo.network(), demo.digits().test_images[:1]
mark("load the network")
exe = tc.compile(net, "sim")
exe.artefact
mark("compile")
import numba
mark("import numba")
import thermoc.simulator.session
from numba.core.registry import cpu_target
cpu_target.target_context.refresh()
mark("numba's registries, SciPy's BLAS")
exe.run({"pixels": images})["probs"]
mark("kernels, first result")
print(json.dumps([(name, end - begun) for (_, begun), (name, end) in zip(marks, marks[1:])]))
"""


def process(cache: str, bytecode: str) -> tuple[float, dict[str, float]]:
    """Return the seconds of a new process with a folder of kernels, and the processor's time of each stage."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment = {**kept, "THERMOC_CACHE": cache, "PYTHONPYCACHEPREFIX": bytecode}
    start = time.perf_counter()
    run = subprocess.run([sys.executable, "-c", STAGES], env=environment, capture_output=True, text=True, check=True)
    return time.perf_counter() - start, dict(json.loads(run.stdout))


def main() -> None:
    """Print both figures beside their goals, and what they are made of."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer processes; the empty cache's also writes bytecode")
    few = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as folder:
        bytecode = os.path.join(folder, "bytecode")
        first = process(os.path.join(folder, "kept"), bytecode)
        # the first also writes bytecode, which an installer has done
        empty = first if few else min(process(os.path.join(folder, f"empty {k}"), bytecode) for k in range(3))
        kept = min(process(os.path.join(folder, "kept"), bytecode) for _ in range(1 if few else 9))
    stages: list[dict[str, object]] = [
        {"stage": name, "empty s": empty[1][name], "kept s": kept[1][name]} for name in kept[1]
    ]
    show("processor's time of the process", stages)
    cases = {"empty cache": (empty, EMPTY_GOAL), "kernels kept": (kept, KEPT_GOAL)}
    report(
        [
            {
                "work": f"first result, {name}",
                "anchor": "a new process",
                "ratio": wall,
                "unit": "s",
                "goal": goal,
                "better": "lower",
                "note": f"{sum(spent.values()):.2g} s of the processor's time",
            }
            for name, ((wall, spent), goal) in cases.items()
        ]
    )


if __name__ == "__main__":
    main()
