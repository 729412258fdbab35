"""Colouring the vertices of a graph with k colours so that few joined vertices have the same one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from thermoc.frontends.problems.data import EdgeList
from thermoc.frontends.problems.graph_problems import pairs
from thermoc.frontends.problems.problem import Problem, of_length, spins_of
from thermoc.frontends.problems.quadratic import QuadraticSum
from thermoc.frontends.problems.source import check_couplings
from thermoc.support.array_types import BoolArray, IntArray
from thermoc.support.errors import error


@dataclass(frozen=True, kw_only=True)
class Colouring(Problem):
    """Fewest edges inside a colour. Bits: vertex by vertex one for each colour, of which one is set.

    Energy: sum_v A_v (1 - sum_c x_vc)^2 + sum_edges sum_c x_uc x_vc with A_v = floor(degree_v / k) + 1. Penalty: a
    second colour only adds to both sums; and a vertex without one, once no other has two, can take the colour that
    fewest of its neighbours have, at most floor(degree / k), which costs less than A_v. So states of least energy give
    every vertex one colour.
    """

    kind: ClassVar[str] = "colouring"
    edges: EdgeList
    colours: int

    @classmethod
    def of(cls, edges: EdgeList, name: str, colours: int | None = None) -> Self:
        """Return the problem of a graph. colours: how many; default: as many as a greedy colouring takes.

        Errors: T404 (no colour), T504 (too many couplings).
        """
        i, j = pairs(edges)
        k = _greedy(edges.size, i, j) if colours is None else colours
        if k < 1:
            raise error("T404", "a colouring needs a colour", notes=[f"{k} are asked for"], hint="--colours 3")
        n = edges.size
        check_couplings(len(i) * k + n * k * (k - 1) // 2, f"a colouring of {n} vertices with {k} colours")
        total = QuadraticSum(n * k)
        degrees = np.bincount(i, minlength=n) + np.bincount(j, minlength=n)
        total.one_of(np.arange(n * k).reshape(n, k), degrees // k + 1)
        colour = np.arange(k)[:, np.newaxis]
        total.product((i * k + colour).ravel(), (j * k + colour).ravel(), 1.0)
        return cls(name=name, model=total.model(), edges=edges, colours=k)

    def table(self, spins: ArrayLike) -> BoolArray:
        """Return which vertex has which colour (n, k)."""
        return self.answer(spins).reshape(self.edges.size, self.colours)

    def objective(self, spins: ArrayLike) -> int:
        """Return how many joined pairs of vertices share a colour."""
        i, j = pairs(self.edges)
        table = self.table(spins)
        return int((table[i] & table[j]).any(axis=1).sum())

    def feasible(self, spins: ArrayLike) -> bool:
        """Tell whether every vertex has one colour."""
        return bool((self.table(spins).sum(axis=1) == 1).all())

    def decode(self, spins: ArrayLike) -> IntArray:
        """Return the colour of each vertex (n,), -1 where it has none or several."""
        table = self.table(spins)
        return np.where(table.sum(axis=1) == 1, table.argmax(axis=1), -1)

    def encode(self, assignment: Any) -> IntArray:
        """Return the spins of a colour for each vertex, from 0. Errors: T518."""
        colours = of_length(assignment, self.edges.size, 0, self.colours - 1, "colours")
        return spins_of((colours[:, np.newaxis] == np.arange(self.colours)).ravel())


def _greedy(n: int, i: IntArray, j: IntArray) -> int:
    import networkx

    graph = networkx.Graph()
    graph.add_nodes_from(range(n))
    graph.add_edges_from(zip(i.tolist(), j.tolist()))
    return 1 + max(networkx.greedy_color(graph, strategy="largest_first").values(), default=0)
