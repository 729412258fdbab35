"""Problems that are quadratic as they stand: QUBO in bits, Ising in spins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from thermoc.frontends.problems.data import EdgeList, QuadraticForm
from thermoc.frontends.problems.problem import Problem, number, of_length, spins_of, unfit
from thermoc.frontends.problems.quadratic import QuadraticSum
from thermoc.support.array_types import FloatArray, IntArray


@dataclass(frozen=True, kw_only=True)
class Quadratic(Problem):
    """Least value of a quadratic form; the energy is that value. Bits: one a variable, 1 for spin 1."""

    form: QuadraticForm

    def variables(self, spins: ArrayLike) -> FloatArray:
        """Return the values of the form's variables (n,)."""
        bits = self.answer(spins)
        return spins_of(bits).astype(float) if self.form.spin else bits.astype(float)

    def objective(self, spins: ArrayLike) -> int | float:
        """Return the value of the form."""
        form, v = self.form, self.variables(spins)
        return number(form.offset + form.linear @ v + (form.values * v[form.i] * v[form.j]).sum())

    def decode(self, spins: ArrayLike) -> IntArray | dict[Any, int]:
        """Return the values of the variables (n,), by label where the file names them."""
        values = self.variables(spins).astype(np.int64)
        return dict(zip(self.form.labels, values.tolist())) if self.form.labels else values

    def encode(self, assignment: Any) -> IntArray:
        """Return the spins of values (n,), or of values by label. Errors: T518."""
        if isinstance(assignment, Mapping):
            if set(assignment) != set(self.form.labels):
                raise unfit("it has a value for each label of the problem, and no others")
            assignment = [assignment[label] for label in self.form.labels]
        values = of_length(assignment, self.form.size, -1 if self.form.spin else 0, 1, "values")
        if self.form.spin and not values.all():
            raise unfit("spins are -1 or 1")
        return spins_of(values > 0)


@dataclass(frozen=True, kw_only=True)
class Qubo(Quadratic):
    """Least offset + sum_i Q_ii x_i + sum_ij Q_ij x_i x_j over bits (P12)."""

    kind: ClassVar[str] = "qubo"

    @classmethod
    def of(cls, form: QuadraticForm, name: str) -> Self:
        """Return the problem of a form in bits; one in spins is an Ising model, of the same least value."""
        total = QuadraticSum(form.size)
        total.constant(form.offset)
        total.linear(np.arange(form.size), form.linear)
        total.product(form.i, form.j, form.values)
        return cls(name=name, model=total.model(), form=form)


@dataclass(frozen=True, kw_only=True)
class Ising(Quadratic):
    """Least offset + sum_i h_i s_i + sum_ij J_ij s_i s_j over spins, with the signs that the file's format has."""

    kind: ClassVar[str] = "ising"

    @classmethod
    def of(cls, data: QuadraticForm | EdgeList, name: str) -> Self:
        """Return the problem of a form in spins; weights w of a graph are the couplings of P12, E = -sum w s s."""
        if isinstance(data, EdgeList):
            data = QuadraticForm(
                linear=np.zeros(data.size), i=data.i, j=data.j, values=-data.weights, spin=True, labels=data.labels
            )
        total = QuadraticSum(data.size)
        total.constant(data.offset)
        total.field(data.linear)
        total.spins(data.i, data.j, data.values)
        return cls(name=name, model=total.model(), form=data)
