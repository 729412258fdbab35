"""What each pass changed: the numbers it replaced, and the graph before and after it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from thermoc.compiled import Compiled
from thermoc.ir.graph import Graph
from thermoc.ir.outline import outline
from thermoc.ir.printer import print_graph
from thermoc.passes.change_log import PassRecord
from thermoc.reports.html.graphs import drawn
from thermoc.reports.html.thinning import number

LONGEST = 400
"""Letters of a pass's options, and lines of a difference, that are shown."""
MOST_OPS = 500
"""Graphs of more ops are not compared line by line."""
MOST_CHANGES = 300
STAGES = 8
"""Graphs that are drawn for a target: the last ones that changed, for they are what it runs."""
_DIGEST = re.compile(r"@([0-9a-f]{6})[0-9a-f]{58}")


def passes(compiled: Compiled, names: Collection[str]) -> list[dict[str, Any]]:
    """Return what each pass did; names: ids of ops, by which a changed number is of one."""
    before, rows = compiled.source, list[dict[str, Any]]()
    graphs = compiled.lowered.graphs or (None,) * len(compiled.records)
    for record, after in zip(compiled.records, graphs):
        rows.append(_pass(record, len(before.ops), names) | {"diff": _difference(before, after)})
        before = after or before
    return rows


def stages(compiled: Compiled) -> list[dict[str, Any]]:
    """Return the graphs after the passes that changed something, the last ``STAGES`` of them."""
    records, graphs = compiled.records, compiled.lowered.graphs
    changed = [(record, graph) for record, graph in zip(records, graphs) if record.changed]
    return [drawn(f"after {_name(record.text)}", outline(graph)) for record, graph in changed[-STAGES:]]


def _pass(record: PassRecord, ops_before: int, names: Collection[str]) -> dict[str, Any]:
    changes = [
        {"op": _op_of(change.what, names), **{k: _plain(v) for k, v in asdict(change).items()}}
        for change in record.changes[:MOST_CHANGES]
    ]
    text = record.text if len(record.text) <= LONGEST else f"{record.text[:LONGEST]}…"
    return {
        "name": _name(record.text),
        "text": text,
        "changed": record.changed,
        "ops": [ops_before, record.ops],
        "milliseconds": number(1e3 * record.seconds),
        "changes": changes,
        "unlisted": max(0, len(record.changes) - MOST_CHANGES),
    }


def _name(text: str) -> str:
    return text.partition("{")[0]


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return number(value)
    return value if len(value) <= LONGEST else f"{value[:LONGEST]}…"


def _op_of(what: str, names: Collection[str]) -> str | None:
    """Return the op that a change names, the longest name where several stand in it."""
    words = set(re.findall(r"[\w.]+", what))
    return max((name for name in names if name in words), key=len, default=None)


def _difference(before: Graph, after: Graph | None) -> list[str]:
    """Return the lines that a pass took away and added, with those around them."""
    if after is None or after == before or max(len(before.ops), len(after.ops)) > MOST_OPS:
        return []
    texts = [_lines(before), _lines(after)]
    return list(_without_heads(difflib.unified_diff(*texts, lineterm="", n=1)))[:LONGEST]


def _lines(graph: Graph) -> Sequence[str]:
    text = _DIGEST.sub(r"@\1", print_graph(graph, data=False))
    return [line if len(line) <= LONGEST else f"{line[:LONGEST]}…" for line in text.splitlines()]


def _without_heads(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if not line.startswith(("---", "+++")):
            yield "⋯" if line.startswith("@@") else line
