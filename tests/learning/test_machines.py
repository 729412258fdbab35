"""Boltzmann machines of layers, against enumeration."""

from itertools import pairwise

import numpy as np
import pytest

import thermoc as tc
from thermoc.learning.machines import DeepBoltzmannMachine, RestrictedBoltzmannMachine
from thermoc.physics.ising import all_states


def restricted(m=5, n=3, T=0.7):
    rng = np.random.default_rng(0)
    return RestrictedBoltzmannMachine(rng.normal(size=(m, n)), rng.normal(size=m), rng.normal(size=n), T)


def deep(sizes=(4, 3, 4), T=1.3):
    rng = np.random.default_rng(1)
    weights = tuple(rng.normal(size=shape) for shape in pairwise(sizes))
    return DeepBoltzmannMachine(weights, tuple(rng.normal(size=n) for n in sizes), T)


def enumerated(machine):
    """Return the states of all layers side by side, their probabilities, and ln Z."""
    sizes = machine.sizes
    states = all_states(sum(sizes), "binary")
    weight = -machine.energy(np.split(states, np.cumsum(sizes)[:-1], axis=1)) / machine.T
    log_Z = np.logaddexp.reduce(weight)
    return states, np.exp(weight - log_Z), log_Z


@pytest.mark.parametrize("machine", [restricted().layers, deep(), deep((3, 2, 3, 2, 1))])
def test_log_partition(machine):
    assert abs(machine.log_partition() - enumerated(machine)[2]) < 1e-12


def test_free_energy_is_that_of_hidden_units_summed_over():
    machine = restricted()
    v, h = all_states(5, "binary"), all_states(3, "binary")
    weights = np.exp(-machine.energy(v[:, np.newaxis], h) / machine.T)
    assert np.allclose(machine.free_energy(v), -machine.T * np.log(weights.sum(axis=1)), rtol=0, atol=1e-12)
    assert np.allclose(machine.hidden_means(v), weights @ h / weights.sum(axis=1, keepdims=True), atol=1e-12)
    assert np.allclose(machine.visible_means(h), (weights.T @ v) / weights.sum(axis=0)[:, np.newaxis], atol=1e-12)
    assert abs(np.exp(machine.log_likelihood(v)).sum() - 1) < 1e-12


def test_mean_field_is_stationary():
    machine = deep()
    v = all_states(4, "binary")
    means = machine.mean_field(v, tolerance=1e-12)
    for layer in (1, 2):
        assert np.allclose(machine.means(layer, means), means[layer], atol=1e-9)


@pytest.mark.parametrize("machine", [restricted(), deep()])
def test_network_samples_the_machine(machine):
    """Means of all units within 4.5 standard errors, from 64 chains: 19 comparisons, a false alarm in 10^4."""
    layers = getattr(machine, "layers", machine)
    states, p, _ = enumerated(layers)
    names = ["v", "h"] if machine is not layers else ["x0", "x1", "x2"]
    run = tc.compile(machine.network()).run(ticks=600, batch=64, seed=3)
    s = np.concatenate([run[name] for name in names], axis=-1)[50:].mean(axis=0)
    error = s.std(axis=0, ddof=1) / np.sqrt(len(s))
    assert (np.abs(s.mean(axis=0) - p @ states) < 4.5 * error).all()


def test_weights_are_replaced_in_a_session():
    """Parameters of the network: chains go on under others, to the bits of a network that has them."""
    first, second = restricted(), restricted(T=2.0)
    exe, other = tc.compile(first.network()), tc.compile(second.network())
    assert not exe.frozen_parameters
    with exe.start(batch=3, seed=1) as session, other.start(batch=3, seed=1) as expected:
        session.run(5)
        expected.state.update(session.state)
        session.parameters.update({"W": second.W, "b": second.b, "c": second.c, "T": second.T})
        with tc.compile(second.network()).start(batch=3, seed=1, first_tick=5) as whole:
            whole.state.update(session.state)
            assert np.array_equal(session.run(5)["v"], whole.run(5)["v"])


@pytest.mark.parametrize(
    "make",
    [
        lambda: RestrictedBoltzmannMachine(np.ones((2, 3)), np.ones(3), np.ones(3)),
        lambda: RestrictedBoltzmannMachine(np.ones((2, 3)), np.ones(2), np.ones(3), -1.0),
        lambda: RestrictedBoltzmannMachine(np.ones((2, 3)), np.ones(2), np.full(3, np.nan)),
        lambda: DeepBoltzmannMachine((np.ones((2, 2)),), (np.ones(2),)),
        lambda: restricted().free_energy(np.ones(4)),
        lambda: restricted(30, 30).log_partition(),
    ],
)
def test_wrong_machines(make):
    with pytest.raises(tc.ThermocError) as problem:
        make()
    assert problem.value.code == "T405"
