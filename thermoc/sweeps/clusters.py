"""A cluster for a sweep: one that is named, or one of processes on this machine."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from multiprocessing import resource_tracker
from typing import Any

from thermoc.support.errors import error
from thermoc.support.extras import need
from thermoc.sweeps.pools import CODE, InProcess, OnDask, WorkerPool
from thermoc.sweeps.worker import Executables

CONNECT = 5.0
"""Seconds that a scheduler has to answer."""
WAIT = 60.0
"""Seconds that a worker has to come."""
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")


@contextmanager
def pool(
    executables: Executables, *, scheduler: str | None = None, workers: int | None = None
) -> Generator[WorkerPool, None, None]:
    """Give a place to run parts of points; it is closed at the end.

    executables: what is compiled of the sweep so far, which nobody on this machine compiles again. scheduler: the
    address of a Dask scheduler, tcp://host:port. workers: processes on this machine, default one a core; 0 for this
    process alone, without Dask. Errors: T302 without Dask, T424.
    """
    with client(scheduler=scheduler, workers=workers) as connected:
        made: WorkerPool = InProcess(executables) if connected is None else OnDask(connected, executables)
        try:
            yield made
        finally:
            made.close()


@contextmanager
def client(*, scheduler: str | None = None, workers: int | None = None) -> Generator[Any, None, None]:
    """Give a Dask client; None of it where this process alone is to run. Errors: T302 without Dask, T424."""
    if scheduler is None and workers == 0:
        yield None
        return
    logs = {logging.getLogger(name): logging.getLogger(name).level for name in ("distributed", "distributed.client")}
    for log in logs:
        log.setLevel(logging.CRITICAL)  # that a worker has gone is no news: its points are run again
    try:
        with _client(scheduler) if scheduler is not None else _embedded(workers or cores()) as connected:
            yield connected
    finally:
        for log, level in logs.items():
            log.setLevel(level)


@contextmanager
def _client(scheduler: str) -> Generator[Any, None, None]:
    distributed = need("distributed", "sweep", "sweeps over several processes")
    try:
        client = distributed.Client(scheduler, timeout=CONNECT, set_as_default=False)
    except (OSError, ValueError, TypeError) as reason:
        hint = "start one: dask scheduler, and workers: dask worker ADDRESS; or leave --scheduler away"
        notes = [" ".join(str(reason).split())[:200]]
        raise error(CODE, f"there is no scheduler at {scheduler}", notes=notes, hint=hint) from None
    try:
        try:
            client.wait_for_workers(1, timeout=WAIT)
        except TimeoutError:
            what, notes = f"the scheduler at {scheduler} has no workers", [f"{WAIT:g} s passed"]
            raise error(CODE, what, notes=notes, hint=f"start some: dask worker {scheduler}") from None
        yield client
    finally:
        _close(client)


@contextmanager
def _embedded(workers: int) -> Generator[Any, None, None]:
    """Give a client of spawned processes, one thread each; they end with this one, however that ends."""
    distributed = need("distributed", "sweep", "sweeps over several processes")
    with _unnamed_main(), _one_thread():
        with _without_interrupts():
            cluster = distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                silence_logs=logging.CRITICAL,
            )
        client = distributed.Client(cluster, set_as_default=False)
        try:
            yield client
        finally:
            _close(client)
            with suppress(Exception):
                cluster.close(timeout=10)


def _close(client: Any) -> None:
    with suppress(Exception):
        client.close(timeout=5)


@contextmanager
def _unnamed_main() -> Generator[None, None, None]:
    """Let spawned processes not run the user's script again: what they need of it, they are sent."""
    main = sys.modules["__main__"]
    spec, file = getattr(main, "__spec__", None), getattr(main, "__file__", None)
    main.__spec__ = None
    if file is not None:
        del main.__file__
    try:
        yield
    finally:
        main.__spec__ = spec
        if file is not None:
            main.__file__ = file


@contextmanager
def _without_interrupts() -> Generator[None, None, None]:
    """Let threads and processes that are started not see Ctrl-C, which a terminal sends to them all.

    This one sees it at the end, and ends the others: each would print a traceback.
    """
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    # its start would let interrupts through again
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _one_thread() -> Generator[None, None, None]:
    """Give processes that are started one thread for BLAS and Numba: each worker fills one core."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
