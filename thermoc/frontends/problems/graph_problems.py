"""Problems on graphs whose answer is a set of vertices: maximum cut, maximum independent set, bisection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from thermoc.frontends.problems.data import EdgeList
from thermoc.frontends.problems.problem import Problem, number, of_length, spins_of
from thermoc.frontends.problems.quadratic import QuadraticSum
from thermoc.frontends.problems.source import check_couplings
from thermoc.support.array_types import FloatArray, IntArray


@dataclass(frozen=True, kw_only=True)
class VertexSet(Problem):
    """A problem whose answer is a bit a vertex, in the order of the file: 1 where it is in the set."""

    edges: EdgeList

    def decode(self, spins: ArrayLike) -> IntArray:
        """Return 0 or 1 for each vertex (n,)."""
        return self.answer(spins).astype(np.int64)

    def encode(self, assignment: Any) -> IntArray:
        """Return the spins of 0 or 1 for each vertex. Errors: T518."""
        return spins_of(of_length(assignment, self.edges.size, 0, 1, "bits"))

    def cut(self, spins: ArrayLike) -> float:
        """Return the weight of all edges between the set and the others."""
        inside = self.answer(spins)
        return float(self.edges.weights[inside[self.edges.i] != inside[self.edges.j]].sum())


@dataclass(frozen=True, kw_only=True)
class MaxCut(VertexSet):
    """Most weight between a set and the others. Energy: minus the cut, sum_ij w_ij (s_i s_j - 1) / 2; no penalty."""

    kind: ClassVar[str] = "maxcut"
    sense: ClassVar[str] = "max"

    @classmethod
    def of(cls, edges: EdgeList, name: str) -> Self:
        """Return the problem of a graph."""
        total = QuadraticSum(edges.size)
        total.spins(edges.i, edges.j, edges.weights / 2)
        total.constant(-float(edges.weights.sum()) / 2)
        return cls(name=name, model=total.model(), edges=edges)

    def objective(self, spins: ArrayLike) -> int | float:
        """Return the cut."""
        return number(self.cut(spins))


@dataclass(frozen=True, kw_only=True)
class IndependentSet(VertexSet):
    """Most vertices of which no two are joined; weights do not count.

    Energy: -sum_i x_i + 2 sum_edges x_i x_j. Penalty: at least one joined pair makes a set worse than the set without
    one of the two: that costs 1 and gains at least 2. So a state with such a pair is never one of least energy.
    """

    kind: ClassVar[str] = "mis"
    sense: ClassVar[str] = "max"

    @classmethod
    def of(cls, edges: EdgeList, name: str) -> Self:
        """Return the problem of a graph."""
        total = QuadraticSum(edges.size)
        total.linear(np.arange(edges.size), -1.0)
        total.product(*pairs(edges), 2.0)
        return cls(name=name, model=total.model(), edges=edges)

    def objective(self, spins: ArrayLike) -> int:
        """Return how many vertices are in the set."""
        return int(self.answer(spins).sum())

    def feasible(self, spins: ArrayLike) -> bool:
        """Tell whether no edge lies inside the set."""
        inside = self.answer(spins)
        return not (inside[self.edges.i] & inside[self.edges.j]).any()


@dataclass(frozen=True, kw_only=True)
class Bisection(VertexSet):
    """Least weight between two halves, whose sizes differ by no more than one.

    Energy: cut + A ((sum s)^2 - n mod 2) / 4. Penalty: where the halves differ by m >= 2, moving a vertex of the larger
    one lowers the square by 4 (m - 1) >= 4 and raises the cut by at most its degree D = max_i sum_j |w_ij|; with A
    above D such a state is never one of least energy.
    """

    kind: ClassVar[str] = "partition"

    @classmethod
    def of(cls, edges: EdgeList, name: str) -> Self:
        """Return the problem of a graph. Errors: T504: the model joins every vertex to every other."""
        n = edges.size
        check_couplings(n * (n - 1) // 2, f"a bisection of {n} vertices")
        total = QuadraticSum(n)
        total.spins(edges.i, edges.j, -edges.weights / 2)
        total.constant(float(edges.weights.sum()) / 2)
        A = bisection_penalty(edges)
        # (sum s)^2 = n + 2 sum_{i<j} s_i s_j
        total.spins(*np.triu_indices(n, 1), A / 2)
        total.constant(A * (n - n % 2) / 4)
        return cls(name=name, model=total.model(), edges=edges)

    def objective(self, spins: ArrayLike) -> int | float:
        """Return the cut."""
        return number(self.cut(spins))

    def feasible(self, spins: ArrayLike) -> bool:
        """Tell whether the halves differ by no more than one."""
        inside = int(self.answer(spins).sum())
        return abs(self.edges.size - 2 * inside) <= 1


def bisection_penalty(edges: EdgeList) -> float:
    """Return a number above the largest sum of magnitudes of weights at a vertex."""
    magnitudes = np.abs(edges.weights)
    degrees = np.bincount(edges.i, magnitudes, edges.size) + np.bincount(edges.j, magnitudes, edges.size)
    largest = float(degrees.max(initial=0.0))
    return _above(largest, edges.weights)


def _above(bound: float, weights: FloatArray) -> float:
    """Return a number above a bound, a whole one where the weights are: then every energy is exact."""
    return bound + 1.0 if (weights == np.floor(weights)).all() or not bound else bound * 1.125


def pairs(edges: EdgeList) -> tuple[IntArray, IntArray]:
    """Return the ends of each pair of vertices that is joined, once."""
    if not edges.size:
        return edges.i, edges.j
    low, high = np.minimum(edges.i, edges.j), np.maximum(edges.i, edges.j)
    # sorted by hand: numpy.unique goes through a hash table, which is slower by far on 10^6 edges
    codes = np.sort(low * edges.size + high)
    codes = codes[np.append(True, codes[1:] != codes[:-1])] if len(codes) else codes
    return codes // edges.size, codes % edges.size
