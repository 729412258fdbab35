"""Maps to spins are exact: energies are objectives, states of least energy are optima, and answers come back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from problems.instances import CASES, assignments, energies, problem_of, value

from thermoc.physics.ising import all_states


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("problems")


@pytest.mark.parametrize("kind", CASES)
@settings(max_examples=25)
@given(data=st.data())
def test_energies_are_objectives_and_least_states_are_optima(kind: str, data: st.DataObject, folder: Path):
    case = data.draw(CASES[kind])
    problem = problem_of(case, folder)
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
    levels = energies(problem)
    assert levels.min() == best
    least = all_states(problem.model.size)[levels == best]
    assert all(problem.feasible(spins) and sign * problem.objective(spins) == best for spins in least[:200])
    model = problem.model
    assert model.J.dtype == model.h.dtype == np.float64
    assert (model.J != model.J.T).nnz == 0
    assert not model.J.diagonal().any()
    assert model.J.data.all()
