"""The bound of the distance to equilibrium against laws that are known from enumerating all states."""

import numpy as np
import pytest

import thermoc as tc
from thermoc.physics import all_states, enumerate_ising
from thermoc.support.errors import ThermocError

TICKS = 24


def network(J, h, T=1.0, **attrs):
    with tc.Network("pair") as net:
        tc.output("s", tc.gibbs(T, J, h, **attrs))
    return net


def system(k: int):
    """Return couplings, fields and levels of the k-th of twenty systems of 3 to 12 units."""
    rng = np.random.default_rng(k)
    n = 3 + k % 10
    J = np.triu(rng.normal(size=(n, n)), 1) * (0.5 / np.sqrt(n)) * (1 + k % 3)
    J = np.abs(J) if k % 2 else J
    return J + J.T, rng.normal(size=n) / 2, "binary" if k % 5 == 0 else "spin"


def exact_distances(J, h, levels: str):
    """Return TV(t) from all units up, by the law over all 2^n states; each unit is updated after the one before."""
    n = len(h)
    states = all_states(n, levels)
    place = {tuple(state): i for i, state in enumerate(states)}
    low, gap = (0, 1) if levels == "binary" else (-1, 2)
    law, rows = np.zeros(2**n), []
    law[place[(1,) * n]] = 1
    moves = []
    for i in range(n):
        others = states.copy()
        others[:, i] = low
        down = np.array([place[tuple(state)] for state in others])
        others[:, i] = 1
        up = np.array([place[tuple(state)] for state in others])
        field = states @ J[i] - states[:, i] * J[i, i] + h[i]
        moves.append((down, up, 1 / (1 + np.exp(-gap * field))))
    equilibrium = enumerate_ising(J, 1.0, h, levels).probabilities
    for _ in range(TICKS):
        rows.append(0.5 * np.abs(law - equilibrium).sum())
        for down, up, p in moves:
            changed = np.zeros(2**n)
            np.add.at(changed, up, law * p)
            np.add.at(changed, down, law * (1 - p))
            law = changed
    return np.array(rows)


def test_it_lies_above_the_total_variation_of_twenty_systems():
    """At every tick of all twenty (each at 99.9 %; the coupling's own slack is far larger); within 5 times on half."""
    close = 0
    for k in range(20):
        J, h, levels = system(k)
        exe = tc.compile(network(J, h, levels=levels))
        distance = tc.distance_to_equilibrium(exe, ticks=TICKS, pairs=400, seed=k, confidence=0.999)
        exact = exact_distances(J, h, levels)
        assert distance.kind == "total variation" and distance.met == 1
        assert (distance.upper >= exact).all(), k
        seen = exact > 0.02
        close += bool((distance.estimate[seen] <= 5 * exact[seen]).all())
    assert close >= 10


def test_a_longer_lag_is_tighter():
    J, h, _ = system(3)
    exe = tc.compile(network(J, h))
    near, far = (tc.distance_to_equilibrium(exe, ticks=TICKS, lag=lag, pairs=400) for lag in (1, 50))
    assert far.estimate[1] < near.estimate[1] and (far.upper >= far.estimate).all()
    settled = far.below(0.05)
    assert settled is not None and far.upper[settled] <= 0.05 < far.upper[settled - 1]


def test_states_of_real_numbers_are_bounded_in_wassersteins_distance():
    """Of an AR(1) chain from x0 the distance is |x0| a^t to its Gaussian, and sharing noise is the best coupling."""
    with tc.Network("particle") as net:
        tc.output("x", tc.brownian(0.0, 1.0, stiffness=1.0, mobility=0.2, initial=3.0))
    distance = tc.distance_to_equilibrium(tc.compile(net), ticks=20, pairs=400, confidence=0.999)
    assert distance.kind == "Wasserstein" and distance.met == 1
    rate = np.log(distance.estimate[1] / distance.estimate[15]) / 14
    assert 0.15 < rate < 0.25
    # W1 >= the difference of the means
    assert (distance.upper >= 3.0 * np.exp(-rate * np.arange(20)) * 0.99).all()


def test_where_pairs_do_not_meet_nothing_is_known():
    """Below half the critical temperature a lattice from full order keeps its sign for longer than it is watched."""
    J = 4.0 * (np.ones((6, 6)) - np.eye(6))
    distance = tc.distance_to_equilibrium(tc.compile(network(J, 0.0, 1.0, initial=1.0)), ticks=2, lag=1, pairs=4)
    assert distance.met == 1  # both start up: they agree at once, and the bound says so of their common law
    with tc.Network("free") as net:
        tc.output("x", tc.brownian(0.0, 1.0))
    free = tc.distance_to_equilibrium(tc.compile(net), ticks=5, lag=2, pairs=8)
    assert free.met == 0 and np.isinf(free.upper).all()


@pytest.mark.parametrize("options", [{"ticks": 0}, {"ticks": 5, "lag": 0}, {"ticks": 5, "pairs": 1}])
def test_bad_options(options):
    with pytest.raises(ThermocError, match="T404"):
        tc.distance_to_equilibrium(tc.compile(network(np.zeros((2, 2)), 0.0)), **options)


def test_networks_without_an_equilibrium_are_refused():
    with tc.Network("cooled") as net:
        T = tc.schedule(kind="linear", T0=2.0, parameter=0.1, T_min=1.0)
        tc.output("s", tc.gibbs(T, np.zeros((2, 2)), 0.0))
    with pytest.raises(ThermocError, match="follows the time"):
        tc.distance_to_equilibrium(tc.compile(net), ticks=5)
    with tc.Network("plain") as net:
        tc.output("y", 2 * tc.input("x", 3))
    with pytest.raises(ThermocError, match="no state"):
        tc.distance_to_equilibrium(tc.compile(net), ticks=5)
