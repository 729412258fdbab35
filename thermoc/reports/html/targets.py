"""What a verification found, as a report draws it: each target's errors against the tick, breaches, accuracy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from thermoc.support.array_types import AnyArray
from thermoc.support.thinning import number, numbers, ranges
from thermoc.verification import Verification
from thermoc.verification.comparison import UNJUDGED
from thermoc.verification.result import unjudged_because


def targets(verified: Verification, labels: Mapping[str, AnyArray], producers: Mapping[str, str]) -> dict[str, Any]:
    """Return rows, courses and breaches. labels: the right class of each sample, (batch,), by output."""
    rows = [
        {
            **row.to_json(),
            "op": producers.get(row.value),
            "shown": row.shown(),
            "why": unjudged_because(row) if row.verdict == UNJUDGED else None,
            "course": _course(*row.course),
        }
        for row in verified.rows
    ]
    return {
        "title": verified.title,
        "targets": list(verified.targets),
        "ok": verified.ok,
        "rows": rows,
        "breaches": [breach.to_json() | {"text": str(breach)} for breach in verified.breaches],
        "accuracy": _accuracies(verified, labels),
        "first": _first(verified, producers),
    }


def _course(size: AnyArray, tolerance: AnyArray) -> dict[str, Any]:
    ticks, thin, step = ranges(np.arange(len(size)), np.stack([size, tolerance], axis=1), 300)
    return {
        "ticks": [int(tick) for tick in ticks],
        "largest": numbers(thin[:, 0]),
        "tolerance": numbers(thin[:, 1]),
        "step": step,
    }


def _first(verified: Verification, producers: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return where each target parts from the network first: a breach's place, else the tick of the first row.

    by: the difference there at a breach, else the largest of that value over all ticks.
    """
    firsts = []
    for target in verified.targets:
        breaches = [breach for breach in verified.breaches if breach.target == target]
        diverged = [row for row in verified.rows if row.target == target and row.first is not None]
        row: dict[str, Any] = {"target": target, "tick": None, "op": None, "unit": None, "pass": None, "by": None}
        row["why"] = "none"
        if breaches:
            first = min(breaches, key=lambda breach: breach.tick)
            row |= {"tick": first.tick, "op": first.op, "unit": list(first.unit), "pass": first.step, "why": "breach"}
            row["by"] = number(abs(first.actual - first.expected))
        elif diverged:
            first = min(diverged, key=lambda row: row.first or 0)
            row |= {"tick": first.first, "op": producers.get(first.value, first.value), "why": _why(first.verdict)}
            row["by"] = number(float(first.largest))
        firsts.append(row)
    return firsts


def _why(verdict: str) -> str:
    return verdict if verdict in ("breach", "not judged") else f"{verdict}, within what is allowed"


def _accuracies(verified: Verification, labels: Mapping[str, AnyArray]) -> list[dict[str, Any]]:
    """Return the share of samples whose largest unit, in the mean over ticks, is the right one; by target."""
    runs = {"reference": verified.reference} | {
        name: outcome.outputs for name, (_, outcome) in verified.outcomes.items()
    }
    return [
        {"target": target, "output": name, **_accuracy(arrays[name], verified.reference[name], right)}
        for name, right in labels.items()
        for target, arrays in runs.items()
    ]


def _accuracy(values: AnyArray, reference: AnyArray, right: AnyArray) -> dict[str, Any]:
    labels, expected = (
        np.asarray(a, float).mean(axis=0).reshape(len(right), -1).argmax(axis=1) for a in (values, reference)
    )
    return {
        "accuracy": float((labels == right).mean()),
        "samples": len(right),
        "labels as reference": int((labels == expected).sum()),
        "largest difference": float(np.abs(np.asarray(values, float) - reference).max(initial=0.0)),
    }
