"""The CUBA network of Vogels and Abbott: biological seconds a second against Brian2's cpp_standalone (goal: 2.5x).

    python benchmarks/cuba.py [UNITS ...]      default 4000; needs brian2 and a C++ compiler

Both run the network of ``examples/cuba.py`` on one thread with the same connections, weights and first potentials.
Brian2's script is written by hand, as its own example is; beside it stands the script that thermoc writes (goal: at
most 1.1 times as long). Only the run counts: no building, no reading of files. Rounds alternate and the best of each
counts, in wall time and in processor time, which others on the machine disturb less. Rates are means over networks
that differ in their first potentials alone: trajectories are chaotic, rates are not.
"""

from __future__ import annotations

import runpy
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np

import thermoc as tc
from thermoc.support.tables import table

cuba: Any = SimpleNamespace(**runpy.run_path(str(Path(__file__).parents[1] / "examples/cuba.py"), run_name="cuba"))
ROUNDS, SEEDS = 7, 4
BY_HAND, WRITTEN = "Brian2, cpp_standalone", "Brian2, thermoc's script"
SECONDS = {4000: 1.0, 40_000: 0.5}


def brian(n: int, seconds: float, folder: str) -> Any:
    """Build Brian2's program; return a function of the first potentials that gives (wall, processor time, spikes)."""
    import brian2  # pyright: ignore[reportMissingImports]

    b2: Any = brian2
    b2.device.reinit()
    b2.set_device("cpp_standalone", directory=folder, build_on_run=False)
    b2.prefs.devices.cpp_standalone.openmp_threads = 0
    b2.defaultclock.dt = cuba.DT * b2.ms
    sources, offsets = cuba.connectivity(n, 0)
    targets, excites = np.repeat(np.arange(n), np.diff(offsets)), sources < 4 * n // 5
    units = b2.NeuronGroup(
        n,
        """dv/dt = (ge + gi - (v - El)) / (20*ms) : volt (unless refractory)
        dge/dt = -ge / (5*ms) : volt
        dgi/dt = -gi / (10*ms) : volt""",
        threshold="v > -50*mV",
        reset="v = -60*mV",
        refractory=5 * b2.ms,
        method="exact",
        namespace={"El": -49 * b2.mV},
    )
    units.v = cuba.first_potentials(n, 0) * b2.mV
    synapses = []
    for name, weight, chosen in (("ge", cuba.E_WEIGHT, excites), ("gi", cuba.I_WEIGHT, ~excites)):
        made = b2.Synapses(units, units, on_pre=f"{name} += w", namespace={"w": weight * b2.mV})
        made.connect(i=sources[chosen], j=targets[chosen])
        synapses.append(made)
    spikes = b2.SpikeMonitor(units, record=False)
    b2.device.insert_code("before_network_run", "const std::clock_t _began = std::clock();")
    after = 'std::ofstream("cpu.txt") << double(std::clock() - _began) / CLOCKS_PER_SEC;'
    b2.device.insert_code("after_network_run", after)
    b2.Network(units, *synapses, spikes).run(seconds * b2.second)
    b2.device.build(directory=folder, compile=True, run=False)

    def run(first: np.ndarray) -> tuple[float, float, int]:
        b2.device.run(directory=folder, with_output=False, run_args={units.v: first * b2.mV})
        cpu = float((Path(folder) / "cpu.txt").read_text())
        return b2.device._last_run_time, cpu, int(spikes.num_spikes)

    return run


def written(n: int, seconds: float) -> Any:
    """Build the program of thermoc's own script; return the same function, for the first potentials of seed 0."""
    from thermoc.backends.brian2 import standalone

    exe = tc.compile(cuba.network(n), "brian2", device="cpp_standalone")
    exe.run(ticks=round(seconds / cuba.DT * 1000))
    artefact: Any = exe.artefact
    (built,) = standalone.programs(artefact)

    def run(first: np.ndarray) -> tuple[float, float, int]:
        assert np.array_equal(first, cuba.first_potentials(n, 0))
        found = exe.run(ticks=round(seconds / cuba.DT * 1000))
        return built.device._last_run_time, float("nan"), int(found["spikes"].sum())

    return run


def ours(n: int, seconds: float, precision: str) -> Any:
    """Return the same function for the simulator."""

    def run(first: np.ndarray, known: dict[bytes, tc.Executable] = {}) -> tuple[float, float, int]:  # noqa: B006
        key = first.tobytes()
        if key not in known:
            known.clear()
            known[key] = tc.compile(cuba.network(n, first=first), "sim", precision=precision, threads=1)
            known[key].run(ticks=1)
        wall, cpu = time.perf_counter(), time.process_time()
        found = known[key].run(ticks=round(seconds / cuba.DT * 1000))
        return time.perf_counter() - wall, time.process_time() - cpu, int(found["spikes"].sum())

    return run


def measure(n: int) -> list[dict[str, object]]:
    """Return a row for each way."""
    seconds = SECONDS.get(n, 1.0)
    with tempfile.TemporaryDirectory() as folder:
        ways = {BY_HAND: brian(n, seconds, folder), WRITTEN: written(n, seconds)}
        ways |= {f"sim, {precision}": ours(n, seconds, precision) for precision in ("float32", "float64")}
        same = cuba.first_potentials(n, 0)
        rounds = [{name: way(same) for name, way in ways.items()} for _ in range(ROUNDS)]
        firsts = [cuba.first_potentials(n, seed) for seed in range(SEEDS)]
        rates = {
            name: np.mean([way(first)[2] for first in (firsts[:1] if name == WRITTEN else firsts)]) / n / seconds
            for name, way in ways.items()
        }
    theirs = BY_HAND
    speeds = {name: [seconds / min(r[name][kind] for r in rounds) for kind in (0, 1)] for name in ways}
    return [
        {
            "units": n,
            "way": name,
            "bio s / s": wall,
            "ratio": wall / speeds[theirs][0],
            "bio s / cpu s": cpu,
            "cpu ratio": cpu / speeds[theirs][1],
            "rate, Hz": rates[name],
            "rate off, %": 100 * (rates[name] / rates[theirs] - 1),
        }
        for name, (wall, cpu) in speeds.items()
    ]


def main() -> None:
    """Print the table."""
    sizes = [int(word) for word in sys.argv[1:]] or [4000]
    print(table("CUBA, one thread", [row for n in sizes for row in measure(n)]))


if __name__ == "__main__":
    main()
