"""What recording costs: 10^4 p-bits whose means and every 10^4-th energy are recorded, against nothing recorded."""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
from memory import resident
from timing import show

import thermoc as tc
from thermoc.backends.base import BackendSession, NoisePosition
from thermoc.ir.feed import feed
from thermoc.ir.recording import Every, Recorder, Signal, Sums

UNITS, FAN, EVERY = 10_000, 4, 10_000
CHUNK = 1000
"""Ticks of a call: what a front end that shows progress runs at a time."""
Recorders = dict[str, list[Recorder]]


def network() -> tc.Network:
    """Return p-bits on a ring of random couplings, all updated at once from the units of the tick before."""
    rng = np.random.default_rng(0)
    columns, offsets = rng.integers(0, UNITS, UNITS * FAN), np.arange(UNITS + 1) * FAN
    J = rng.choice([-0.5, 0.5], UNITS * FAN)
    with tc.Network("p-bits") as net:
        hole = tc.placeholder((UNITS,), role="spike")
        s = tc.sample_binary(tc.sparse_affine(tc.delay(hole), J, columns, offsets), T=1.0)
        tc.connect(hole, s)
        tc.output("s", s)
        tc.probe("E", -0.5 * tc.reduce(s * tc.sparse_affine(s, J, columns, offsets), kind="sum", axes=(0,)))
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
        """Run on; return the seconds that it took."""
        start = time.perf_counter()
        for _ in range(ticks // CHUNK):
            self.session.record(feed(self.graph, {}, ticks=CHUNK, batch=1), self.recorders)
        return time.perf_counter() - start


def main() -> None:
    """Print ticks a second of each way to record, and its speed over that of recording nothing; then the memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ticks", type=int, default=40_000, help="of each case; 10000000 for the full run")
    ticks = parser.parse_args().ticks
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
        rounds.append({name: case.run(part) for name, case in cases.items()})
        memory.append(resident())
    show(
        f"{UNITS} p-bits, {len(rounds) * part} ticks",
        [
            {
                "recorded": name,
                "ticks/s": part / statistics.median(r[name] for r in rounds),
                "speed / nothing": statistics.median(r["nothing"] / r[name] for r in rounds),
            }
            for name in cases
        ],
    )
    print("MiB resident as it runs:", " ".join(f"{m:.1f}" for m in memory))


if __name__ == "__main__":
    main()
