"""What samplers draw becomes answers; and what they find is the optimum, proven by enumeration."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from thermoc.apps.optimisation.answers import answers, check_answers, document
from thermoc.apps.optimisation.minimise import Progress, minimise
from thermoc.apps.optimisation.samples import Samples
from thermoc.cli.anneal_display import BestSoFar
from thermoc.frontends.problems import read
from thermoc.physics.ising import all_states

UNITS, QUBOS = 16, 5


def qubo(path: Path, seed: int, n: int = UNITS) -> np.ndarray:
    """Write a QUBO with coefficients -50 to 50, of which half are 0."""
    rng = np.random.default_rng(seed)
    Q = np.triu(rng.integers(-50, 51, (n, n)) * (rng.random((n, n)) < 0.5))
    path.write_text("\n".join(f"{i} {j} {Q[i, j]}" for i, j in np.argwhere(Q)) + f"\n{n - 1} {n - 1} 0\n")
    return Q


@pytest.mark.parametrize("seed", range(QUBOS))
def test_the_least_value_is_that_of_enumeration(tmp_path: Path, seed: int):
    Q, x = qubo(tmp_path / "q.coo", seed), (all_states(UNITS) + 1) / 2
    problem = read(tmp_path / "q.coo")
    best = answers(problem, minimise(problem.model, seed=seed, sweeps=300, replicas=8, threads=1))[0]
    assert best.objective == best.energy == ((x @ Q) * x).sum(axis=1).min()


@pytest.mark.parametrize("number", [0, 1])
def test_independent_sets_are_as_large_as_an_exact_solver_proves(shared: Path, number: int):
    """The largest set of HiGHS, an integer programme: at most one end of each edge."""
    folder = shared / "lava-optimization/tutorials/data/qubo/workloads/mis-uniform"
    problem = read(folder / f"mis-uniform-100-0.05-{number}.txt", "mis")
    edges = problem.edges
    ends = np.concatenate([edges.i, edges.j])
    once = coo_array((np.ones(len(ends)), (np.tile(np.arange(len(edges.i)), 2), ends))).tocsr()
    exact = milp(-np.ones(100), constraints=LinearConstraint(once, ub=1), integrality=np.ones(100), bounds=Bounds(0, 1))
    best = answers(problem, minimise(problem.model, seed=1, sweeps=2000, replicas=8, threads=1))[0]
    assert best.feasible
    assert best.objective == round(-exact.fun)


def samples(spins: list[list[int]]) -> Samples:
    array = np.array(spins, np.int8)
    return Samples(spins=array, energies=np.zeros(len(array)), method="x", seed=3, sweeps=1, seconds=0.0)


def test_allowed_answers_come_first_and_helpers_are_no_part_of_them(tmp_path: Path):
    (tmp_path / "a.rud").write_text("2 1\n1 2 1\n")
    problem = read(tmp_path / "a.rud", "mis")
    made = answers(problem, samples([[1, 1], [1, -1], [1, -1], [-1, -1]]))
    rows = [(answer.bits, answer.count, answer.objective, answer.feasible) for answer in made]
    assert rows == [("10", 2, 1, True), ("00", 1, 0, True), ("11", 1, 2, False)]
    (tmp_path / "a.cnf").write_text("p cnf 3 1\n1 2 3 0\n")
    clause = read(tmp_path / "a.cnf")
    (only,) = answers(clause, samples([[1, 1, 1, 1], [1, 1, 1, -1]]))
    assert (only.bits, only.count, only.energy, only.seed) == ("111", 2, 0, 3)


def test_a_verdict_is_of_the_file_and_not_of_the_model(tmp_path: Path):
    """A stated energy, objective or permission that is not so is found, each alone."""
    (tmp_path / "a.rud").write_text("3 2\n1 2 0.1\n2 3 0.2\n")
    problem = read(tmp_path / "a.rud", "partition")
    content = document(problem, answers(problem, samples([[1, -1, 1], [1, 1, 1]])))
    assert all(verdict.right for verdict in check_answers(problem, content))
    for name, value in [("energy", -1.0), ("objective", 0.31), ("feasible", False), ("bits", "011")]:
        changed = {**content, "answers": [{**content["answers"][0], name: value}]}
        assert not check_answers(problem, changed)[0].right, name


def test_the_line_on_a_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "a.rud").write_text("2 1\n1 2 1\n")
    display = BestSoFar(read(tmp_path / "a.rud"), asked=True)
    display(Progress(seconds=0.1, sweeps=1, best_energy=0.0))
    assert capsys.readouterr().err == ""
    late = Progress(seconds=2.0, sweeps=1000, best_energy=-1.0)
    display(late)
    display.close()
    assert display.line(late) == "a.rud  2 s  1,000 sweeps  best 1"
    assert not BestSoFar(read(tmp_path / "a.rud")).shown, "nobody looks at captured output"
