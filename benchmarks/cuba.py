"""The CUBA network of Vogels and Abbott against Brian2's cpp_standalone (goals: 3x in float64, 4x in float32) and NEST
(goal: 5x).

    python benchmarks/cuba.py [--quick]      needs brian2 and a C++ compiler, and nest-simulator (Python 3.12)

All run the network of ``examples/cuba.py``, of 4,000 and 40,000 units, on one thread with the same connections, weights
and first potentials. Brian2 (float64) and NEST (float64) run scripts written by hand, each in a process of its own, as
their own examples are; THERMOC_NEST names a Python that has NEST, if this one has not. Only the run counts: no
building, no reading of files. Rounds alternate and the least processor time of each counts, which others on the machine
disturb less than the time on the wall. Trajectories are chaotic, rates are not: they are shown.
"""

from __future__ import annotations

import os
import runpy
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from timing import report, show

import thermoc as tc

cuba: Any = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[1] / "examples/cuba.py"), run_name="cuba"))
QUICK = "--quick" in sys.argv
ROUNDS = 1 if QUICK else 7
SECONDS = {4000: 0.2} if QUICK else {4000: 1.0, 40_000: 0.5}
"""Of biological time, by the number of units."""
GOALS = {("Brian2", "float64"): 3.0, ("Brian2", "float32"): 4.0, ("NEST", "float64"): 5.0, ("NEST", "float32"): 5.0}
LIMIT = 900
Way = Callable[[], tuple[float, int]]
"""Runs the network; returns processor time and spikes."""

BRIAN2 = """
import sys
import brian2 as b2, numpy as np
given, folder = np.load(sys.argv[1]), sys.argv[2]
n, seconds = len(given["first"]), float(given["seconds"])
b2.set_device("cpp_standalone", directory=folder, build_on_run=False)
b2.prefs.devices.cpp_standalone.openmp_threads = 0
b2.defaultclock.dt = float(given["dt"]) * b2.ms
units = b2.NeuronGroup(
    n,
    '''dv/dt = (ge + gi - (v - El)) / (20*ms) : volt (unless refractory)
    dge/dt = -ge / (5*ms) : volt
    dgi/dt = -gi / (10*ms) : volt''',
    threshold="v > -50*mV", reset="v = -60*mV", refractory=5 * b2.ms, method="exact", namespace={"El": -49 * b2.mV},
)
units.v = given["first"] * b2.mV
parts = []
for name, sign in (("ge", "excites"), ("gi", "inhibits")):
    made = b2.Synapses(units, units, on_pre=f"{name} += w", namespace={"w": float(given[sign + "_weight"]) * b2.mV})
    made.connect(i=given[sign + "_sources"], j=given[sign + "_targets"])
    parts.append(made)
spikes = b2.SpikeMonitor(units, record=False)
b2.device.insert_code("before_network_run", "const std::clock_t _began = std::clock();")
after = 'std::ofstream("cpu.txt") << double(std::clock() - _began) / CLOCKS_PER_SEC << " " << {};'
counted = b2.device.get_array_name(spikes.variables["N"]) + "[0]"
b2.device.insert_code("after_network_run", after.format(counted))
b2.Network(units, *parts, spikes).run(seconds * b2.second)
b2.device.build(directory=folder, compile=True, run=False)
"""
NEST = """
import sys, time
import nest, numpy as np
given = np.load(sys.argv[1])
nest.set_verbosity("M_ERROR")
nest.SetKernelStatus({"resolution": float(given["dt"]), "local_num_threads": 1})
# a capacity of 20 pF and a time of 20 ms: a current of 1 pA is 1 mV
unit = {"C_m": 20.0, "tau_m": 20.0, "E_L": -49.0, "V_th": -50.0, "V_reset": -60.0, "t_ref": 5.0, "I_e": 0.0}
units = nest.Create("iaf_psc_exp", len(given["first"]), unit | {"tau_syn_ex": 5.0, "tau_syn_in": 10.0})
units.V_m = list(given["first"])
for sign in ("excites", "inhibits"):
    sources, targets = given[sign + "_sources"] + 1, given[sign + "_targets"] + 1
    weights, delays = np.full(len(sources), float(given[sign + "_weight"])), np.full(len(sources), float(given["dt"]))
    synapses = {"synapse_model": "static_synapse", "weight": weights, "delay": delays}
    nest.Connect(sources, targets, "one_to_one", synapses)
nest.Prepare()
start = time.process_time()
nest.Run(1000 * float(given["seconds"]))
print(time.process_time() - start, nest.GetKernelStatus("local_spike_counter"))
"""


