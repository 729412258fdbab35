"""What a step of a closed loop costs in Lava: beside a tick of one long call, and beside a run of its own.

    python benchmarks/lava_sessions.py          needs the Python that ``thermoc doctor --install lava`` makes

Milliseconds, least of several rounds. The first network is Loihi's alone; in the others the host encodes and decodes,
and Loihi runs ahead for results that come late.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
from timing import report

import thermoc as tc
from thermoc.backends.lava import interpreter
from thermoc.support.tables import table

ROUNDS, STEPS = 2 if "--quick" in sys.argv else 10, 50


def main() -> None:
    work = {"work": "a step of a session in Lava", "anchor": "a tick of a long call", "goal": float("nan")}
    if interpreter.find() is None:
        return report([{**work, "ratio": float("nan"), "better": "lower", "note": "Lava is not installed"}])
    rows = [row(layers) for layers in ((0, 2) if "--quick" in sys.argv else (0, 1, 2, 4))]
    print(table("a step in Lava, ms", rows))
    named = [{**work, "work": f"{work['work']}, layers: {r['layers']}", "ratio": r["step / tick"]} for r in rows]
    report([{**one, "better": "lower"} for one in named])


def network(layers: int) -> tc.Network:
    """Return a network of so many layers between numbers; of one layer between integers where that is 0."""
    rng = np.random.default_rng(0)
    with tc.Network("layers") as net:
        if not layers:
            drive = tc.loihi.dense(tc.input("x", (32,), dtype="i32"), 2 * np.eye(32, dtype=int), message_bits=8)
            tc.output("s", tc.loihi.lif(drive, vth=100)[0])
            return net
        x = tc.input("x", (32,))
        for _ in range(layers):
            x, _ = tc.lif(tc.affine(x, rng.normal(size=(32, 32))), 3.0, v_threshold=1.0)
        tc.output("s", x)
    return net


def row(layers: int) -> dict[str, object]:
    """Return a row of one network."""
    exe = tc.compile(network(layers), target="lava")
    x = {"x": np.ones((1, 32), int if not layers else float)}
    with exe.start() as session:
        session.step(x)

        def steps() -> None:
            for _ in range(STEPS):
                session.step(x)

        step, tick = (least(work) for work in (steps, lambda: session.run(STEPS, x)))
    alone = milliseconds(lambda: exe.run(x, ticks=1))
    return {
        "layers": layers or "integers",
        "step": step / STEPS,
        "tick of a call": tick / STEPS,
        "run of its own": alone,
        "step / tick": step / tick,
    }


def least(work: Callable[[], object]) -> float:
    return min(milliseconds(work) for _ in range(ROUNDS))


def milliseconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - start)


if __name__ == "__main__":
    main()
