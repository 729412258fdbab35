"""Maximum satisfiability: the fewest clauses that are false."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from thermoc.frontends.problems.data import Clauses
from thermoc.frontends.problems.problem import Problem, of_length, spins_of
from thermoc.frontends.problems.quadratic import QuadraticSum
from thermoc.frontends.problems.source import check_couplings
from thermoc.support.array_types import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, kw_only=True)
class Reduced:
    """Clauses of one length k, of different variables each, with the first of the spins that help their map.

    variables, signs: (m, k), variables from 0, signs -1 and 1.
    """

    variables: IntArray
    signs: IntArray
    first: int

    @property
    def helpers(self) -> int:
        """Return how many spins help each clause."""
        return max((self.variables.shape[1] - 1) // 2, 0)

    @property
    def factors(self) -> FloatArray:
        """Return c_j of each helper: 2, but 1 for the last of an odd length."""
        factors = np.full(self.helpers, 2.0)
        if self.variables.shape[1] % 2 and self.helpers:
            factors[-1] = 1.0
        return factors

    @property
    def places(self) -> IntArray:
        """Return which spins they are (m, helpers)."""
        return self.first + np.arange(len(self.variables) * self.helpers).reshape(len(self.variables), self.helpers)


@dataclass(frozen=True, kw_only=True)
class MaxSat(Problem):
    """Fewest false clauses. Bits: one a variable, 1 for true; spins beyond them help the map.

    A clause is false where all its literals are, z_1 ... z_k = 1 with z = 1 for a false literal. To k = 2 that is
    quadratic. Beyond, with S1 = sum z and S2 = sum of z_a z_b over pairs, it is the least value over floor((k - 1) / 2)
    helpers w_j of S2 + sum_j w_j (c_j (2 j - S1) - 1), c_j = 2, but 1 for the last of an odd k (Ishikawa 2011, IEEE
    TPAMI 33, 1234). So at the best helpers the energy is the number of false clauses, and no penalty is needed.
    """

    kind: ClassVar[str] = "maxsat"
    clauses: Clauses
    reduced: tuple[Reduced, ...]

    @classmethod
    def of(cls, clauses: Clauses, name: str) -> Self:
        """Return the problem of clauses. Errors: T504 (too many couplings)."""
        groups, constant = _reduced(clauses)
        needed = sum(len(g.variables) * _pairs(g.variables.shape[1], g.helpers) for g in groups)
        check_couplings(needed, f"maximum satisfiability with {len(clauses.ends)} clauses")
        total = QuadraticSum(clauses.variables + sum(g.places.size for g in groups))
        total.constant(constant)
        for group in groups:
            _add(total, group)
        return cls(name=name, model=total.model(), clauses=clauses, reduced=groups)

    @property
    def bits(self) -> int:
        """Return how many variables there are."""
        return self.clauses.variables

    def objective(self, spins: ArrayLike) -> int:
        """Return how many clauses are false."""
        value, literals, ends = self.answer(spins), self.clauses.literals, self.clauses.ends
        true = value[np.abs(literals) - 1] == (literals > 0)
        before = np.concatenate([[0], np.cumsum(true)])
        count = before[ends] - before[np.concatenate([[0], ends[:-1]])]
        return int((count == 0).sum())

    def decode(self, spins: ArrayLike) -> BoolArray:
        """Return the value of each variable (n,)."""
        return self.answer(spins)

    def encode(self, assignment: Any) -> IntArray:
        """Return the spins of a truth value for each variable. Errors: T518."""
        return self.complete(of_length(assignment, self.bits, 0, 1, "truth values") > 0)

    def complete(self, bits: BoolArray) -> IntArray:
        """Return the spins of all variables, and of the helpers at their best."""
        spins = np.concatenate([spins_of(bits), np.full(self.model.size - self.bits, -1)])
        for group in self.reduced:
            false = bits[group.variables] != (group.signs > 0)
            S1, j = false.sum(axis=1, keepdims=True), np.arange(1, group.helpers + 1)
            spins[group.places] = spins_of(group.factors * (2 * j - S1) - 1 < 0)
        return spins


def _reduced(clauses: Clauses) -> tuple[tuple[Reduced, ...], int]:
    """Return the clauses by length, without literals that stand twice and clauses always true; how many are empty."""
    by_length: dict[int, list[IntArray]] = {}
    starts = np.concatenate([[0], clauses.ends[:-1]]).astype(np.int64)
    lengths = clauses.ends - starts
    for k in np.unique(lengths[lengths > 0]).tolist():
        rows = clauses.literals[starts[lengths == k][:, np.newaxis] + np.arange(k)]
        variables = np.sort(np.abs(rows), axis=1)
        plain = (variables[:, 1:] != variables[:, :-1]).all(axis=1)
        by_length.setdefault(k, []).append(rows[plain])
        for clause in map(set, rows[~plain].tolist()):
            if not any(-literal in clause for literal in clause):
                by_length.setdefault(len(clause), []).append(np.array([sorted(clause)]))
    groups: list[Reduced] = []
    first = clauses.variables
    for _, tables in sorted(by_length.items()):
        table = np.concatenate(tables)
        groups.append(Reduced(variables=np.abs(table) - 1, signs=np.sign(table), first=first))
        first += groups[-1].places.size
    return tuple(groups), int((lengths == 0).sum())


def _pairs(k: int, helpers: int) -> int:
    return k * (k - 1) // 2 + k * helpers


def _add(total: QuadraticSum, group: Reduced) -> None:
    """Add the polynomial of each clause. A literal's z is the complement of its variable where its sign is 1."""
    z, t, k = group.variables, -group.signs, group.variables.shape[1]
    if k == 1:
        total.linear(z[:, 0], 1.0, t[:, 0])
        return
    a, b = np.triu_indices(k, 1)
    total.product(z[:, a], z[:, b], 1.0, t[:, a], t[:, b])
    for j, c in enumerate(group.factors, 1):
        w = group.places[:, j - 1]
        total.linear(w, 2 * c * j - 1)
        total.product(w[:, np.newaxis], z, -c, 1, t)
