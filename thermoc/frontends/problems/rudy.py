"""Graphs as rudy writes them (the G-set): ``n m``, then m lines ``i j w``, vertices from 1; also lists of edges."""

from __future__ import annotations

import numpy as np

from thermoc.frontends.problems.data import EdgeList
from thermoc.frontends.problems.lines import Lines, integral
from thermoc.frontends.problems.source import ProblemSource
from thermoc.support.array_types import FloatArray


def read_rudy(source: ProblemSource) -> EdgeList:
    """Return a graph with a head line. A line without a weight has weight 1. Errors: T502, T504, T516, T517."""
    lines = Lines.of(source)
    n, m = lines.integers(0, ("the number of vertices", "the number of edges"))
    source.check_size(n, "vertices", line=lines.numbers[0])
    body = lines.after(1)
    body.check_count(m, "edges", lines.numbers[0])
    return _edges(body, body.table((3, 2), "an edge"), 1, n)


def read_edges(source: ProblemSource) -> EdgeList:
    """Return a graph without a head: lines ``i j`` or ``i j w``, vertices from 0 to the largest that occurs.

    Errors: T502, T504, T516, T517.
    """
    lines = Lines.of(source)
    rows = lines.table((3, 2), "an edge")
    largest = float(rows[:, :2].max())
    source.check_size(int(min(largest, 1e18)) + 1, "vertices")
    return _edges(lines, rows, 0, int(largest) + 1)


def _edges(lines: Lines, rows: FloatArray, first: int, n: int) -> EdgeList:
    hint = "vertices count from 1" if first else "vertices count from 0"
    i, j = (lines.indices(rows[:, column], first, first + n - 1, "vertex", hint) for column in (0, 1))
    lines.check_loops(i, j, "graphs")
    weights = rows[:, 2].copy() if rows.shape[1] == 3 else np.ones(len(rows))
    lines.source.check_total(weights, integers=integral(weights))
    return EdgeList(size=n, i=i, j=j, weights=weights)
