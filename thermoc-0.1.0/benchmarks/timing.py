"""Time two things side by side: interleaved rounds, medians, a ratio. The machines are noisy; ratios are less so."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

from thermoc.support.tables import table

ROUNDS = 41


def seconds(work: Callable[[], object], repeat: int) -> float:
    """Return the time of one call, over ``repeat`` calls in a row."""
    start = time.perf_counter()
    for _ in range(repeat):
        work()
    return (time.perf_counter() - start) / repeat


def compare(title: str, ours: str, works: Mapping[str, Callable[[], object]], *, repeat: int = 1) -> dict[str, object]:
    """Return a row: the median time of each work, and ours over each other's (median of the rounds' ratios)."""
    for work in works.values():
        work()
    rounds = [{name: seconds(work, repeat) for name, work in works.items()} for _ in range(ROUNDS)]
    times = {f"{name} us": 1e6 * statistics.median(r[name] for r in rounds) for name in works}
    ratios = {
        f"{ours} / {name}": statistics.median(r[ours] / r[name] for r in rounds) for name in works if name != ours
    }
    return {"case": title, **times, **ratios}


def show(title: str, rows: list[dict[str, object]]) -> None:
    """Print rows as a table."""
    print(table(title, rows))
