"""P34, P49: error bars, effective sample size, R-hat. Checks at 4 standard errors of what is estimated (6e-5)."""

import numpy as np
import pytest
from physics.series import autoregressive

import thermoc as tc
from thermoc import physics
from thermoc.support.array_types import FloatArray


@pytest.mark.parametrize("a", [0.0, 0.5, 0.9, -0.3])
def test_integrated_time_of_an_autoregression(a: float):
    x = autoregressive(a, 20000, 4)
    assert physics.integrated_time(x) == pytest.approx((1 + a) / (1 - a) / 2, rel=0.12)


def test_error_bars_cover_the_truth_as_often_as_they_say():
    z = np.array([(e := physics.estimate(autoregressive(0.8, 1000, 2, seed))).mean / e.error for seed in range(200)])
    assert abs(z.std() - 1) < 4 / np.sqrt(2 * 200) + 0.05  # 0.05: tau itself is estimated
    assert abs(z.mean()) < 4 / np.sqrt(200)


def test_r_hat_tells_mixed_chains_from_stuck_ones():
    x = autoregressive(0.5, 2000, 4)
    assert physics.split_r_hat(x) < 1.01
    assert physics.split_r_hat(x + np.array([0, 0, 0, 2])) > 1.2
    assert physics.split_r_hat(x + np.linspace(0, 4, 2000)[:, np.newaxis]) > 1.2  # a drift, seen by the split
    assert physics.effective_sample_size(x + np.array([0, 0, 0, 9])) < 20


def test_a_chain_that_never_moved_is_one_sample():
    assert physics.effective_sample_size(np.ones((50, 3))) == 3


def test_jackknife_of_a_mean_is_its_standard_error():
    x = autoregressive(0.0, 100, 50)

    def mean(s: FloatArray) -> float:
        return s.mean()

    value, error = physics.jackknife(mean, x, blocks=50)
    assert value == pytest.approx(x.mean())
    assert error == pytest.approx(x.mean(axis=0).std(ddof=1) / np.sqrt(50), rel=1e-12)


def test_a_series_too_short_is_refused():
    with pytest.raises(tc.ThermocError, match=r"(?s)T405.*series"):
        physics.estimate([1.0, 2.0])


def test_many_short_chains_that_agree_are_within_the_limit_and_a_drift_is_not():
    for seed in range(20):
        e = physics.estimate(autoregressive(0.8, 400, 64, seed))
        assert e.r_hat <= e.r_hat_limit and e.mixed
    drifting = autoregressive(0.8, 400, 64) + np.linspace(0, 2, 400)[:, np.newaxis]
    assert not physics.estimate(drifting).mixed
    assert not physics.estimate(autoregressive(0.99, 400, 64)).mixed  # 400 steps are four of its tau
