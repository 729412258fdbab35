"""What a network costs on this computer: processor time, and joules where the processor counts them (Linux, RAPL)."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from thermoc import api
from thermoc.costs.marks import MEASURED
from thermoc.costs.question import Question
from thermoc.costs.row import Cost
from thermoc.run import Run

COUNTERS = Path("/sys/class/powercap")
LEAST_SECONDS = 0.2
"""Runs are repeated until they have taken as long: counters and clocks are coarse."""


def on_this_computer(name: str, question: Question, options: Mapping[str, Any]) -> Cost:
    """Return a network's cost on a target that runs here. Errors: those of compiling and running it."""
    exe = api.compile(question.graph, name, **options)
    run = question.run(exe)  # the first compiles kernels, and is not measured
    joules, seconds = measured(lambda: question.run(exe), COUNTERS)
    joules = None if joules is None else joules / question.batch
    seconds /= question.batch
    idle = "counted: the package's counter sums all that the processor takes, of other programs too"
    marks: dict[str, str] = dict.fromkeys(("joules", "seconds", "joules_effective", "seconds_effective"), MEASURED)
    return Cost(
        on=name,
        joules=joules,
        seconds=seconds,
        **question.quality(run),
        **question.effective(run, joules=joules, seconds=seconds),
        idle="unknown: no counter of the processor's energy can be read here" if joules is None else idle,
        marks=marks,
        notes=("its seconds are processor time, of a batch of this size; kelvins are not measured",),
        run=run,
    )


def measured(run: Callable[[], Run], counters: Path) -> tuple[float | None, float]:
    """Return joules (None without a counter) and seconds of processor time of a run, means over repeats."""
    before, start, repeats = _microjoules(counters), time.process_time(), 0
    while not repeats or time.process_time() - start < LEAST_SECONDS:
        run()
        repeats += 1
    seconds, after = time.process_time() - start, _microjoules(counters)
    return _spent(before, after, counters, repeats), seconds / repeats


def _spent(before: Mapping[str, int], after: Mapping[str, int], counters: Path, repeats: int) -> float | None:
    if not before or before.keys() != after.keys():
        return None
    total = 0
    for name, start in before.items():
        spent = after[name] - start
        # a counter starts again at 0 beyond its range
        total += spent if spent >= 0 else spent + _number(counters / name / "max_energy_range_uj")
    return total * 1e-6 / repeats


def _microjoules(counters: Path) -> dict[str, int]:
    """Return what each processor package's counter shows; none where they are not there or may not be read."""
    try:
        return {path.name: _number(path / "energy_uj") for path in sorted(counters.glob("intel-rapl:?"))}
    except (OSError, ValueError):
        return {}


def _number(path: Path) -> int:
    return int(path.read_text())
