"""Two runs side by side: what was asked differently, how far outputs are apart, what each op took more or less."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from thermoc.recording.conversions import array_row, blocks
from thermoc.recording.layout import TRACE
from thermoc.run import Run
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import error
from thermoc.support.thinning import blocks as means
from thermoc.support.thinning import number, numbers, ranges

MOST = 10**7
"""Elements of two traces that are compared one by one."""


def check_comparable(first: Run, second: Run) -> None:
    """Refuse runs of different models: other outputs, or the same ones of other roles. Errors: T425."""
    told = [{name: meaning.role for name, meaning in run.frame.meanings.items()} for run in (first, second)]
    if told[0] != told[1] or first.network != second.network:
        notes = [
            f"{run.network!r}: {', '.join(f'{name} ({role})' for name, role in roles.items())}"
            for run, roles in zip((first, second), told)
        ]
        hint = "compare runs of one network: other seeds, ticks, targets, options, parameters or temperatures"
        raise error("T425", "the two runs are of different models", notes=notes, hint=hint)


def comparison(first: Run, second: Run, a: Mapping[str, Any], b: Mapping[str, Any]) -> dict[str, Any]:
    """Return the differences of two runs, second minus first; a and b: their subjects. Errors: T425."""
    check_comparable(first, second)
    shared = [name for name in first.recorded if name in second.recorded]
    traces = [(name, *(run.recorded[name].fields.get(TRACE) for run in (first, second))) for name in shared]
    courses = [_course(name, x, y) for name, x, y in traces if _alike(x, y)]
    by_name = {course["name"]: course for course in courses}
    return {
        "asked": list(_asked(a["facts"], b["facts"])),
        "outputs": [_output(name, first, second, by_name.get(name)) for name in shared],
        "means": [_means(name, first, second) for name, x, y in traces if _drawable(x) and _drawable(y)],
        "courses": courses,
        "costs": _costs(a["chip"] or a["costs"], b["chip"] or b["costs"]),
        "unshared": sorted({*first.recorded} ^ {*second.recorded}),
    }


def _asked(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for name in dict.fromkeys((*a, *b)):
        yield {"what": name, "A": a.get(name), "B": b.get(name), "same": a.get(name) == b.get(name)}


def _output(name: str, first: Run, second: Run, apart: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return how far an output is apart, and its means with their error bar where both runs sample it."""
    a, b = _mean(first, name), _mean(second, name)
    bars = [run.diagnostics.get(name) for run in (first, second)]
    row: dict[str, Any] = {"output": name, "largest |B - A|": None, "first at tick": None, "values that differ": None}
    if apart is not None:
        row["largest |B - A|"], row["first at tick"] = apart["most"], apart["first"]
        row["values that differ"] = f"{apart['differ']} of {apart['count']}"
    row |= {"mean A": a, "mean B": b}
    row["mean B - A"] = None if a is None or b is None else number(b - a)
    row["least mixed A"], row["least mixed B"] = (
        None if bar is None else f"{bar.mean:.4g} ± {bar.error:.2g}" for bar in bars
    )
    row["apart, error bars"] = None
    if bars[0] is not None and bars[1] is not None:
        error_bar = math.hypot(bars[0].error, bars[1].error)
        row["apart, error bars"] = number((bars[1].mean - bars[0].mean) / error_bar) if error_bar else None
    row["R-hat A"], row["R-hat B"] = (None if bar is None else number(bar.r_hat) for bar in bars)
    return row


def _mean(run: Run, name: str) -> float | None:
    item = run.recorded[name]
    of = next((of for of in (TRACE, "mean", "last") if of in item), None)
    return None if of is None else array_row({}, item.fields[of])["mean"]  # type: ignore[return-value]


def _drawable(trace: Any) -> bool:
    return trace is not None and trace.shape[0] > 1 and 0 not in trace.shape


def _means(name: str, first: Run, second: Run) -> dict[str, Any]:
    """Return the mean over samples and units of both runs, some ticks at a time."""
    row: dict[str, Any] = {"name": name}
    for letter, run in (("A", first), ("B", second)):
        item = run.recorded[name]
        whole = [block.astype(float).reshape(len(block), -1).mean(axis=1) for block in blocks(item.fields[TRACE])]
        thin, step = means(np.concatenate(whole), 400)
        row[letter] = {"ticks": [int(tick) for tick in item.ticks[::step]], "mean": numbers(thin), "step": step}
    return row


def _alike(x: Any, y: Any) -> bool:
    return x is not None and y is not None and x.shape == y.shape and 0 < math.prod(x.shape) <= MOST


def _course(name: str, x: Any, y: Any) -> dict[str, Any]:
    """Return the largest difference at each tick, and the first tick at which there is one."""
    worst, differ = [], 0
    for p, q in zip(blocks(x), blocks(y)):
        difference = np.abs(q.astype(float) - p).reshape(len(p), -1)
        worst.append(difference.max(axis=1))
        differ += int(np.count_nonzero(difference))
    gaps: AnyArray = np.concatenate(worst)
    differing = np.flatnonzero(gaps > 0)
    ticks, thin, step = ranges(np.arange(len(gaps)), gaps[:, None], 400)
    return {
        "name": name,
        "ticks": [int(tick) for tick in ticks],
        "largest": numbers(thin[:, 0]),
        "first": int(differing[0]) if len(differing) else None,
        "most": number(gaps.max()),
        "differ": differ,
        "count": math.prod(x.shape),
        "step": step,
    }


def _costs(a: Mapping[str, Any] | None, b: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return what each op took in both runs; empty where one of them was on no chip."""
    if a is None or b is None:
        return []
    by_op = [{row["op"]: row for row in chip["ops"]} for chip in (a, b)]
    return [_cost(op, *(rows.get(op) for rows in by_op)) for op in dict.fromkeys((*by_op[0], *by_op[1]))]


def _cost(op: str, a: Mapping[str, Any] | None, b: Mapping[str, Any] | None) -> dict[str, Any]:
    row: dict[str, Any] = {"op": op}
    for what in ("joules", "kelvin"):
        x, y = (None if cost is None else cost[what] for cost in (a, b))
        row |= {f"{what} A": x, f"{what} B": y, f"{what} B - A": None if x is None or y is None else number(y - x)}
    return row
