"""A graph as its whole adjacency matrix: n lines of n numbers, 0 where no edge is."""

from __future__ import annotations

import numpy as np

from thermoc.frontends.problems.data import EdgeList
from thermoc.frontends.problems.lines import Lines, integral
from thermoc.frontends.problems.source import ProblemSource


def read_matrix(source: ProblemSource) -> EdgeList:
    """Return a graph with a symmetric matrix and an empty diagonal. Errors: T502, T516, T517."""
    lines = Lines.of(source)
    n = len(lines.texts[0].split())
    if len(lines) != n:
        notes = (f"the first line has {n} numbers", f"the file has {len(lines)} lines")
        raise lines.wrong(len(lines) - 1, "the matrix is not square", *notes)
    matrix = lines.table((n,), "the matrix")
    loops, uneven = np.flatnonzero(matrix.diagonal()), np.argwhere(matrix != matrix.T)
    if len(loops):
        at = int(loops[0])
        raise source.wrong("an edge joins a vertex to itself", f"row and column {at + 1}", line=lines.numbers[at])
    if len(uneven):
        i, j = uneven[0].tolist()
        notes = (f"row {i + 1}, column {j + 1} is {matrix[i, j]:g}", f"row {j + 1}, column {i + 1} is {matrix[j, i]:g}")
        raise source.wrong("the matrix is not symmetric", *notes, line=lines.numbers[i])
    i, j = np.nonzero(np.triu(matrix))
    source.check_total(matrix[i, j], integers=integral(matrix))
    return EdgeList(size=n, i=i, j=j, weights=matrix[i, j])
