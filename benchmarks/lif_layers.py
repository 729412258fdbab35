"""784-1000-10 LIF units, 100 ticks, 128 samples: against snnTorch, Norse, and one dense product of all ticks.

    python benchmarks/lif_layers.py [--quick]      needs torch, snntorch and norse

All run in float32 on one thread, without gradients. The dense product is that of the inputs of all ticks, laid end to
end, with the first layer's weights in BLAS: the least that a simulator without events has to do (goal: 0.9 of its
speed). Where 5 % of the inputs are active the simulator goes by events (goal: 3 times its speed). THERMOC_TORCH names a
Python that has the frameworks, if this one has not. Rounds alternate and the least processor time of each counts.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from itertools import pairwise
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits
from timing import report, show

import thermoc as tc

QUICK = "--quick" in sys.argv
ROUNDS, TICKS, BATCH = (2 if QUICK else 5), (20 if QUICK else 100), 128
ACTIVITIES = {0.05: 3.0} if QUICK else {0.5: 0.9, 0.05: 3.0}
"""Shares of inputs that are active in a tick, and the goals against the dense product."""
SIZES = (784, 1000, 10)
KEEP, THRESHOLD = 0.9, 1.0
TORCH = """
import sys, time, torch
name, ticks, batch, activity, rounds = sys.argv[1], *map(int, sys.argv[2:4]), float(sys.argv[4]), int(sys.argv[5])
torch.set_num_threads(1)
torch.manual_seed(0)
x = (torch.rand(ticks, batch, 784) < activity).float()
layers = [torch.nn.Linear(784, 1000, bias=False), torch.nn.Linear(1000, 10, bias=False)]
if name == "snntorch":
    import snntorch
    units = [snntorch.Leaky(beta=0.9, threshold=1.0) for _ in layers]
    first = lambda: [unit.reset_mem() for unit in units]
else:
    from norse.torch import LIFBoxCell
    units = [LIFBoxCell() for _ in layers]
    first = lambda: [None, None]
def run():
    states, out = first(), []
    for now in x:
        for k, (layer, unit) in enumerate(zip(layers, units)):
            now, states[k] = unit(layer(now), states[k])
        out.append(now)
    return torch.stack(out)
with torch.no_grad():
    best = float("inf")
    for _ in range(rounds):
        start = time.process_time()
        run()
        best = min(best, time.process_time() - start)
print(best)
"""


def network(activity: float) -> tc.Network:
    """Return the network, whose hidden units fire about as often as the inputs are active, at most."""
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(m, n)) / np.sqrt(8 * n * activity) for n, m in pairwise(SIZES)]
    with tc.Network("lif", dt=1.0) as net:
        s = tc.input("x", SIZES[:1], role="spike")
        for W in weights:
            s, _ = tc.lif_step(tc.affine(s, W), KEEP, 1.0, v_threshold=THRESHOLD, reset="subtract")
        tc.output("s", s)
    return net


def peer(name: str, activity: float) -> float:
    """Return the least processor time of a framework, NaN where it is not installed."""
    python = os.environ.get("THERMOC_TORCH", sys.executable)
    command = [python, "-c", TORCH, name, *map(str, (TICKS, BATCH, activity, ROUNDS))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if "No module named" in done.stderr:
        return float("nan")
    done.check_returncode()
    return float(done.stdout)


def measure(activity: float, goal: float) -> list[dict[str, Any]]:
    """Print a table of one activity; return its rows beside their goals."""
    x = (np.random.default_rng(1).random((TICKS, BATCH, SIZES[0])) < activity).astype(np.float32)
    exe = tc.compile(network(activity), "sim", precision="float32", threads=1)
    weights = np.random.default_rng(2).normal(size=SIZES[:2]).astype(np.float32)
    flat = x.reshape(-1, SIZES[0])
    works = {"thermoc": lambda: exe.run({"x": x}, ticks=TICKS), "dense product": lambda: flat @ weights}
    best = dict.fromkeys(works, float("inf"))
    with threadpool_limits(1):
        for _ in range(1 + ROUNDS):
            for name, work in works.items():
                start = time.process_time()
                work()
                best[name] = min(best[name], time.process_time() - start)
    best |= {name: peer(name, activity) for name in ("snntorch", "norse")}
    show(f"{activity:.0%} of the inputs active", [{"way": name, "ms": 1e3 * s} for name, s in best.items()])
    return [
        {
            "work": f"784-1000-10 LIF, {activity:.0%} active",
            "anchor": name,
            "ratio": best[name] / best["thermoc"],
            "goal": goal if name == "dense product" else 1.0,
            "better": "higher",
            "note": "not installed" if np.isnan(best[name]) else "",
        }
        for name in best
        if name != "thermoc"
    ]


if __name__ == "__main__":
    report([row for activity, goal in ACTIVITIES.items() for row in measure(activity, goal)])
