"""p-bits: their distribution, and the fixed point of one that heats itself."""

import numpy as np
import pytest
from numba import njit

from thermoc.simulator.devices import pbit
from thermoc.support.errors import ThermocError
from thermoc.support.units import K_B


@njit
def gibbs(J, h, kT, chains, sweeps, seed, out, rule, uniform):
    """Sweep spins one by one; a p-bit is driven by twice its local field. out: (sweeps, chains, n)."""
    n = len(h)
    s = np.ones(n)
    for c in range(chains):
        for k in range(sweeps):
            for i in range(n):
                up = rule(2 * (h[i] + J[i] @ s), kT, uniform(c * n + i, k, 0, 0, seed))
                s[i] = 2 * up - 1
            out[k, c] = s


def test_a_network_of_ten_has_its_boltzmann_distribution(shared):
    data = np.load(shared / "device-reference/v_analytic/pbit_boltzmann10.npz")
    s = np.empty((500, 300, 10))
    gibbs(data["J"], data["h"], 1 / float(data["beta"]), 300, 500, np.uint64(2), s, pbit.on, pbit.uniform)
    s = s[50:]
    means = s.mean(axis=0)
    z = (means.mean(axis=0) - data["mean"]) / (means.std(axis=0, ddof=1) / np.sqrt(300))
    assert (np.abs(z) < 4).all()
    corr = np.einsum("tbi,tbj->bij", s, s) / len(s)
    off = ~np.eye(10, dtype=bool)
    z = ((corr.mean(axis=0) - data["corr"])[off]) / (corr.std(axis=0, ddof=1)[off] / np.sqrt(300))
    assert (np.abs(z) < 4).all()  # 45 pairs at 6.3e-5 each: at most a false alarm in 350 seeds (Bonferroni)
    energies = -0.5 * np.einsum("tbi,ij,tbj->tb", s, data["J"], s) - s @ data["h"]
    own = energies.mean(axis=0)
    assert abs(own.mean() - data["U"]) < 4 * own.std(ddof=1) / np.sqrt(300)


def test_the_threshold_form_has_the_probability_of_P6():
    u = (np.arange(100_000) + 0.5) / 100_000
    for E in (-3e-21, 0.0, 5e-21):
        kT = K_B * 300
        share = np.mean([pbit.on(E, kT, x) for x in u])
        assert share == pytest.approx(pbit.probability(E, kT), abs=1e-5)
        assert pbit.probability(E, kT) == pytest.approx(1 / (1 + np.exp(-E / kT)), rel=1e-14)
    assert pbit.probability(-1.0, kT) == 0.0 and pbit.probability(1.0, kT) == 1.0


def test_one_that_heats_itself_comes_to_its_fixed_point():
    """E = k T logit(((T - T_amb) / R_th - P_off) / (P_on - P_off)) rests at T: the loop finds it to 1e-6."""
    q = pbit.values()
    aims = np.array([310.0, 320.0, 335.0])
    E = [pbit.drive_at(T, q) for T in aims]
    run = pbit.self_heating(E, q, 8000, mean=True)
    assert np.abs(run.T[-1] - aims).max() < 1e-6 * 1e-2
    assert np.abs(run.T[0] - 300).max() == 0.0
    np.testing.assert_allclose(run.work - run.heat, run.stored, rtol=0, atol=1e-10 * run.work.max())


def test_samples_of_one_that_heats_itself_are_about_its_fixed_point():
    """Fluctuations shift the mean by 2e-5 K, a thousandth of its error bar."""
    q = pbit.values()
    run = pbit.self_heating(np.full(200, pbit.drive_at(320.0, q)), q, 20_000, noise=True, seed=6)
    own = run.T[2000:].mean(axis=0)
    assert abs(own.mean() - 320.0) < 4 * own.std(ddof=1) / np.sqrt(200)
    share, kT = run.on[2000:].mean(axis=0), K_B * 320.0
    aim = pbit.probability(pbit.drive_at(320.0, q), kT)
    assert abs(share.mean() - aim) < 4 * share.std(ddof=1) / np.sqrt(200)
    assert np.abs(run.work - run.heat - run.stored).max() < 1e-10 * run.work.max()


@pytest.mark.parametrize(("E", "power"), [(-1e-18, 2e-6), (1e-18, 20e-6)])
def test_one_that_never_switches_fluctuates_by_k_T2_over_C(E, power):
    """P27 about T_amb + R P: <dT^2> = k_B T_amb^2 / C, 4 standard errors of 400 cells, looked at every 5 R C."""
    run = pbit.self_heating(np.full(400, E), pbit.values(), 20_001, noise=True, seed=8)
    d = run.T[2000::1000] - (300 + 2e6 * power)
    for found, exact in ((d, 0.0), (d**2, K_B * 300**2 / 1e-13)):
        own = found.mean(axis=0)
        assert abs(own.mean() - exact) < 4 * own.std(ddof=1) / np.sqrt(400)


def test_no_drive_holds_it_outside_its_range():
    q = pbit.values()
    with pytest.raises(ThermocError) as caught:
        pbit.drive_at(341.0, q)
    assert caught.value.code == "T405" and "304 and 340 K" in str(caught.value)


def test_too_hot_a_p_bit_is_reported():
    q = {**pbit.values(), "power_on": 2e-3}
    with pytest.raises(ThermocError) as caught:
        pbit.self_heating([-1e-19, 1e-19], q, 2000)
    text = str(caught.value)
    assert caught.value.code == "T410" and "p-bit 1" in text and "t = " in text and "limit 1000 K" in text
