"""What the readers of problems return, before a kind of problem is made of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from thermoc.support.array_types import FloatArray, IntArray


@dataclass(frozen=True, kw_only=True)
class EdgeList:
    """A graph of n vertices: ends i, j (m,) counted from 0, weights (m,). Parallel edges add up; no edge is a loop.

    labels: what the file calls each vertex.
    """

    size: int
    i: IntArray
    j: IntArray
    weights: FloatArray
    labels: tuple[Any, ...] = ()


@dataclass(frozen=True, kw_only=True)
class QuadraticForm:
    """offset + sum_k values_k v_ik v_jk + sum_k linear_k v_k, to be minimised over v in {0, 1}, or {-1, 1} where spin.

    i, j, values: (m,), of which no i is its j; linear: (n,). labels: what the file calls each variable.
    """

    linear: FloatArray
    i: IntArray
    j: IntArray
    values: FloatArray
    offset: float = 0.0
    spin: bool = False
    labels: tuple[Any, ...] = ()

    @property
    def size(self) -> int:
        """Return how many variables there are."""
        return len(self.linear)


@dataclass(frozen=True, kw_only=True)
class Clauses:
    """Disjunctions of literals +-v of variables counted from 1: those of clause k are literals[ends[k - 1]:ends[k]]."""

    variables: int
    literals: IntArray
    ends: IntArray


@dataclass(frozen=True, kw_only=True)
class Distances:
    """Lengths (n, n) of the ways from city to city, none below zero; they need not be symmetric."""

    lengths: FloatArray


Data = EdgeList | QuadraticForm | Clauses | Distances
