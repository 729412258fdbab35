"""What each pass changed: the numbers it replaced, and the graph before and after it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from thermoc.compiled import Compiled
from thermoc.ir.graph import Graph
from thermoc.ir.outline import outline
from thermoc.ir.printer import print_graph
from thermoc.passes.change_log import outline as outline_of_passes
from thermoc.reports.html.graphs import drawn
from thermoc.support.thinning import number

LONGEST = 400
"""Letters of a line of a graph's text, and lines of a difference, that are shown."""
MOST_OPS = 500
"""Graphs of more ops are not compared line by line."""
STAGES = 8
"""Graphs that are drawn for a target: the last ones that changed, for they are what it runs."""
_DIGEST = re.compile(r"@([0-9a-f]{6})[0-9a-f]{58}")


def passes(compiled: Compiled, names: Collection[str]) -> list[dict[str, Any]]:
    """Return what each pass did; names: ids of ops, by which a changed number is of one."""
    before, graphs = compiled.source, compiled.lowered.graphs or (None,) * len(compiled.records)
    rows = told(outline_of_passes(compiled.records), names, len(before.ops))
    for row, record, after in zip(rows, compiled.records, graphs):
        row |= {"milliseconds": number(1e3 * record.seconds), "diff": _difference(before, after)}
        before = after or before
    return rows


def told(outlines: Sequence[Mapping[str, Any]], names: Collection[str], ops: int | None) -> list[dict[str, Any]]:
    """Return rows of passes from their outlines, which a run's file has too; ops: how many there were before."""
    rows = list[dict[str, Any]]()
    for one in outlines:
        changes = [{"op": _op_of(change["what"], names), **change} for change in one["changes"]]
        rows.append({**one, "name": _name(one["text"]), "ops": [ops, one["ops"]], "changes": changes})
        ops = one["ops"]
    return rows


def stages(compiled: Compiled) -> list[dict[str, Any]]:
    """Return the graphs after the passes that changed something, the last ``STAGES`` of them."""
    records, graphs = compiled.records, compiled.lowered.graphs
    changed = [(record, graph) for record, graph in zip(records, graphs) if record.changed]
    return [drawn(f"after {_name(record.text)}", outline(graph)) for record, graph in changed[-STAGES:]]


def _name(text: str) -> str:
    return text.partition("{")[0]


def _op_of(what: str, names: Collection[str]) -> str | None:
    """Return the op that a change names, the longest name where several stand in it."""
    words = set(re.findall(r"[\w.]+", what))
    return max((name for name in names if name in words), key=len, default=None)


def _difference(before: Graph, after: Graph | None) -> list[str]:
    """Return the lines that a pass took away and added, with those around them."""
    if after is None or after == before or max(len(before.ops), len(after.ops)) > MOST_OPS:
        return []
    diff = difflib.unified_diff(_lines(before), _lines(after), lineterm="", n=1)
    return list(_without_heads(diff))[:LONGEST]


def _lines(graph: Graph) -> Sequence[str]:
    text = _DIGEST.sub(r"@\1", print_graph(graph, data=False))
    return [line if len(line) <= LONGEST else f"{line[:LONGEST]}…" for line in text.splitlines()]


def _without_heads(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        if not line.startswith(("---", "+++")):
            yield "⋯" if line.startswith("@@") else line
