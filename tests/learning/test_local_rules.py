"""Equilibrium propagation against finite differences, and STDP against a double loop over pairs of spikes."""

from itertools import pairwise

import numpy as np
import pytest

import thermoc as tc
from thermoc.learning.equilibrium_propagation import EnergyNetwork, equilibrium_gradient, train
from thermoc.learning.stdp import Stdp, StdpRule, stdp


def network(sizes=(3, 4, 2), scale=0.5, seed=0):
    rng = np.random.default_rng(seed)
    weights = tuple(scale * rng.normal(size=shape) for shape in pairwise(sizes))
    return EnergyNetwork(weights, tuple(0.2 * rng.normal(size=n) for n in sizes[1:]))


def problem(seed=1):
    rng = np.random.default_rng(seed)
    return rng.uniform(-1, 1, (5, 3)), rng.uniform(-0.8, 0.8, (5, 2))


def loss(net, x, target):
    return float(((np.tanh(net.relaxed(x, tolerance=1e-12)[-1]) - target) ** 2).sum(axis=1).mean() / 2)


def test_equilibrium_gradient_is_that_of_the_loss():
    """Central differences of the relaxed loss, every weight and bias: they part as beta^2."""
    net, (x, target) = network(), problem()
    worst = []
    for beta in (0.02, 0.01):
        g = equilibrium_gradient(net, x, target, beta=beta, tolerance=1e-12)
        parts = []
        for kind in ("weights", "biases"):
            for layer, array in enumerate(getattr(net, kind)):
                for at in np.ndindex(array.shape):
                    sides = []
                    for shift in (1e-5, -1e-5):
                        arrays = [a.copy() for a in getattr(net, kind)]
                        arrays[layer][at] += shift
                        both = {"weights": net.weights, "biases": net.biases, kind: tuple(arrays)}
                        sides.append(loss(EnergyNetwork(**both), x, target))
                    parts.append(getattr(g, kind)[layer][at] - (sides[0] - sides[1]) / 2e-5)
        worst.append(np.abs(parts).max())
        assert abs(g.loss - loss(net, x, target)) < 1e-9
    assert worst[1] < 2e-4
    assert 3.5 < worst[0] / worst[1] < 4.5


def test_relaxed_states_are_minima():
    """The slope of the energy by central differences is 0 at the relaxed states."""
    net, (x, _) = network(), problem()
    states = net.relaxed(x)
    for layer, state in enumerate(states):
        for unit in range(state.shape[1]):
            sides = []
            for shift in (1e-5, -1e-5):
                moved = [s.copy() for s in states]
                moved[layer][:, unit] += shift
                sides.append(net.energy(x, moved))
            assert np.abs((sides[0] - sides[1]) / 2e-5).max() < 1e-7


def test_training_by_equilibrium_propagation():
    """Exclusive or, coded in -1 and 1: the loss falls by more than a factor of ten."""
    x = np.array([[-1.0, -1, 1], [-1, 1, 1], [1, -1, 1], [1, 1, 1]])
    target = 0.8 * (x[:, :1] * x[:, 1:2])
    net = network((3, 8, 1), 0.7, seed=3)
    _, losses = train(net, x, target, steps=250, rate=0.5)
    assert losses[-1] < losses[0] / 10


def pairs(W, before, after, rule):
    """The sum over all pairs of spikes, as the rule says it."""
    W, (_, batch, m), n = W.copy(), before.shape, after.shape[2]
    for s in range(batch):
        for i in range(m):
            for j in range(n):
                for t in np.flatnonzero(before[:, s, i]):
                    for u in np.flatnonzero(after[:, s, j]):
                        dt = (u - t) * rule.dt
                        if dt > 0:
                            W[j, i] += rule.potentiation * np.exp(-dt / rule.tau_plus) / batch
                        elif dt < 0:
                            W[j, i] -= rule.depression * np.exp(dt / rule.tau_minus) / batch
    return W


RULE = StdpRule(potentiation=0.01, depression=0.012, tau_plus=17.0, tau_minus=34.0, dt=0.5)


def test_stdp_is_the_sum_over_pairs():
    rng = np.random.default_rng(0)
    before, after = rng.random((60, 2, 3)) < 0.2, rng.random((60, 2, 4)) < 0.2
    W = rng.normal(size=(4, 3))
    expected = pairs(W, before, after, RULE)
    assert np.abs(Stdp(RULE, before=3, after=4, batch=2).update(W, before, after) - expected).max() < 1e-13
    rule = Stdp(RULE, before=3, after=4, batch=2)
    parts = rule.update(rule.update(W, before[:23], after[:23]), before[23:], after[23:])
    assert np.abs(parts - expected).max() < 1e-13


def test_stdp_keeps_bounds():
    rule = StdpRule(potentiation=1.0, depression=0.0, least=0.0, most=0.7)
    spikes = np.ones((5, 1, 1))
    assert Stdp(rule, before=1, after=1).update([[0.1]], spikes, spikes)[0, 0] == 0.7


def test_stdp_in_a_session():
    """Weights that are replaced every 5 ticks: those of the spikes that the session itself had."""
    W = np.full((2, 3), 2.0)
    with tc.Network("learner") as net:
        x = tc.input("x", (3,))
        tc.output("before", x)
        fired, _ = tc.lif(tc.affine(x, tc.parameter("W", W)), tau=5.0)
        tc.output("after", fired)
    rng = np.random.default_rng(2)
    spikes = (rng.random((5, 2, 3)) < 0.5).astype(float)
    exe = tc.compile(net)
    with exe.start(batch=2, seed=1) as session:
        learnt = stdp(session, "W", before="before", after="after", rule=RULE, steps=4, ticks=5, inputs={"x": spikes})
    traces, expected = Stdp(RULE, before=3, after=2, batch=2), W
    with exe.start(batch=2, seed=1) as session:
        for _ in range(4):
            run = session.run(5, {"x": spikes})
            assert run["after"].any()
            expected = traces.update(expected, spikes, run["after"])
            session.parameters["W"] = expected
    assert np.array_equal(learnt, expected) and not np.array_equal(learnt, W)


@pytest.mark.parametrize(
    ("code", "call"),
    [
        ("T402", lambda: EnergyNetwork((np.ones((2, 3)), np.ones((2, 1))), (np.ones(3), np.ones(1)))),
        ("T402", lambda: equilibrium_gradient(network(), np.ones((5, 2)), np.ones((5, 2)))),
        ("T404", lambda: equilibrium_gradient(network(), *problem(), beta=0.0)),
        ("T404", lambda: network().relaxed(problem()[0], most=3)),
        ("T404", lambda: StdpRule(tau_plus=0.0)),
        ("T404", lambda: StdpRule(least=1.0, most=0.0)),
        ("T402", lambda: Stdp(RULE, before=3, after=4).update(np.ones((3, 4)), np.ones((5, 1, 3)), np.ones((5, 1, 4)))),
    ],
)
def test_what_is_refused(code, call):
    with pytest.raises(tc.ThermocError) as caught:
        call()
    assert caught.value.code == code
