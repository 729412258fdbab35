"""Runs a sweep: what is not in its store yet goes to the workers, and what comes back goes into it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from thermoc.progress import Display, on_terminal
from thermoc.support.errors import Finding, ThermocError
from thermoc.support.loading import cut
from thermoc.support.plurals import counted
from thermoc.sweeps.merge import merged
from thermoc.sweeps.objective import Objective, Search
from thermoc.sweeps.plan import Sweep
from thermoc.sweeps.points import Point
from thermoc.sweeps.pools import Job, WorkerPool, dispatched
from thermoc.sweeps.rows import PointWriter
from thermoc.sweeps.store import DONE, FAILED, WAITING, SweepStore
from thermoc.sweeps.worker import Done, Failed, diagnosed

RETRIES = 2
PATIENCE = 0.2
"""Seconds that rows wait at most while others come."""
NAMED = 20
"""Points that failed which an error names; more are counted."""


class Runner:
    """Runs points of a sweep on a pool into a store. watch: told how many points are done or failed."""

    def __init__(
        self, sweep: Sweep, store: SweepStore, pool: WorkerPool, *, retries: int, watch: Callable[[int], None]
    ):
        self._sweep, self._store, self._pool, self._watch, self._retries = sweep, store, pool, watch, retries
        self._rows = PointWriter(sweep, store)
        self._parts: dict[int, dict[int, Done]] = {}
        self._written = time.monotonic()
        self._over = int((store.status != WAITING).sum())
        self.failures: dict[int, Failed] = {}

    def begin(self) -> None:
        """Write what is known before anything runs."""
        self._rows.axes()

    def run(self, points: Iterable[tuple[int, Point]]) -> None:
        """Run points by number, but for those that are done already. Errors: T424, T505."""
        parts = (
            Job(index, point, first, batch)
            for index, point in points
            if self._store.status[index] != DONE
            for first, batch in self._sweep.setup.split()
            if index not in self.failures
        )
        waits = partial(self._write, PATIENCE / 10)
        for job, outcome in dispatched(self._pool, parts, self._retries, waits=waits):
            self._take(job, outcome)
            self._write(PATIENCE)
        self._store.flush()

    def _write(self, patience: float) -> None:
        """Write what waits, unless that was done just before: a write costs the same for one row and for many."""
        if time.monotonic() - self._written > patience:
            self._store.flush()
            self._written = time.monotonic()

    def _take(self, part: Job, outcome: Done | Failed) -> None:
        if part.number in self.failures:
            return
        if isinstance(outcome, Failed):
            self._fail(part.number, outcome)
            return
        received = self._parts.setdefault(part.number, {})
        received[part.first_sample] = outcome
        if len(received) == len(self._sweep.setup.split()):
            self._finish(part.number, self._parts.pop(part.number))

    def _finish(self, index: int, parts: dict[int, Done]) -> None:
        result = merged(sorted(parts.items()))
        if len(parts) > 1:
            result = replace(result, numbers=diagnosed(self._sweep.setup, result))
        self._rows.done(index, result)
        self._tell()

    def _fail(self, index: int, outcome: Failed) -> None:
        self.failures[index] = outcome
        self._parts.pop(index, None)
        self._store.mark(index, FAILED)
        self._tell()

    def _tell(self) -> None:
        self._over += 1
        self._watch(self._over)

    def search(self, objective: Objective) -> None:
        """Run the points that are proposed, generation by generation. Errors: T424, T505."""
        search, first = Search(objective, self._sweep.setup.axes), 0
        while first < objective.trials:
            points = search.ask()
            for index, point in enumerate(points, first):
                self._rows.point(index, point)
            self.run(enumerate(points, first))
            for index in range(first, first + len(points)):
                done = self._store.status[index] == DONE
                search.tell(objective.value(self._store.row(objective.result, index)) if done else None)
            first += len(points)


def run_sweep(sweep: Sweep, store: SweepStore, pool: WorkerPool, *, retries: int, progress: bool | None) -> None:
    """Run what is not in the store yet. Errors: T423 naming the points that failed, when all are run; T424, T505."""
    with ExitStack() as stack:
        shown = None
        if on_terminal(progress):
            already = int((store.status == DONE).sum())
            shown = Display(sweep.setup.network.name, sweep.size, already, dict, unit="points")
            stack.callback(shown.close)
        runner = Runner(sweep, store, pool, retries=retries, watch=shown or (lambda done: None))
        runner.begin()
        if sweep.objective is not None:
            runner.search(sweep.objective)
        else:
            runner.run(enumerate(sweep.points))
    failures = {str(index): cut(runner.failures[index].why) for index in sorted(runner.failures)}
    store.say(failures=failures, complete=int(not failures))
    if failures:
        raise _failed(sweep, runner.failures, retries)


def _failed(sweep: Sweep, failures: dict[int, Failed], retries: int) -> ThermocError:
    findings = []
    for index in sorted(failures)[:NAMED]:
        where = ", ".join(f"{name} = {value}" for name, value in zip(sweep.names, _values(sweep, index)))
        notes = (where, *failures[index].why.splitlines()[:4])
        tried = "" if failures[index].certain else f", tried {counted(retries + 1, 'time')}"
        findings.append(Finding(code="T423", what=f"point {index} failed{tried}", notes=notes))
    unnamed = f"; {len(failures) - NAMED} more are in the store's attribute 'failures'" if len(failures) > NAMED else ""
    hint = f"all other points are in the store{unnamed}; the same command tries again those that failed"
    findings[-1] = replace(findings[-1], hint=hint)
    return ThermocError(findings)


def _values(sweep: Sweep, index: int) -> Point:
    return sweep.points[index] if sweep.points else ()
