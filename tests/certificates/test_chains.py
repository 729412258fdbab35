"""What means of bins say of chains is what all ticks say; seeds are fixed, each test fails once in 10,000 by chance."""

import numpy as np
import pytest
from physics.series import autoregressive

from thermoc import physics
from thermoc.certificates.chains import BINS, average, binned, chains_of, spacing


@pytest.mark.parametrize("a", [0.0, 0.5, 0.95])
def test_bins_know_the_memory_of_single_ticks(a: float):
    """tau = (1 + a) / (1 - a) / 2, to 4 standard errors of Geyer's sum over 8,192 bins or ticks."""
    x = autoregressive(a, steps=20_000, chains=32)
    tau = (1 + a) / (1 - a) / 2
    known = x.size / (2 * max(tau, x.size / binned(x).size))
    found, chains = average(x), chains_of(x)
    assert len(binned(x)) < 2 * BINS
    assert found.tau == pytest.approx(tau, rel=4 * np.sqrt(12 / known))
    assert found.error == pytest.approx(np.sqrt(2 * tau / x.size), rel=4 * np.sqrt(12 / known))
    assert chains.ess == pytest.approx(x.size / (2 * tau), rel=4 * np.sqrt(12 / known))
    assert chains.length == pytest.approx(len(x) / tau, rel=4 * np.sqrt(12 / known))


def test_an_error_bar_of_bins_covers():
    """100 means of correlated series over their errors: the sum of squares is that of t with the stated freedom."""
    x = autoregressive(0.6, steps=1024, chains=1600)
    found = [average(series) for series in np.split(x, 100, axis=1)]
    squares = np.array([(one.mean / one.error) ** 2 for one in found])
    freedom = np.array([one.known / 6 for one in found])
    expected, variance = (freedom / (freedom - 2)).mean(), 2.0 * len(found)
    assert abs(squares.sum() - expected * len(found)) < 4 * np.sqrt(variance) * expected


def test_a_short_series_is_taken_as_it_is():
    x = autoregressive(0.3, steps=100, chains=3)
    whole = physics.estimate(x)
    found = average(x)
    assert binned(x) is x and spacing(100, 10**9, 3) == 1
    assert (found.mean, found.error, found.ess) == pytest.approx((whole.mean, whole.error, whole.ess))
    assert chains_of(x).length == pytest.approx(whole.length)


def test_chains_that_stay_apart_do_not_agree():
    x = autoregressive(0.9, steps=8000, chains=32)
    agreed = chains_of(x)
    apart = chains_of(x + np.where(np.arange(32) < 16, 0.3, 0.0))
    assert agreed.p > 1e-4 > 1e-9 > apart.p
    assert agreed.r_hat < agreed.limit(1e-4) and apart.r_hat > apart.limit(1e-4)
    never = chains_of(np.ones((8000, 32)))
    assert (never.p, never.r_hat, never.length) == (1.0, 1.0, 0.0)
