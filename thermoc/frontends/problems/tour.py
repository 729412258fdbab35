"""The shortest tour through a few cities (travelling salesman)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from thermoc.frontends.problems.data import Distances
from thermoc.frontends.problems.problem import Problem, number, of_length, spins_of, unfit
from thermoc.frontends.problems.quadratic import QuadraticSum
from thermoc.frontends.problems.source import check_couplings
from thermoc.support.array_types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, kw_only=True)
class Tour(Problem):
    """The shortest way through all n cities and back. Bits: x_cp for city c = 1.. and place p = 1..; city 0 is first.

    Energy: the length + A (sum_c (1 - sum_p x_cp)^2 + sum_p (1 - sum_c x_cp)^2) with A above the longest way d.
    Penalty: dropping a bit from a city or place that has several never raises the energy; then a city and a place that
    lack each other are joined for at most 2 d < 2 A, which is what both squares lose. So states of least energy are
    tours.
    """

    kind: ClassVar[str] = "tsp"
    lengths: FloatArray

    @classmethod
    def of(cls, data: Distances, name: str) -> Self:
        """Return the problem of a table of distances. Errors: T504 (too many couplings)."""
        d = data.lengths
        n, m = len(d), len(d) - 1
        check_couplings(2 * m * m * m, f"a tour of {n} cities")
        bits, total = np.arange(m * m).reshape(m, m), QuadraticSum(m * m)
        longest = float(d.max())
        A = longest + 1 if (d == np.floor(d)).all() else longest * 1.125
        total.one_of(bits, A)
        total.one_of(bits.T, A)
        total.linear(bits[:, 0], d[0, 1:])
        total.linear(bits[:, -1], d[1:, 0])
        a, b = (axis.ravel() for axis in np.nonzero(~np.eye(m, dtype=bool)))
        for step in range(m - 1):
            total.product(bits[a, step], bits[b, step + 1], d[a + 1, b + 1])
        return cls(name=name, model=total.model(), lengths=d)

    def table(self, spins: ArrayLike) -> BoolArray:
        """Return which city, but the first, stands at which place (n - 1, n - 1)."""
        m = len(self.lengths) - 1
        return self.answer(spins).reshape(m, m)

    def objective(self, spins: ArrayLike) -> int | float:
        """Return the length of the tour; of a state that is none, the ways between neighbouring places."""
        d, table = self.lengths, np.zeros(self.lengths.shape)
        table[0, 0], table[1:, 1:] = 1, self.table(spins)
        return number((table * (d @ np.roll(table, -1, axis=1))).sum())

    def feasible(self, spins: ArrayLike) -> bool:
        """Tell whether every city has one place and every place one city."""
        table = self.table(spins)
        return bool((table.sum(axis=0) == 1).all() and (table.sum(axis=1) == 1).all())

    def decode(self, spins: ArrayLike) -> IntArray:
        """Return the cities in the order of the tour (n,), from 0; -1 at a place that has none or several."""
        table = self.table(spins)
        cities = np.where(table.sum(axis=0) == 1, table.argmax(axis=0) + 1, -1)
        return np.concatenate([[0], cities])

    def encode(self, assignment: Any) -> IntArray:
        """Return the spins of a tour: every city once, 0 first. Errors: T518."""
        n = len(self.lengths)
        tour = of_length(assignment, n, 0, n - 1, "cities")
        if tour[0] != 0 or len(set(tour.tolist())) != n:
            raise unfit("a tour begins at city 0 and has every city once")
        return spins_of((np.arange(1, n)[:, np.newaxis] == tour[1:]).ravel())
