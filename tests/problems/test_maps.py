"""Maps to spins are exact: energies are objectives, states of least energy are optima, and answers come back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from problems.instances import CASES, Case, assignments, energies, problem_of, value

from thermoc.physics.ising import all_states


@settings(max_examples=120)
@given(case=CASES)
def test_energies_are_objectives_and_least_states_are_optima(case: Case, tmp_path_factory: pytest.TempPathFactory):
    problem = problem_of(case, tmp_path_factory.mktemp("problem"))
    sign = -1 if problem.sense == "max" else 1
    best = np.inf
    for answer in assignments(case, problem):
        worth, allowed = value(case, answer)
        spins = problem.encode(answer)
        assert problem.objective(spins) == worth
        assert problem.feasible(spins) == allowed
        assert list(problem.decode(spins)) == list(answer)
        assert np.array_equal(problem.from_bits(problem.bit_string(spins)), spins)
        if allowed:
            assert problem.energy(spins) == sign * worth
            best = min(best, sign * worth)
    E = energies(problem)
    assert E.min() == best
    least = all_states(problem.model.size)[E == best]
    assert all(problem.feasible(spins) and sign * problem.objective(spins) == best for spins in least[:200])


@settings(max_examples=30)
@given(case=CASES)
def test_models_are_symmetric_with_an_empty_diagonal(case: Case, tmp_path_factory: pytest.TempPathFactory):
    model = problem_of(case, tmp_path_factory.mktemp("problem")).model
    assert model.J.dtype == model.h.dtype == np.float64
    assert (model.J != model.J.T).nnz == 0
    assert not model.J.diagonal().any()
    assert model.J.data.all()
