"""What certificates notice, what they blame on runs that are right, and what they cost.

    python benchmarks/certificate_power.py [--quick] [--runs N]

Every breakage of ``breakages.CASES`` in a run of 800 ticks and 32 samples (goal: the certificate fails); runs of twelve
networks that are right (goal: no more fail than the stated rate, by the exact binomial interval), 2,000 unless told;
the time of a certificate over that of its run (goal: 2 at most). ``--runs`` may be as large as there is time for: seeds
count up, and each run is judged by itself.
"""

from __future__ import annotations

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from breakages import CASES, HONEST
from scipy import stats
from timing import report, show

import thermoc as tc
from thermoc import physics
from thermoc.certificates.judging import FALSE_ALARMS
from thermoc.certificates.law import MIXING

TICKS, BATCH = 800, 32
CONFIDENCE = 0.95
SMALL = 1e-3


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure certificates.")
    parser.add_argument("--quick", action="store_true", help="fewer cases and runs")
    parser.add_argument("--runs", type=int, help="runs that are right, in all")
    options = parser.parse_args()
    cases = CASES[::5] if options.quick else CASES
    runs = options.runs or (24 if options.quick else 2000)
    report([*map(noticed, cases), *false_alarms(runs), *costs(rounds=1 if options.quick else 3)])


def noticed(case: Any) -> dict[str, Any]:
    """Return the row of a breakage: 1 where the certificate fails."""
    certificate = case.certified(ticks=TICKS, batch=BATCH, seed=5)
    broken = [law.statement for law in certificate.laws if law.verdict == "fails"]
    note = f"{certificate.verdict}: {'; '.join(broken[:2])}"
    return row(case.what, "fails", float(certificate.verdict == "fails"), 1.0, "higher", note)


def false_alarms(runs: int) -> list[dict[str, Any]]:
    """Return the rows of runs that are right: the least rates of false alarms that the counts allow.

    The rate of a certificate is too small to be seen in fewer than 10,000 runs, so the chances of single laws are
    counted too: no more than one in a thousand may be below 1e-3.
    """
    share = -(-runs // len(HONEST))
    each, verdicts, chances = [], list[str](), list[float]()
    for make in HONEST:
        executable, found, small = tc.compile(make()), list[str](), list[float]()
        for seed in range(share):
            certificate = tc.certify(executable.run(ticks=TICKS, batch=BATCH, seed=seed))
            found.append(certificate.verdict)
            small += [law.p for law in certificate.laws if law.p is not None and law.statistic not in MIXING]
        counts = {word: found.count(word) for word in ("holds", "fails", "cannot tell")}
        each.append(
            {"network": make.__name__, **counts, "p": len(small), f"p < {SMALL}": sum(p < SMALL for p in small)}
        )
        verdicts, chances = verdicts + found, chances + small
    show("runs that are right", each)
    unsure = f"{verdicts.count('cannot tell')} cannot tell"
    return [
        rate("runs of twelve networks that fail", verdicts.count("fails"), len(verdicts), FALSE_ALARMS, unsure),
        rate(f"laws of them with p < {SMALL}", sum(p < SMALL for p in chances), len(chances), SMALL, ""),
    ]


def rate(work: str, count: int, total: int, stated: float, more: str) -> dict[str, Any]:
    """Return the row of a rate: the least that an exact binomial interval allows, which must not exceed the stated."""
    interval = stats.binomtest(count, total).proportion_ci(CONFIDENCE, "exact")
    low, high = float(interval.low), float(interval.high)
    note = ", ".join(filter(None, (f"{count} of {total}", f"{CONFIDENCE:.0%} interval {low:.2g} to {high:.2g}", more)))
    return row(work, "the stated rate", low, stated, "lower", note)


def costs(rounds: int) -> list[dict[str, Any]]:
    """Return the rows of what a certificate takes over its run, medians over rounds."""
    works = {"lattice of 64 x 64, 20 sweeps a tick": lattice, "1,000 memories": memories}
    return [cost(what, make, rounds) for what, make in works.items()]


def lattice() -> tc.Network:
    with tc.Network("lattice") as net:
        tc.output("s", tc.gibbs(3.0, physics.square_lattice(64), sweeps=20))
    return net


def memories() -> tc.Network:
    with tc.Network("memories", dt=0.3) as net:
        tc.output("m", tc.memory(np.linspace(-1, 1, 1000), 0.7, 1.3))
    return net


def cost(what: str, make: Callable[[], tc.Network], rounds: int) -> dict[str, Any]:
    executable = tc.compile(make())
    tc.certify(executable.run(ticks=16, batch=2))  # compiles what both need
    ratios = []
    for seed in range(rounds):
        start = time.process_time()
        run = executable.run(ticks=200, batch=16, seed=seed)
        middle = time.process_time()
        tc.certify(run)
        ratios.append((time.process_time() - middle) / (middle - start))
    return row(f"a certificate: {what}", "its run", float(np.median(ratios)), 2.0, "lower", "processor time")


def row(work: str, anchor: str, ratio: float, goal: float, better: str, note: str) -> dict[str, Any]:
    return {"work": work, "anchor": anchor, "ratio": ratio, "goal": goal, "better": better, "note": note}


if __name__ == "__main__":
    main()
