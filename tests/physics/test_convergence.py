"""P49 by ranks and over many units: against ArviZ, and against closed forms at 4 standard errors (6e-5)."""

from collections.abc import Callable

import numpy as np
import pytest
from physics.series import autoregressive

import thermoc as tc
from thermoc import physics
from thermoc.support.array_types import FloatArray

SERIES: dict[str, FloatArray] = {
    "ar": autoregressive(0.8, 300, 4),
    "cubed": autoregressive(0.5, 201, 3, 1) ** 3,
    "apart": autoregressive(0.5, 200, 4, 2) + np.array([0, 0, 0, 1.0]),
    "spread": autoregressive(0.5, 200, 4, 3) * np.array([1, 1, 1, 3.0]),
    "spins": np.where(autoregressive(0.7, 400, 2, 4) > 0, 1.0, -1.0),
}
ARVIZ = {
    "ar": (1.0319262939493283, 153.51951397238125, 265.49891881701035),
    "cubed": (1.047805944210375, 127.14609224443849, 304.9148425746041),
    "apart": (1.0737478164084924, 41.85304213756737, 344.040267092354),
    "spread": (1.114522637203712, 309.4317569845503, 55.78277422959704),
    "spins": (1.0060562037035465, 224.97982723750675, 224.9798272375068),
}
"""rhat(method="rank"), ess(method="bulk"), ess(method="tail") of ArviZ 0.23.4, which sums one odd lag more."""


@pytest.mark.parametrize("name", SERIES)
def test_ranks_agree_with_arviz(name: str):
    found, (r_hat, bulk, tail) = physics.convergence(SERIES[name]), ARVIZ[name]
    assert found.r_hat == pytest.approx(r_hat, rel=1e-12)
    assert found.bulk_ess == pytest.approx(bulk, rel=0.03)
    assert found.tail_ess == pytest.approx(tail, rel=0.03)


def test_ranks_see_spread_and_infinite_variance():
    heavy = np.random.default_rng(0).standard_cauchy((1000, 4))
    assert physics.rank_r_hat(heavy) < 1.01
    assert physics.rank_r_hat(heavy * np.array([1, 1, 1, 20.0])) > 1.05
    assert physics.rank_r_hat(heavy + np.array([0, 0, 0, 2.0])) > 1.05


def three(a: float, steps: int, chains: int) -> FloatArray:
    mix = np.array([[1.0, 0, 0], [0.8, 0.6, 0], [0.1, 0.3, 0.9]])
    return np.stack([autoregressive(a, steps, chains, seed) for seed in range(3)], axis=-1) @ mix.T


def test_many_units_at_once_know_as_much_as_their_slowest_direction():
    # all directions have the same memory here, whatever is mixed of them: n (1 - a) / (1 + a)
    x = three(0.8, 4000, 4)
    assert physics.multivariate_ess(x) == pytest.approx(16000 * 0.2 / 1.8, rel=0.2)
    assert 1 < physics.multivariate_r_hat(x) < 1.01
    assert physics.multivariate_r_hat(x + np.array([0, 0, 0, 3.0])[:, np.newaxis]) > 1.05
    # each unit alone shows nothing of what only their difference does
    hidden = np.stack([x[..., 0], x[..., 0] + 0.05 * x[..., 1] + np.array([0, 0, 0, 0.1])], axis=-1)
    assert physics.split_r_hat(hidden[..., 1]) < 1.01 and physics.multivariate_r_hat(hidden) > 1.05
    one = x[..., :1]
    assert physics.multivariate_r_hat(one) == pytest.approx(physics.split_r_hat(one[..., 0]), rel=1e-12)


def test_batches_of_independent_units_give_their_covariance():
    x = three(0.0, 10000, 2)
    covariance = physics.batch_covariance(x)
    assert np.abs(covariance / np.cov(x.reshape(-1, 3).T) - 1)[np.diag_indices(3)].max() < 0.4
    assert physics.least_multivariate_ess(1) == pytest.approx(6146.0, rel=1e-3)  # 4 chi2 / (pi... ) of Vats et al.


def test_what_cannot_be_told_is_refused():
    with pytest.raises(tc.ThermocError, match="T405"):
        physics.batch_covariance(np.ones((10, 2, 2)))
    with pytest.raises(tc.ThermocError, match=r"(?s)T405.*never moves"):
        physics.multivariate_ess(np.repeat(autoregressive(0.0, 100, 2)[..., np.newaxis], 2, axis=2))
    with pytest.raises(tc.ThermocError, match="T405"):
        physics.multivariate_ess(np.ones(4))


def test_chains_that_differ_in_spread_do_not_agree():
    x = autoregressive(0.5, 2000, 8) * np.where(np.arange(8) < 4, 1.0, 1.5)
    assert physics.split_r_hat(x) < 1.01
    found = physics.agreement(x)
    assert found.p < 1e-9 and found.r_hat > found.limit(1e-6)


def heavy_tailed(x: FloatArray) -> FloatArray:
    return np.sinh(3 * x)


@pytest.mark.parametrize("seen", [np.positive, np.sign, heavy_tailed])
def test_chains_that_agree_seldom_seem_not_to(seen: Callable[[FloatArray], FloatArray]):
    """Of 200 the chance of more than 12 below 1 % is 1e-6, whatever their law; none is beyond an estimate's limit."""
    found = [physics.agreement(seen(autoregressive(0.9, 2000, 8, seed))) for seed in range(200)]
    assert sum(one.p < 0.01 for one in found) <= 12
    assert all(one.r_hat <= one.limit(1e-6) for one in found)
