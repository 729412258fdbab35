"""What means of bins say of chains is what all ticks say; seeds are fixed, each test fails once in 10,000 by chance."""

import numpy as np
import pytest
from physics.series import autoregressive

import thermoc as tc
from thermoc import physics
from thermoc.certificates.chains import average, chains_of, spacing
from thermoc.physics.statistics import BINS, binned


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
    assert agreed.agreement.p > 1e-4 > 1e-9 > apart.agreement.p
    for chains, agree in ((agreed, True), (apart, False)):
        assert (chains.agreement.r_hat < chains.agreement.limit(1e-4)) is agree
    never = chains_of(np.ones((8000, 32)))
    assert (never.agreement.p, never.agreement.r_hat, never.length) == (1.0, 1.0, 0.0)


def test_a_certificate_and_its_run_say_the_same_of_the_chains():
    with tc.Network("one memory", dt=0.3) as net:
        tc.output("m", tc.memory([0.5], 0.7, 1.3))
    run = tc.compile(net).run(ticks=600, batch=16, seed=1)
    (law,) = (law for law in tc.certify(run, warmup=0).laws if law.statement.startswith("R-hat"))
    assert law.measured == pytest.approx(run.diagnostics["m"].r_hat, rel=1e-12)
    # of one unit, at a level that the certificate does not choose
    assert law.bound > 1 and run.diagnostics["m"].r_hat_limit == pytest.approx(law.bound, abs=0.02)
