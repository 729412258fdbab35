"""Events a minute of the chip's engine: every core of thermo-1 multiplies, adds, sends to a core far off, and receives.

The goal is 1e7 events a minute; compiling is not counted.
"""

from __future__ import annotations

import sys
import time

from timing import report, show

from thermoc.simulator.chips import load_chip
from thermoc.simulator.machine import ChipOp, assemble, stream

GOAL = 1e7
EVENTS = 2e6 if "--quick" in sys.argv else 2e7


def program(chip):
    """256 streams; core k sends to core 101 k + 7 of all, so that most messages cross many links."""
    cores = chip.cores
    goes = [(101 * k + 7) % cores for k in range(cores)]
    comes = {target: k for k, target in enumerate(goes)}
    tick = [
        [
            (ChipOp.SETIN, 0, 128, 8),
            (ChipOp.MVM, 0, 8, 128, 128, 1),
            (ChipOp.VOP, 0, 128, 1),
            (ChipOp.SEND, 0, goes[k], 0, 128),
            (ChipOp.SAMPLE, 0, 128, 0, 1),
            (ChipOp.RECV, 0, comes[k], 0, 128),
            (ChipOp.ST, 0, 128),
        ]
        for k in range(cores)
    ]
    return assemble("events", chip.name, [([], rows) for rows in tick], ("work",))


def run() -> dict[str, float]:
    """Return the row: events, seconds, events a minute."""
    chip = load_chip("thermo-1")
    code = program(chip)
    each = sum(len(part) for part in stream(code, chip, rounds=10)) / 10
    start = time.perf_counter()
    count = sum(len(part) for part in stream(code, chip, rounds=round(EVENTS / each)))
    seconds = time.perf_counter() - start
    rate = 60 * count / seconds
    return {"events": count, "seconds": seconds, "events a minute": rate, "goal": GOAL, "times the goal": rate / GOAL}


if __name__ == "__main__":
    row = run()
    show("the chip's event engine", [dict(row)])
    report(
        [
            {
                "work": "events of a chip's cycles",
                "anchor": "10^7 events a minute",
                "ratio": row["times the goal"],
                "goal": 1.0,
                "better": "higher",
            }
        ]
    )
