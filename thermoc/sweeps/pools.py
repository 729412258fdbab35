"""Where parts of points are run: in this process, or by Dask's workers."""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from thermoc.support.errors import ThermocError, error
from thermoc.sweeps.artefacts import SharedArtefacts
from thermoc.sweeps.points import Point
from thermoc.sweeps.worker import Done, Executables, Failed, carried_out, versions

CODE = "T424"
LEAST_ROOM, ROOM = 32, 8
"""Parts that are submitted at a time: so many, or so many a thread."""


class Job(NamedTuple):
    """A part of a point: the point's number, its values, where its samples begin, how many there are."""

    number: int
    point: Point
    first_sample: int
    batch: int


class WorkerPool(ABC):
    """Takes parts and gives back what came of them, in any order."""

    @property
    @abstractmethod
    def room(self) -> int:
        """How many parts it should have at a time."""

    @abstractmethod
    def submit(self, part: Job) -> None:
        """Take a part."""

    @property
    @abstractmethod
    def ready(self) -> bool:
        """Whether ``finished`` would not wait for another process."""

    @abstractmethod
    def finished(self) -> Sequence[tuple[Job, Done | Failed]]:
        """Wait until at least one part is over; return those that are. Errors: T424."""

    def close(self) -> None:  # noqa: B027  the one in this process has nothing to give back
        """Drop what is still to be run."""


class InProcess(WorkerPool):
    """Runs parts one after another in this process."""

    def __init__(self, executables: Executables):
        self._executables = executables
        self._waiting: deque[Job] = deque()

    @property
    def room(self) -> int:
        return 1

    @property
    def ready(self) -> bool:
        return True

    def submit(self, part: Job) -> None:
        self._waiting.append(part)

    def finished(self) -> Sequence[tuple[Job, Done | Failed]]:
        job = self._waiting.popleft()
        outcome = carried_out(self._executables, job.point, job.first_sample, job.batch)
        if isinstance(outcome, Failed) and outcome.lacks:
            raise error(CODE, "this process lacks what the target needs", notes=outcome.why.splitlines())
        return [(job, outcome)]


class OnDask(WorkerPool):
    """Runs parts on the workers of a Dask client. A part whose worker dies is run again by another."""

    def __init__(self, client: Any, executables: Executables):
        from distributed import as_completed

        from thermoc.sweeps.remote import Bring, sharing

        setup = executables.setup
        self._client, self.name = client, f"thermoc-sweep-{setup.hash[:16]}-{secrets.token_hex(8)}"
        check_workers(client, setup.target)
        # those of this machine find there what is compiled already
        self._artefacts = SharedArtefacts(self.name)
        executables.share(self._artefacts)
        client.register_plugin(Bring(self.name, sharing, (setup, self.name)))
        self._completed = as_completed(loop=client.loop, with_results=True, raise_errors=False)
        self._parts: dict[str, Job] = {}
        self._tries = 0

    @property
    def room(self) -> int:
        threads = self._client.scheduler_info().get("total_threads", 0)
        return max(LEAST_ROOM, ROOM * threads)

    def submit(self, part: Job) -> None:
        from thermoc.sweeps.remote import run_part

        # a new key each time: what failed must run again, and results of another client's are none of ours
        self._tries += 1
        key = f"{self.name}-{part.number}-{part.first_sample}-{self._tries}-{id(self)}"
        self._parts[key] = part
        arguments = self.name, part.point, part.first_sample, part.batch
        self._completed.add(self._client.submit(run_part, *arguments, key=key, pure=False))

    @property
    def ready(self) -> bool:
        return self._completed.has_ready()

    def finished(self) -> Sequence[tuple[Job, Done | Failed]]:
        batch = self._completed.next_batch(block=True)
        return [(self._parts.pop(future.key), _outcome(result)) for future, result in batch]

    def close(self) -> None:
        # a scheduler that has gone has nothing to cancel
        with suppress(Exception):
            self._client.cancel(list(self._completed.futures), force=True)
            self._client.unregister_worker_plugin(self.name)
        self._artefacts.close()


def check_workers(client: Any, target: str) -> None:
    """Refuse workers that cannot run a target, or would to other bits. Errors: T424."""
    from thermoc.sweeps.remote import look

    mine = versions()
    for address, theirs in client.run(look, target, on_error="return").items():
        if isinstance(theirs, ImportError | ThermocError):
            raise _lacking(address, str(theirs).splitlines())
        if isinstance(theirs, dict) and theirs != mine:
            notes = [f"it has {_listed(theirs)}", f"here are {_listed(mine)}"]
            hint = "install the same on all workers: the bits may depend on it"
            raise error(CODE, f"worker {address} has other versions", notes=notes, hint=hint)


def _outcome(result: Any) -> Done | Failed:
    """Return what came of a part. Errors: T424 where its worker lacks a package, or the scheduler has gone."""
    # By the result alone: the status of a future is that of its worker now, which may have died since.
    if isinstance(result, tuple) and len(result) == 2:
        address, outcome = result
        if isinstance(outcome, Failed) and outcome.lacks:
            raise _lacking(address, outcome.why.splitlines())
        return outcome
    if isinstance(result, tuple):
        reason = result[1]
        return Failed(why=f"{type(reason).__name__}: {' '.join(str(reason).split())}")
    notes = [f"it answers no more: {type(result).__name__}", "what was done is in the store"]
    raise error(CODE, "the scheduler has gone", notes=notes, hint="start it again, then give the same command")


def dispatched(
    pool: WorkerPool, parts: Iterator[Job], retries: int, *, waits: Callable[[], None] = lambda: None
) -> Generator[tuple[Job, Done | Failed], None, None]:
    """Run parts on a pool; yield what came of each, in any order. One that fails is tried again so many times, unless
    it is certain to fail again.

    waits: called before other processes are waited for. Errors: T424.
    """
    tries: Counter[tuple[int, int]] = Counter()
    requeued: deque[Job] = deque()
    underway = 0
    while True:
        capacity = pool.room
        while underway < capacity and (job := requeued.popleft() if requeued else next(parts, None)) is not None:
            pool.submit(job)
            underway += 1
        if not underway:
            return
        if not pool.ready:
            waits()
        for job, outcome in pool.finished():
            underway -= 1
            which = job.number, job.first_sample
            tries[which] += 1
            if isinstance(outcome, Failed) and not outcome.certain and tries[which] <= retries:
                requeued.append(job)
            else:
                yield job, outcome


def _lacking(address: str, notes: Sequence[str]) -> ThermocError:
    hint = 'install there what is installed here: pip install "thermoc[sweep]" and the extra of the target'
    return error(CODE, f"worker {address} lacks what the sweep needs", notes=notes, hint=hint)


def _listed(items: dict[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in items.items())
