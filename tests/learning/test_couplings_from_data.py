"""Inverse Ising, Hopfield storage and Hebb's rule, against closed forms and enumeration."""

import numpy as np
import pytest

import thermoc as tc
from thermoc.learning import hopfield
from thermoc.learning.hebbian import hebbian, hebbian_step
from thermoc.learning.pseudolikelihood import pseudolikelihood
from thermoc.physics.ising import all_states, enumerate_ising


def glass(n, scale=0.4, density=1.0, seed=0):
    rng = np.random.default_rng(seed)
    J = np.triu(scale * rng.normal(size=(n, n)) * (rng.random((n, n)) < density), 1)
    return J + J.T, 0.3 * rng.normal(size=n)


@pytest.mark.parametrize("levels", ["spin", "binary"])
def test_pseudolikelihood_recovers_couplings_within_its_errors(levels):
    """36 numbers from 5,000 exact samples, all within 4.5 standard errors: a false alarm in 4,000."""
    (J, h), T = glass(8), 1.3
    p = enumerate_ising(J, T, h, levels).probabilities
    samples = all_states(8, levels)[np.random.default_rng(1).choice(256, 5_000, p=p)]
    estimate = pseudolikelihood(samples, T=T)
    pairs = np.triu_indices(8, 1)
    scores = np.append(((estimate.J - J) / (estimate.J_error + np.eye(8)))[pairs], (estimate.h - h) / estimate.h_error)
    assert np.abs(scores).max() < 4.5
    # the errors are of the right size: the mean square of 36 scores has a spread of 0.24
    assert 0.3 < np.mean(scores**2) < 1.9
    assert np.array_equal(estimate.J, estimate.J.T) and not estimate.J.diagonal().any()


def test_pseudolikelihood_of_all_states_is_exact():
    """With each state as often as it is likely, the estimate is what made them."""
    J, h = glass(4)
    p = enumerate_ising(J, 1.0, h).probabilities
    counts = np.round(p * 4e5).astype(int)
    estimate = pseudolikelihood(np.repeat(all_states(4), counts, axis=0)[::10])
    assert np.abs(estimate.J - J).max() < 2e-3 and np.abs(estimate.h - h).max() < 2e-3


def test_pseudolikelihood_of_known_pairs_from_a_session():
    """A sparse graph of 30 units sampled by gibbs: 90 % of couplings within 2 errors, others exactly 0."""
    J, h = glass(30, density=0.1)
    with tc.Network("graph") as net:
        tc.output("s", tc.gibbs(1.0, J, h, sweeps=10))
    run = tc.compile(net).run(ticks=41, batch=100, seed=5, record={"s": "every:2"})
    estimate = pseudolikelihood(run["s"].reshape(-1, 30)[500:], pairs=J != 0)
    coupled = J != 0
    assert not estimate.J[~coupled].any()
    assert (np.abs(estimate.J - J)[coupled] < 2 * estimate.J_error[coupled]).mean() > 0.85


def test_weight_decay_keeps_a_frozen_unit_finite():
    s = np.where(np.random.default_rng(0).random((500, 3)) < 0.5, 1, -1)
    s[:, 2] = s[:, 0]
    estimate = pseudolikelihood(s, weight_decay=0.01)
    assert estimate.J[0, 2] > 1 and np.isfinite(estimate.J).all()


def patterns(p, n, seed=0):
    return np.where(np.random.default_rng(seed).random((p, n)) < 0.5, 1, -1)


@pytest.mark.parametrize("rule", [hopfield.hebb, hopfield.storkey, hopfield.pseudo_inverse])
def test_few_patterns_are_fixed_points(rule):
    x = patterns(5, 100)
    J = rule(x)
    assert np.allclose(J, J.T, rtol=0, atol=1e-15) and not J.diagonal().any()
    assert (hopfield.stability(J, x) > 0).all()