def given(n: int, file: Path) -> Path:
    """Write what every way needs to a file; return it."""
    sources, offsets = cuba.connectivity(n, 0)
    targets, excites = np.repeat(np.arange(n), np.diff(offsets)), sources < 4 * n // 5
    parts = {
        f"{sign}_{name}": array[chosen]
        for sign, chosen in (("excites", excites), ("inhibits", ~excites))
        for name, array in (("sources", sources), ("targets", targets))
    }
    weights = {"excites_weight": cuba.E_WEIGHT, "inhibits_weight": cuba.I_WEIGHT}
    np.savez(file, first=cuba.first_potentials(n, 0), dt=cuba.DT, seconds=SECONDS[n], **parts, **weights)
    return file


def brian2(file: Path, folder: Path) -> Way:
    """Build Brian2's program, and return what runs it."""
    subprocess.run(
        [sys.executable, "-c", BRIAN2, str(file), str(folder)], check=True, timeout=LIMIT, capture_output=True
    )

    def run() -> tuple[float, int]:
        subprocess.run([folder / "main"], cwd=folder, check=True, timeout=LIMIT, capture_output=True)
        seconds, spikes = (folder / "cpu.txt").read_text().split()
        return float(seconds), int(spikes)

    return run


def nest(file: Path) -> Way | None:
    """Return what runs NEST, or None where it is not installed."""
    python = os.environ.get("THERMOC_NEST", sys.executable)
    if subprocess.run([python, "-c", "import nest"], capture_output=True, timeout=LIMIT).returncode != 0:
        return None

    def run() -> tuple[float, int]:
        command = [python, "-c", NEST, str(file)]
        text = subprocess.run(command, check=True, timeout=LIMIT, capture_output=True, text=True).stdout
        seconds, spikes = text.strip().splitlines()[-1].split()
        return float(seconds), int(float(spikes))

    return run


def ours(n: int, precision: str) -> Way:
    """Return what runs the simulator."""
    exe = tc.compile(cuba.network(n), "sim", precision=precision, threads=1)
    exe.run(ticks=1)

    def run() -> tuple[float, int]:
        start = time.process_time()
        found = exe.run(ticks=round(SECONDS[n] / cuba.DT * 1000))
        return time.process_time() - start, int(found["spikes"].sum())

    return run


def measure(n: int) -> list[dict[str, Any]]:
    """Print a table of one size; return its rows beside their goals."""
    with tempfile.TemporaryDirectory() as name:
        file = given(n, Path(name) / "given.npz")
        ways: dict[str, Way | None] = {"Brian2": brian2(file, Path(name) / "brian2"), "NEST": nest(file)}
        ways |= {precision: ours(n, precision) for precision in ("float32", "float64")}
        runs = [{name: way() for name, way in ways.items() if way} for _ in range(ROUNDS)]
    best = {name: min(run[name][0] for run in runs) for name in runs[0]}
    rate = {name: runs[0][name][1] / n / SECONDS[n] for name in best}
    columns = {name: {"bio s / cpu s": SECONDS[n] / best[name], "rate, Hz": rate[name]} for name in best}
    show(f"CUBA of {n} units, one thread", [{"way": name, **row} for name, row in columns.items()])
    return [
        {
            "work": f"CUBA {n:,}, {precision}",
            "anchor": f"{peer} ({'cpp_standalone, ' if peer == 'Brian2' else ''}float64)",
            "ratio": best[peer] / best[precision] if peer in best else float("nan"),
            "goal": goal,
            "better": "higher",
            "note": "" if peer in best else "not installed",
        }
        for (peer, precision), goal in GOALS.items()
    ]


if __name__ == "__main__":
    report([row for n in SECONDS for row in measure(n)])
