"""What a tick of 10^4 p-bits costs, against NumPy and SciPy, and what recording their means and energies adds.

python benchmarks/recording.py [--quick] [--ticks TICKS]
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from memory import resident
from scipy.sparse import csr_array
from timing import report, show

import thermoc as tc
from thermoc.backends.base import BackendSession, NoisePosition
from thermoc.ir.feed import feed
from thermoc.ir.recording import Every, Recorder, Signal, Sums

UNITS, FAN, EVERY = 10_000, 4, 10_000
NUMPY = "nothing, by NumPy and SciPy"
CHUNK = 1000
"""Ticks of a call: what a front end that shows progress runs at a time."""
Recorders = dict[str, list[Recorder]]


def couplings() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return weights and units of ``FAN`` couplings each, and where each unit's begin."""
    rng = np.random.default_rng(0)
    columns, offsets = rng.integers(0, UNITS, UNITS * FAN), np.arange(UNITS + 1) * FAN
    return rng.choice([-0.5, 0.5], UNITS * FAN), columns, offsets


def by_numpy(ticks: int) -> float:
    """Return the seconds of processor time of the same ticks in NumPy and SciPy, with their own stream of uniforms."""
    J, s, u = csr_array(couplings(), shape=(UNITS, UNITS)), np.zeros(UNITS), np.empty(UNITS)
    generator = np.random.Generator(np.random.Philox(1))
    start = time.process_time()
    for _ in range(ticks):
        generator.random(out=u)
        s = (J @ s > np.log(u / (1 - u))).astype(float)
    return time.process_time() - start


def network() -> tc.Network:
    """Return p-bits on a ring of random couplings, all updated at once from the units of the tick before.

    Their energy is that before the tick: of the fields that it computes anyway.
    """
    J, columns, offsets = couplings()
    with tc.Network("p-bits") as net:
        hole = tc.placeholder((UNITS,), role="spike")
        before = tc.delay(hole)
        fields = tc.sparse_affine(before, J, columns, offsets)
        s = tc.sample_binary(fields, T=1.0)
        tc.connect(hole, s)
        tc.output("s", s)
        tc.probe("E", -0.5 * tc.reduce(before * fields, kind="sum", axes=(0,)))
    return net


def signal(ticks: int, *, units: bool) -> Signal:
    """Return what is recorded: the units, or their energy."""
    shape, levels = ((UNITS,), (0, 1)) if units else ((), None)
    return Signal(ticks=ticks, batch=1, dtype=np.dtype(np.float64), shape=shape, levels=levels)


class Case:
    """A session that goes on with its recorders."""

    def __init__(self, exe: tc.Executable, recorders: Recorders):
        self.graph, self.recorders = exe.graph, recorders
        self.session: BackendSession = exe.backend.start(exe.artefact, batch=1, position=NoisePosition())

    def run(self, ticks: int) -> float:
        """Run on; return the seconds of processor time that it took, on one thread."""
        start = time.process_time()
        for _ in range(ticks // CHUNK):
            self.session.record(feed(self.graph, {}, ticks=CHUNK, batch=1), self.recorders)
        return time.process_time() - start


def to_store(exe: tc.Executable, folder: Path, ticks: int) -> tuple[float, float]:
    """Return the processor time of a session's run without records, and of one whose energies all go to a store."""
    times = list[float]()
    for record, to in ({}, None), ({"E": "all"}, folder / f"{time.monotonic_ns()}.zarr"):
        with exe.start() as session:
            session.run(CHUNK, record={})
            start = time.process_time()
            session.run(ticks, record=record, to=to)
            times.append(time.process_time() - start)
    return times[0], times[1]


def main() -> None:
    """Print ticks a second of each way to record, and its speed over that of recording nothing; then the memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer ticks")
    parser.add_argument("--ticks", type=int, default=40_000, help="of each case; 10000000 for the full run")
    options = parser.parse_args()
    ticks = 4_000 if options.quick else options.ticks
    exe = tc.compile(network(), "sim", threads=1)
    makers: dict[str, Callable[[], Recorders]] = {
        "nothing": dict,
        f"means, every {EVERY}th energy": lambda: {
            "s": [Sums(signal(ticks, units=True))],
            "E": [Every(signal(ticks, units=False), EVERY)],
        },
        "all energies": lambda: {"E": [Every(signal(ticks, units=False))]},
    }
    cases = {name: Case(exe, make()) for name, make in makers.items()}
    for case in cases.values():
        Case(exe, {name: [type(r)(r.signal) for r in rs] for name, rs in case.recorders.items()}).run(CHUNK)
    rounds, memory = list[dict[str, float]](), [resident()]
    part = max(CHUNK, ticks // 20 // CHUNK * CHUNK)
    for _ in range(ticks // part):
        rounds.append({name: case.run(part) for name, case in cases.items()} | {NUMPY: by_numpy(part)})
        memory.append(resident())
    show_speeds(rounds, part, list(cases))
    with tempfile.TemporaryDirectory() as folder:
        stored = [to_store(exe, Path(folder), 5 * ticks) for _ in range(1 if options.quick else 3)]
    report_ratios(rounds, list(cases), statistics.median(bare / kept for bare, kept in stored))
    print("MiB resident as it runs:", " ".join(f"{m:.1f}" for m in memory))


def show_speeds(rounds: list[dict[str, float]], part: int, cases: list[str]) -> None:
    """Print ticks a second of each case, of rounds of ``part`` ticks."""
    show(
        f"{UNITS} p-bits, {len(rounds) * part} ticks",
        [
            {
                "recorded": name,
                "ticks/s": part / statistics.median(r[name] for r in rounds),
                "speed / nothing": speed(rounds, name),
            }
            for name in (*cases, NUMPY)
        ],
    )


def report_ratios(rounds: list[dict[str, float]], cases: list[str], stored: float) -> None:
    """Report the speeds beside their goals; ``stored``: of a session whose energies all go to a store."""
    ratios = {f"{name} of {UNITS} p-bits": speed(rounds, name) for name in cases[1:]}
    ratios[f"all energies of {UNITS} p-bits, to zarr"] = stored
    tick = {"work": f"{UNITS} p-bits, a tick", "anchor": "NumPy and SciPy", "ratio": 1 / speed(rounds, NUMPY)}
    recorded = {"anchor": "nothing recorded", "goal": 0.95, "better": "higher"}
    report(
        [
            tick | {"goal": float("nan"), "better": "higher"},
            *({"work": work, "ratio": ratio} | recorded for work, ratio in ratios.items()),
        ]
    )


def speed(rounds: list[dict[str, float]], name: str) -> float:
    """Return the median speed of a case over that of recording nothing."""
    return statistics.median(r["nothing"] / r[name] for r in rounds)


if __name__ == "__main__":
    main()
