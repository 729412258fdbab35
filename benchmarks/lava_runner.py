"""What thermoc's runner costs beside Lava alone: one network, the same steps, outputs read by sinks or by a Monitor.

    python benchmarks/lava_runner.py          needs the Python that ``thermoc doctor --install lava`` makes

A row a length: the whole time of ``exe.run`` (a process, the build, the steps, outputs and states), and of a script
that builds the same two processes by hand and reads the units by Monitor (goal: at most 1 from 1,000 steps on). Both
start Lava anew.
The samples rows say what samples beside each other cost against as many runs of one.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from timing import report

import thermoc as tc
from thermoc.backends.lava import interpreter
from thermoc.support.tables import table

UNITS = 200
QUICK = "--quick" in sys.argv
ROUNDS, STEPS = (1, 100) if QUICK else (3, 1000)
SCRIPT = """
import sys
import numpy as np
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.dense.process import Dense
from lava.proc.lif.process import LIF
from lava.proc.monitor.process import Monitor

given, steps = np.load(sys.argv[1]), int(sys.argv[2])
units = LIF(shape=(len(given["W"]),), bias_mant=given["bias"], du=2048, dv=128, vth=512)
synapses = Dense(weights=given["W"])
units.s_out.connect(synapses.s_in)
synapses.a_out.connect(units.a_in)
monitor = Monitor()
monitor.probe(units.s_out, steps)
units.run(condition=RunSteps(num_steps=steps), run_cfg=Loihi2SimCfg(select_tag="fixed_pt"))
(spikes,) = monitor.get_data()[units.name].values()
units.stop()
np.save(sys.argv[3], spikes)
"""


def main() -> None:
    work = {
        "work": f"a run of {STEPS:,} steps in Lava",
        "anchor": "Lava with a Monitor",
        "goal": 1.0,
        "better": "lower",
    }
    if interpreter.find() is None:
        return report([{**work, "ratio": float("nan"), "note": "Lava is not installed"}])
    rng = np.random.default_rng(0)
    W, bias = 2 * rng.integers(-20, 20, (UNITS, UNITS)), rng.integers(0, 2000, UNITS)
    exe = tc.compile(network(W, bias), target="lava")
    lengths = [length(exe, W, bias, ticks) for ticks in ((STEPS,) if QUICK else (100, STEPS))]
    print(table(f"{UNITS} units, seconds", lengths))
    if not QUICK:
        print(table("samples beside each other, seconds", [samples(exe, count) for count in (4, 16)]))
    report([{**work, "ratio": lengths[-1]["ratio"]}])


def network(W: NDArray, bias: NDArray) -> tc.Network:
    with tc.Network("runner") as net:
        fed = tc.placeholder((UNITS,), role="spike", dtype="i32")
        s, _, _ = tc.loihi.lif(tc.loihi.dense(fed, W), bias, du=2048, dv=128, vth=512)
        tc.connect(fed, s)
        tc.output("s", s)
    return net


def length(exe: tc.Executable, W: NDArray, bias: NDArray, ticks: int) -> dict[str, object]:
    """Return a row of one length, after the spikes of both were compared."""
    by_hand = monitored(W, bias, ticks)
    assert np.array_equal(exe.run(ticks=ticks)["s"][:, 0], by_hand), "both must run the same network"
    ours, theirs = alternate(lambda: exe.run(ticks=ticks), lambda: monitored(W, bias, ticks))
    return {"ticks": ticks, "thermoc": ours, "Lava with a Monitor": theirs, "ratio": ours / theirs}


def samples(exe: tc.Executable, count: int) -> dict[str, object]:
    """Return a row: one run of several samples, against that many runs of one."""
    together, one = alternate(lambda: exe.run(ticks=100, batch=count), lambda: exe.run(ticks=100))
    return {"samples": count, "together": together, "one by one": one * count, "ratio": together / one / count}


def alternate(first: Callable[[], object], second: Callable[[], object]) -> tuple[float, float]:
    """Return the median seconds of both."""
    rounds = [(seconds(first), seconds(second)) for _ in range(ROUNDS)]
    return statistics.median(a for a, _ in rounds), statistics.median(b for _, b in rounds)


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def monitored(W: NDArray, bias: NDArray, ticks: int) -> NDArray:
    """Return the spikes (ticks, units) of Lava alone."""
    with tempfile.TemporaryDirectory() as name:
        folder, environment = Path(name), os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        np.savez(folder / "given.npz", W=W, bias=bias)
        command = [
            str(interpreter.interpreter()),
            "-c",
            SCRIPT,
            str(folder / "given.npz"),
            str(ticks),
            str(folder / "s"),
        ]
        subprocess.run(command, check=True, timeout=600, env=environment)
        return np.load(folder / "s.npy")


if __name__ == "__main__":
    main()
