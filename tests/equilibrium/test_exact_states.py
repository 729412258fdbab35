"""Exact samples against enumeration and Kaufman's torus; statistical checks fail once in 10,000 (chi-square) or 16,000 times (4 SE)."""

import numpy as np
import pytest
from scipy.stats import chisquare

import thermoc as tc
from thermoc import physics
from thermoc.support.errors import ThermocError


def network(J, h, T=1.0, **attrs):
    with tc.Network("magnet") as net:
        s = tc.gibbs(T, J, h, **attrs)
        tc.output("s", s)
        tc.output("E", tc.ising_energy(s, J, h))
    return net


def gauged(n: int, seed: int):
    """Return the couplings of a random ferromagnet whose units were turned over at random, and random fields."""
    rng = np.random.default_rng(seed)
    J = np.triu(rng.exponential(0.3, (n, n)), 1)
    sign = rng.choice([-1, 1], n)
    return sign[:, None] * (J + J.T) * sign, rng.normal(size=n) / 3


@pytest.mark.parametrize("levels", ["spin", "binary"])
@pytest.mark.parametrize("draws", ["unit", "replica"])
def test_all_states_have_their_probability(levels: str, draws: str):
    J, h = gauged(5, 1)
    run = tc.compile(network(J, h, levels=levels, draws=draws)).run(ticks=1, batch=8000, seed=3, perfect=True)
    states = run["s"][0]
    expected = 8000 * physics.enumerate_ising(J, 1.0, h, levels).probabilities
    seen = np.array([(states == state).all(1).sum() for state in physics.all_states(5, levels)])
    # rare states count as one
    which = np.unique(np.where(expected < 5, -1, np.arange(32)), return_inverse=True)[1]
    assert chisquare(np.bincount(which, seen), np.bincount(which, expected)).pvalue > 1e-4


def test_a_critical_lattice_has_the_energy_of_its_torus():
    L = 16
    net = network(physics.square_lattice(L), 0.0, physics.ISING_TC, draws="replica")
    run = tc.compile(net).run(ticks=1, batch=192, perfect=True)
    E = run["E"][0] / L**2
    assert abs(E.mean() - physics.torus_energy(physics.ISING_TC, L)) < 4 * E.std(ddof=1) / np.sqrt(len(E))


def test_kaufman_is_enumeration():
    for T in (1.5, physics.ISING_TC, 3.0):
        U = physics.enumerate_ising(physics.square_lattice(4).toarray(), T).U / 16
        assert physics.torus_energy(T, 4) == pytest.approx(U, abs=1e-8)
    assert physics.torus_energy(2.0, 256) == pytest.approx(physics.onsager_energy(2.0), abs=1e-6)


def test_a_batch_may_be_split_and_targets_agree():
    J, h = gauged(6, 2)
    exe = tc.compile(network(J, h))
    whole = exe.start(batch=6, seed=4, perfect=True).state
    (name,) = whole
    parts = [exe.start(batch=3, seed=4, first_sample=k, perfect=True).state[name] for k in (0, 3)]
    assert np.array_equal(whole[name], np.concatenate(parts))
    again = tc.compile(network(J, h), "onnx").run(ticks=4, batch=6, seed=4, perfect=True)
    assert np.array_equal(exe.run(ticks=4, batch=6, seed=4, perfect=True)["s"], again["s"])


def test_what_is_not_monotone_is_refused():
    frustrated = -(np.ones((3, 3)) - np.eye(3))
    with pytest.raises(ThermocError, match="loop of couplings whose product is negative"):
        tc.compile(network(frustrated, 0.0)).start(perfect=True)
    with tc.Network("cooled") as net:
        T = tc.schedule(kind="linear", T0=2.0, parameter=0.1, T_min=1.0)
        tc.output("s", tc.gibbs(T, np.zeros((2, 2)), 0.0))
    with pytest.raises(ThermocError, match="which changes"):
        tc.compile(net).start(perfect=True)
    with tc.Network("particle") as net:
        tc.output("x", tc.brownian(0.0, 1.0, stiffness=1.0))
    with pytest.raises(ThermocError, match="not that of coupled binary units"):
        tc.compile(net).start(perfect=True)


def test_chains_that_do_not_meet_are_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("thermoc.equilibrium.from_the_past.MOST_TICKS", 16)
    J = 3.0 * (np.ones((8, 8)) - np.eye(8))
    with pytest.raises(ThermocError, match="do not meet within 256 ticks"):
        tc.compile(network(J, 0.0, 1.0)).start(perfect=True)
