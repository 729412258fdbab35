"""Sums of products of bits, put together term by term, as an exact Ising model."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import coo_array

from thermoc.physics.ising_model import IsingModel
from thermoc.support.array_types import FloatArray, IntArray


class QuadraticSum:
    """A quadratic energy of n spins, written in bits u = (1 + t s) / 2, of which t = -1 is the complement.

    Each term is exact in float64 where its coefficient is a whole number: halves and quarters are.
    """

    def __init__(self, n: int):
        self.n = n
        self.offset = 0.0
        self._h = np.zeros(n)
        self._pairs: list[tuple[IntArray, IntArray, FloatArray]] = []

    def constant(self, c: float) -> None:
        """Add c."""
        self.offset += c

    def linear(self, i: ArrayLike, c: ArrayLike, t: ArrayLike = 1) -> None:
        """Add sum c u_i. i, c, t: (m,) or one."""
        i, c, t = np.broadcast_arrays(np.asarray(i, np.int64), np.asarray(c, float), t)
        self.offset += float(c.sum()) / 2
        self._add_field(i, c * t / 2)

    def product(self, i: ArrayLike, j: ArrayLike, c: ArrayLike, ti: ArrayLike = 1, tj: ArrayLike = 1) -> None:
        """Add sum c u_i u_j, of which no i is its j. i, j, c, ti, tj: (m,) or one."""
        i, j, c, ti, tj = np.broadcast_arrays(np.asarray(i, np.int64), np.asarray(j, np.int64), c, ti, tj)
        quarter = np.asarray(c, float) / 4
        self.offset += float(quarter.sum())
        self._add_field(i, quarter * ti)
        self._add_field(j, quarter * tj)
        self._pairs.append((i.ravel(), j.ravel(), (quarter * ti * tj).ravel()))

    def spins(self, i: ArrayLike, j: ArrayLike, c: ArrayLike) -> None:
        """Add sum c s_i s_j, of which no i is its j."""
        i, j, c = np.broadcast_arrays(np.asarray(i, np.int64), np.asarray(j, np.int64), np.asarray(c, float))
        self._pairs.append((i.ravel(), j.ravel(), c.ravel()))

    def field(self, c: ArrayLike) -> None:
        """Add sum c_i s_i. c: (n,)."""
        self._h += np.asarray(c, float)

    def one_of(self, groups: IntArray, c: ArrayLike) -> None:
        """Add c (1 - sum of a group's bits)^2 for each group. groups: (g, k) indices; c: (g,) or one."""
        c = np.broadcast_to(np.asarray(c, float), len(groups))
        self.offset += float(c.sum())
        self.linear(groups.ravel(), -np.repeat(c, groups.shape[1]))
        a, b = np.triu_indices(groups.shape[1], 1)
        self.product(groups[:, a].ravel(), groups[:, b].ravel(), 2 * np.repeat(c, len(a)))

    def _add_field(self, i: IntArray, c: FloatArray) -> None:
        self._h += np.bincount(i.ravel(), weights=c.ravel(), minlength=self.n)

    def model(self) -> IsingModel:
        """Return the model whose energy is the sum."""
        nothing = (np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))
        i, j, c = (np.concatenate(column) for column in zip(nothing, *self._pairs))
        # P12 has the sum over pairs with a minus
        symmetric = coo_array(
            (np.concatenate([-c, -c]), (np.concatenate([i, j]), np.concatenate([j, i]))), (self.n, self.n)
        )
        J = symmetric.tocsr()
        J.sum_duplicates()
        J.eliminate_zeros()
        return IsingModel(J=J, h=-self._h + 0.0, offset=self.offset)
