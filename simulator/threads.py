"""Long kernels beside a thread that waits for them, so that Ctrl-C is heard: compiled code itself hears nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import TypeVar

from numpy.typing import NDArray

PATIENCE = 0.1
"""Seconds that a run which is stopped waits for its kernels to notice."""
T = TypeVar("T")


def attended(work: Callable[[], T], halt: NDArray | None = None) -> T:
    """Return what the work returns; on Ctrl-C set ``halt[0]``, and raise whether or not the work has noticed.

    A kernel that looks at no such flag goes on alone, and ends with the process at the latest.
    """
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        # whatever it is must be passed on, or the waiting thread would wait for ever
        except BaseException as reason:
            future.set_exception(reason)

    threading.Thread(target=run, name="thermoc-kernel", daemon=True).start()
    try:
        return future.result()
    except KeyboardInterrupt:
        if halt is not None:
            halt[0] = 1
        with suppress(Exception):
            future.result(timeout=PATIENCE)
        raise
