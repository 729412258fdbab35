"""Stein discrepancies: nil under the law, whatever Z is; their test fails as often as it says, and sees what is wrong."""

# SciPy has no type stubs.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false

import numpy as np
import pytest
from scipy import stats

import thermoc as tc
from thermoc import physics
from thermoc.physics.stein import chi_square_tail
from thermoc.support.array_types import FloatArray

rng = np.random.default_rng(0)
UPPER = np.triu(rng.normal(size=(5, 5)), 1)
J, H, T = UPPER + UPPER.T, rng.normal(size=5), 1.3
STATES = physics.all_states(5)
COST: FloatArray = 2 * STATES * (STATES @ J + H)
LAW = physics.enumerate_ising(J, T, H)


@pytest.mark.parametrize("operator", ["heat-bath", "difference"])
def test_every_row_sums_to_nothing_under_the_law(operator: str):
    matrix = physics.discrete_stein_matrix(STATES, COST, T, operator=operator)
    size = LAW.probabilities @ np.abs(matrix) @ LAW.probabilities
    assert np.abs(LAW.probabilities @ matrix).max() < 1e-12 * size
    assert np.linalg.eigvalsh(matrix).min() > -1e-9 * size  # a kernel: no discrepancy is below zero
    wrong = physics.enumerate_ising(J, T * 1.2, H).probabilities
    assert wrong @ matrix @ wrong > 1e-6 * size


def drawn(T_: float, seed: int, count: int = 200) -> float:
    p = physics.enumerate_ising(J, T_, H).probabilities
    chosen = np.random.default_rng(seed).choice(32, count, p=p)
    return physics.stein_test(physics.discrete_stein_matrix(STATES[chosen], COST[chosen], T)).p


def test_false_alarms_are_as_stated():
    p = np.array([drawn(T, seed) for seed in range(100)])
    assert stats.binom.sf((p < 0.05).sum() - 1, len(p), 0.05) > 1e-4
    assert p.min() > 1e-6 and stats.kstest(p, "uniform").pvalue > 1e-4
    assert np.median([drawn(2 * T, seed) for seed in range(10)]) < 1e-2


def test_reals_and_their_false_alarms():
    p: list[float] = []
    for seed in range(60):
        x = np.random.default_rng(seed).normal(size=(150, 3))
        p.append(physics.stein_test(physics.kernel_stein_matrix(x, -x)).p)
    assert stats.binom.sf((np.array(p) < 0.05).sum() - 1, len(p), 0.05) > 1e-4
    x = np.random.default_rng(0).normal(size=(300, 3)) * np.array([1, 1, 2.0])
    assert physics.stein_test(physics.kernel_stein_matrix(x, -x)).p < 1e-3


def test_blocks_count_the_memory_of_a_chain():
    p: list[float] = []
    for seed in range(30):
        z = np.random.default_rng(seed).normal(size=(1200, 1))
        x = z.copy()
        for k in range(1, len(x)):
            x[k] = 0.8 * x[k - 1] + 0.6 * z[k]
        x = x[::3]
        matrix = physics.kernel_stein_matrix(x, -x)
        p.append(physics.stein_test(matrix, np.arange(len(x)) // 10).p)
    assert stats.binom.sf((np.array(p) < 0.05).sum() - 1, len(p), 0.05) > 1e-4


@pytest.mark.parametrize("quantile", [0.1, 1.0, 3.0, 8.0, 15.0, 30.0])
def test_the_tail_of_weighed_squares(quantile: float):
    assert chi_square_tail([1.0, 1.0, 1.0], quantile) == pytest.approx(stats.chi2.sf(quantile, 3), rel=0.05)
    assert chi_square_tail([2.0], 2 * quantile) == pytest.approx(stats.chi2.sf(quantile, 1), rel=0.12)


def test_ends_of_the_tail():
    assert chi_square_tail([1.0, 2.0], -1.0) == 1.0
    assert chi_square_tail([-1.0], 1.0) == 0.0
    assert chi_square_tail([1.0, -1.0], 0.0) == pytest.approx(0.5, abs=0.05)
    found = physics.stein_test(np.diag(np.ones(20)))
    assert chi_square_tail(found.weights, found.limit(1e-4) * 400) == pytest.approx(1e-4, rel=0.01)


def test_bad_input_is_refused():
    with pytest.raises(tc.ThermocError, match="T405"):
        physics.stein_test(np.ones((4, 4)))
    with pytest.raises(tc.ThermocError, match="T404"):
        physics.discrete_stein_matrix(STATES, COST, T, operator="other")
    with pytest.raises(tc.ThermocError, match="T405"):
        physics.kernel_stein_matrix(np.ones((3, 2)), np.ones((2, 2)))
    with pytest.raises(tc.ThermocError, match="T405"):
        physics.binary_temperatures(np.ones((3, 2)), np.ones((2, 2)))
