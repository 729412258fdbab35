"""Time two things side by side: interleaved rounds, medians, a ratio. The machines are noisy; ratios are less so."""

from __future__ import annotations

import json
import math
import os
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

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


def report(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print rows beside their goals, and add them as JSON lines to the file that THERMOC_BENCH_JSON names, if any.

    A row has ``work``, ``anchor``, ``ratio`` (NaN where there is none), ``goal`` (NaN where there is none), ``better``
    ("higher" or "lower"), and may have a ``unit``, where the ratio is a speed, and a ``note``.
    """
    show("beside the goals", [beside_goal(row) for row in rows])
    if path := os.environ.get("THERMOC_BENCH_JSON"):
        with open(path, "a") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)


def beside_goal(row: Mapping[str, Any]) -> dict[str, object]:
    """Return the columns of a row: its ratio, its goal in words, and whether it is met or by how much it is missed."""
    unit = f" {row['unit']}" if row.get("unit") else ""
    sense = "at least" if row["better"] == "higher" else "at most"
    return {
        "work": row["work"],
        "anchor": row["anchor"],
        "ratio": "none" if math.isnan(row["ratio"]) else f"{row['ratio']:.3g}{unit}",
        "goal": "none" if math.isnan(row["goal"]) else f"{sense} {row['goal']:.4g}{unit}",
        "verdict": verdict(row),
        "note": row.get("note", ""),
    }


def verdict(row: Mapping[str, Any]) -> str:
    """Return whether the goal of a row is met, and by what factor it is missed."""
    missing = row["goal"] / row["ratio"] if row["better"] == "higher" else row["ratio"] / row["goal"]
    if math.isnan(missing):
        return "no figure" if math.isnan(row["ratio"]) else "no goal"
    return "met" if missing <= 1 else f"missed by a factor of {missing:.3g}"