def test_rules_by_their_definitions():
    x = patterns(3, 9, seed=2)
    n, J = 9, np.zeros((9, 9))
    for pattern in x:
        old = J.copy()
        for i in range(n):
            for j in range(n):
                f = lambda a, b: sum(old[a, k] * pattern[k] for k in range(n) if k not in (a, b))  # noqa: E731, B023
                if i != j:
                    J[i, j] += (pattern[i] * pattern[j] - pattern[i] * f(j, i) - f(i, j) * pattern[j]) / n
    assert np.allclose(hopfield.storkey(x), J, rtol=0, atol=1e-14)
    # the projection leaves a pattern as it is, but for the diagonal
    J, projection = hopfield.pseudo_inverse(x), np.linalg.pinv(x.astype(float)) @ x
    assert np.allclose(J @ x.T, (1 - projection.diagonal())[:, np.newaxis] * x.T, atol=1e-13)
    assert np.allclose(hopfield.hebb(x), sum(np.outer(p, p) for p in x) / n - np.eye(n) * 3 / n, atol=1e-15)


def test_capacities_are_in_their_order():
    """At p = 0.3 n Hebb's patterns are lost, the pseudo-inverse keeps all of them; Storkey's lie between."""
    x = patterns(60, 200)
    kept = [
        float((hopfield.stability(rule(x), x) > 0).all(axis=1).mean())
        for rule in (hopfield.hebb, hopfield.storkey, hopfield.pseudo_inverse)
    ]
    assert kept[0] < 0.05 and kept[2] == 1 and kept[0] <= kept[1] <= kept[2]


def test_hebbian_step():
    rng = np.random.default_rng(0)
    W, x, y = rng.normal(size=(3, 2)), rng.normal(size=(5, 4, 3)), rng.normal(size=(5, 4, 2))
    expected = W + 0.1 * np.einsum("tbi,tbj->ij", x, y) / 20 - 0.2 * W
    assert np.allclose(hebbian_step(W, x, y, rate=0.1, decay=0.2), expected, atol=1e-15)


def test_hebbian_settles_where_decay_balances_it():
    """Two spins at T = 1: W = (rate / decay) tanh W, to 4 standard errors of the last averages (a false alarm in 10^4)."""
    with tc.Network("pair") as net:
        J = tc.parameter("J", np.array([[0.0, 0.5], [0.5, 0.0]]))
        tc.output("s", tc.gibbs(1.0, J))
    with tc.compile(net).start(batch=200, seed=3) as session:
        W = hebbian(session, "J", "s", steps=60, ticks=10, rate=0.3, decay=0.2)
        assert session.tick == 600 and np.array_equal(session.parameters["J"], W)
    fixed = 1.0
    for _ in range(200):
        fixed = 1.5 * np.tanh(fixed)
    # a step adds noise of variance rate^2 (1 - tanh^2) / n, n some 1,000 of 2,000 states independent, and forgets
    # 1 - 1.8 decay of it
    spread = 0.3 * np.sqrt((1 - np.tanh(fixed) ** 2) / 1000 / (1 - (1 - 0.2 + 0.3 * (1 - np.tanh(fixed) ** 2)) ** 2))
    assert abs(W[0, 1] - fixed) < 4 * spread
    assert W[0, 1] == W[1, 0] and W[0, 0] == 0


@pytest.mark.parametrize(
    ("code", "call"),
    [
        ("T402", lambda: pseudolikelihood(np.ones(3))),
        ("T402", lambda: pseudolikelihood(np.ones((3, 2)), pairs=np.ones((3, 3)))),
        ("T403", lambda: pseudolikelihood(np.full((3, 2), 0.5))),
        ("T403", lambda: pseudolikelihood(np.full((3, 2), np.nan))),
        ("T405", lambda: pseudolikelihood(np.ones((3, 2)), T=0.0)),
        ("T402", lambda: hopfield.hebb(np.ones(3))),
        ("T403", lambda: hopfield.storkey(np.zeros((2, 3)))),
        ("T402", lambda: hopfield.stability(np.ones((2, 2)), np.ones((1, 3)))),
        ("T402", lambda: hebbian_step(np.ones((2, 2)), np.ones((4, 3)), rate=0.1)),
        ("T404", lambda: hebbian_step(np.ones((2, 2)), np.ones((4, 2)), rate=-0.1)),
    ],
)
def test_what_is_refused(code, call):
    with pytest.raises(tc.ThermocError) as problem:
        call()
    assert problem.value.code == code
