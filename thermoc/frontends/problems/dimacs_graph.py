"""Graphs in DIMACS' format: ``p edge n m`` and m lines ``e i j``, vertices from 1."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from thermoc.frontends.problems.data import EdgeList
from thermoc.frontends.problems.graph_problems import pairs
from thermoc.frontends.problems.lines import Lines
from thermoc.frontends.problems.source import ProblemSource


def read_dimacs_graph(source: ProblemSource) -> EdgeList:
    """Return a graph. An edge that stands twice, as i j and j i too, is one; weights of vertices are passed over.

    Errors: T502, T504, T516.
    """
    lines = Lines.of(source, comments="c")
    if lines.texts[0].split()[:2] not in (["p", "edge"], ["p", "edges"], ["p", "col"]):
        raise lines.wrong(0, "the head line is missing", "the first line that is no comment is: p edge VERTICES EDGES")
    n, m = lines.integers(0, ("the number of vertices", "the number of edges"), skip=2)
    source.check_size(n, "vertices", line=lines.numbers[0])
    unexpected = [at for at, text in enumerate(lines.texts) if at and not text.startswith(("e ", "n ", "e\t"))]
    if unexpected:
        raise lines.wrong(unexpected[0], "a line of an unknown kind", "lines begin with c, p, n or e")
    kept = [at for at, text in enumerate(lines.texts) if text[0] == "e"]
    body = Lines(source=source, texts=[lines.texts[at][1:] for at in kept], numbers=[lines.numbers[at] for at in kept])
    body.check_count(m, "edges", lines.numbers[0])
    rows = body.table((2,), "an edge")
    i, j = (body.indices(rows[:, column], 1, n, "vertex", "vertices count from 1") for column in (0, 1))
    body.check_loops(i, j, "graphs")
    edges = EdgeList(size=n, i=i, j=j, weights=np.ones(m))
    i, j = pairs(edges)
    return replace(edges, i=i, j=j, weights=np.ones(len(i)))
