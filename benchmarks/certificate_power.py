"""What certificates notice, what they blame on runs that are right, and what they cost.

    python benchmarks/certificate_power.py [--quick] [--runs N]

Every breakage of ``breakages.CASES`` in six runs of 800 ticks and 32 samples (goal: all certificates fail); runs of
twelve networks that are right (goal: no more fail than the stated rate, by the exact binomial interval), 2,000 unless
told; the time of a certificate over that of its run (goal: 2 at most). ``--quick``: a run of some breakages and
networks. ``--runs`` may be as large as there is time for: seeds count up, and each run is judged by itself.
"""

from __future__ import annotations

import os

for _name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"

import argparse
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from breakages import CASES, HONEST, ornstein_uhlenbeck, small_lattice
from scipy import stats
from timing import report, show

import thermoc as tc
from thermoc import physics
from thermoc.certificates.judging import FALSE_ALARMS
from thermoc.certificates.law import MIXING

TICKS, BATCH, SEEDS = 800, 32, 6
CONFIDENCE = 0.95
SMALL = 1e-3


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure certificates.")
    parser.add_argument("--quick", action="store_true", help="fewer cases and runs")
    parser.add_argument("--runs", type=int, help="runs that are right, in all")
    options = parser.parse_args()
    cases, networks, seeds = (CASES[::9], HONEST[::4], 1) if options.quick else (CASES, HONEST, SEEDS)
    runs = options.runs or (len(networks) if options.quick else 2000)
    rows = [noticed(case, range(5, 5 + seeds)) for case in cases]
    report([*rows, *false_alarms(runs, networks), *costs(quick=options.quick)])


def noticed(case: Any, seeds: Iterable[int]) -> dict[str, Any]:
    """Return the row of a breakage: the share of its runs that break a law of physics."""
    certificates = [case.certified(ticks=TICKS, batch=BATCH, seed=seed) for seed in seeds]
    # that another network repeats the run would show any breakage
    broken = [
        [law.statement for law in certificate.laws if law.verdict == "fails" and law.law != "seed"]
        for certificate in certificates
    ]
    count = sum(map(bool, broken))
    note = f"{count} of {len(broken)}: {'; '.join(broken[0][:2])}"
    return row(case.what, "all fail", count / len(broken), 1.0, "higher", note)


def false_alarms(runs: int, networks: Sequence[Callable[[], tc.Network]] = HONEST) -> list[dict[str, Any]]:
    """Return the rows of runs that are right: the least rates of false alarms that the counts allow.

    The rate of a certificate is too small to be seen in fewer than 10,000 runs, so the chances of single laws are
    counted too: no more than one in a thousand may be below 1e-3.
    """
    share = -(-runs // len(networks))
    each, verdicts, chances = [], list[str](), list[float]()
    for make in networks:
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
        rate("runs that are right and fail", verdicts.count("fails"), len(verdicts), FALSE_ALARMS, unsure),
        rate(f"laws of them with p < {SMALL}", sum(p < SMALL for p in chances), len(chances), SMALL, ""),
    ]


def rate(work: str, count: int, total: int, stated: float, more: str) -> dict[str, Any]:
    """Return the row of a rate: the least that an exact binomial interval allows, which must not exceed the stated."""
    interval = stats.binomtest(count, total).proportion_ci(CONFIDENCE, "exact")
    low, high = float(interval.low), float(interval.high)
    note = ", ".join(filter(None, (f"{count} of {total}", f"{CONFIDENCE:.0%} interval {low:.2g} to {high:.2g}", more)))
    return row(work, "the stated rate", low, stated, "lower", note)


def costs(*, quick: bool = False) -> list[dict[str, Any]]:
    """Return the rows of what a certificate takes over its run, medians over three rounds; quick: of some, once.

    Beside long ticks and cheap ones a longer run of these, and runs of few units, of which a certificate takes some
    20 ms whatever they are. Not in it is the SHA-256 of the outputs, which is taken when a certificate is saved or its
    document is read: half a nanosecond a byte.
    """
    works = [
        ("lattice of 64 x 64, 20 sweeps a tick", lattice, 200, 16),
        ("1,000 memories", memories, 200, 16),
        ("1,000 memories, 2,000 ticks", memories, 2000, 16),
        ("16 memories, 20,000 ticks", ornstein_uhlenbeck, 20_000, 32),
        ("6 x 6 lattice, 8,000 ticks", small_lattice, 8000, 32),
    ]
    return [cost(*work, rounds=1) for work in works[1::3]] if quick else [cost(*work, rounds=3) for work in works]


def lattice() -> tc.Network:
    with tc.Network("lattice") as net:
        tc.output("s", tc.gibbs(3.0, physics.square_lattice(64), sweeps=20))
    return net


def memories() -> tc.Network:
    with tc.Network("memories", dt=0.3) as net:
        tc.output("m", tc.memory(np.linspace(-1, 1, 1000), 0.7, 1.3))
    return net


def cost(what: str, make: Callable[[], tc.Network], ticks: int, batch: int, rounds: int) -> dict[str, Any]:
    executable = tc.compile(make())
    tc.certify(executable.run(ticks=16, batch=2))  # compiles what both need
    ratios = []
    for seed in range(rounds):
        start = time.process_time()
        run = executable.run(ticks=ticks, batch=batch, seed=seed)
        middle = time.process_time()
        tc.certify(run)
        ratios.append((time.process_time() - middle) / (middle - start))
    return row(f"a certificate: {what}", "its run", float(np.median(ratios)), 2.0, "lower", "processor time")


def row(work: str, anchor: str, ratio: float, goal: float, better: str, note: str) -> dict[str, Any]:
    return {"work": work, "anchor": anchor, "ratio": ratio, "goal": goal, "better": better, "note": note}


if __name__ == "__main__":
    main()
