"""Parts of a batch on threads of their own, with a caller that hears Ctrl-C."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache

from numpy.typing import NDArray

from thermoc.simulator.row_functions import CORES
from thermoc.simulator.threads import PATIENCE


def spread(works: Sequence[Callable[[], None]], halt: NDArray) -> None:
    """Do all of the works, each on its own thread; kernels hold no lock.

    This thread waits, so that Ctrl-C is heard: it asks the kernels to stop, by ``halt``, and is raised.
    """
    futures = [_pool().submit(work) for work in works]
    try:
        for future in futures:
            future.result()
    except BaseException:
        halt[0] = 1
        for future in futures:
            future.cancel()
        wait(futures, timeout=PATIENCE)
        raise


@cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=CORES, thread_name_prefix="thermoc")


if hasattr(os, "register_at_fork"):  # a forked process has none of its parent's threads
    os.register_at_fork(after_in_child=_pool.cache_clear)
