"""General and deep Boltzmann machines: gradients against enumeration, and training in sessions."""

import numpy as np
import pytest

import thermoc as tc
from thermoc.learning.boltzmann import BoltzmannMachine, BoltzmannOptions, BoltzmannTraining, DeepTraining, train
from thermoc.learning.deep_training import gradients
from thermoc.learning.machines import DeepBoltzmannMachine, logistic
from thermoc.physics.ising import all_states, enumerate_ising

V = all_states(4, "binary")[[3, 5, 10, 12]]


def general(n=6, visible=4, T=1.2, seed=0):
    rng = np.random.default_rng(seed)
    J = np.triu(0.6 * rng.normal(size=(n, n)), 1)
    return BoltzmannMachine(J + J.T, 0.3 * rng.normal(size=n), visible, T)


def deep(seed=0):
    rng = np.random.default_rng(seed)
    sizes = (4, 3, 3)
    return DeepBoltzmannMachine(
        (0.5 * rng.normal(size=(4, 3)), 0.5 * rng.normal(size=(3, 3))), tuple(0.2 * rng.normal(size=n) for n in sizes)
    )


def likelihood(machine, v):
    """Return the exact mean log-likelihood of visible states."""
    n = len(machine.J)
    states = all_states(n, "binary")
    weight = -machine.energy(states) / machine.T
    log_Z = np.logaddexp.reduce(weight)
    rows = [(states[:, : machine.visible] == each).all(axis=1) for each in v]
    return np.mean([np.logaddexp.reduce(weight[row]) for row in rows]) - log_Z


@pytest.mark.parametrize("visible", [4, 6])
def test_gradient_of_a_general_machine(visible):
    """Fifteen couplings and six fields within 4.5 standard errors (a false alarm in 7,000): 2,000 chains, 60 sweeps."""
    machine = general(visible=visible)
    m, n = visible, 6
    v = all_states(m, "binary")[[3, 5, 10, 12]]
    options = BoltzmannOptions(chains=2000, batch=2000, sweeps=60, data_sweeps=40, rate=1.0)
    training = BoltzmannTraining(machine, options, seed=3)
    training.step(np.repeat(v, 500, axis=0))
    model = enumerate_ising(machine.J, machine.T, machine.h, "binary")
    states, exact = all_states(n, "binary"), np.zeros((n, n))
    for each in v:
        weight = np.exp(-machine.energy(states) / machine.T) * (states[:, :m] == each).all(axis=1)
        exact += (states.T * weight) @ states / weight.sum() / len(v)
    difference = exact - model.corr
    # a product of bits varies by at most 1 / 4, in both phases
    error = np.sqrt(2 * 0.25 / 2000)
    J, h = training.machine.J - machine.J, training.machine.h - machine.h
    off = ~np.eye(n, dtype=bool)
    assert np.abs(J - difference)[off].max() < 4.5 * error
    assert np.abs(h - np.diag(difference)).max() < 4.5 * error


def test_model_statistics_of_a_deep_machine():
    """Changes of weights and biases: mean field less enumeration, 31 numbers within 4.5 errors of 4,000 chains."""
    machine = deep()
    options = BoltzmannOptions(chains=4000, batch=4, sweeps=60, rate=1.0)
    training = DeepTraining(machine, options, seed=2)
    training.step(V)
    states = all_states(10, "binary")
    layers = np.split(states, [4, 7], axis=1)
    p = np.exp(-machine.energy(layers) / machine.T - machine.log_partition())
    data = machine.mean_field(V, tolerance=1e-9)
    after = training.machine
    error = 0.5 / np.sqrt(4000)
    for i in range(2):
        exact = data[i].T @ data[i + 1] / 4 - (layers[i].T * p) @ layers[i + 1]
        assert np.abs(after.weights[i] - machine.weights[i] - exact).max() < 4.5 * error
    for i in range(3):
        exact = data[i].mean(axis=0) - p @ layers[i]
        assert np.abs(after.biases[i] - machine.biases[i] - exact).max() < 4.5 * error


def test_centred_gradients_are_those_of_the_centred_machine():
    """Melchior, Fischer and Wiskott 2016: dW_c = dW - mu (<y>_d - <y>_m) - (<x>_d - <x>_m) nu, db_c = db - dW_c nu."""
    rng = np.random.default_rng(0)
    data, model = ([rng.random((rows, n)) for n in (4, 3, 2)] for rows in (7, 9))
    plain, centred = (gradients(data, model, centred=value) for value in (False, True))
    means = [x.mean(axis=0) for x in data]
    shifts = [mean - x.mean(axis=0) for mean, x in zip(means, model)]
    for i in range(2):
        expected = plain[i] - np.outer(means[i], shifts[i + 1]) - np.outer(shifts[i], means[i + 1])
        np.testing.assert_allclose(centred[i], expected, atol=1e-12)
    np.testing.assert_allclose(centred[2], plain[2] - centred[0] @ means[1], atol=1e-12)
    np.testing.assert_allclose(centred[3], plain[3] - means[0] @ centred[0] - centred[1] @ means[2], atol=1e-12)
    np.testing.assert_allclose(centred[4], plain[4] - means[1] @ centred[1], atol=1e-12)


def test_pretraining_counts_an_input_twice():
    """The hidden means of the first step are those of twice the input, which is what a machine of twice the weight has."""
    rng = np.random.default_rng(1)
    W, b, c = rng.normal(size=(4, 3)), rng.normal(size=4), rng.normal(size=3)
    options = BoltzmannOptions(chains=4000, batch=4, sweeps=40, rate=1.0)
    training = DeepTraining(DeepBoltzmannMachine((W,), (b, c)), options, seed=4, upward=2.0)
    training.step(V)
    # the model: h beside 2 v, v beside h; its law is that of two equal copies of v, so it is enumerated as a chain
    v, h = all_states(4, "binary"), all_states(3, "binary")
    up = np.prod(np.where(h[None] > 0, (p := logistic(c + 2 * v @ W))[:, None], 1 - p[:, None]), axis=2)
    down = np.prod(np.where(v[None] > 0, (q := logistic(b + h @ W.T))[:, None], 1 - q[:, None]), axis=2)
    law = np.linalg.matrix_power(up @ down, 200)[0]
    exact = V.T @ logistic(c + 2 * V @ W) / 4 - (v.T * law) @ p
    assert np.abs(training.machine.weights[0] - W - exact).max() < 4.5 * 0.5 / np.sqrt(4000)


def test_training_of_a_general_machine():
    """Four patterns of four visible units beside two hidden ones: from 4 ln 2 nats to near ln 4."""
    machine = general(T=1.0)
    small = BoltzmannMachine(0.1 * machine.J, 0 * machine.h, 4)
    options = {"chains": 100, "batch": 16, "sweeps": 3, "rate": 0.3}
    after = train(small, np.repeat(V, 4, axis=0), epochs=150, seed=1, **options)
    assert likelihood(small, V) < -2.6
    assert likelihood(after, V) > -1.9
    parts = [train(small, V, epochs=2, seed=1, **options).J for _ in range(2)]
    assert np.array_equal(*parts)


def test_training_of_a_deep_machine():
    machine = DeepBoltzmannMachine(tuple(2 * W for W in deep().weights), tuple(np.zeros(n) for n in (4, 3, 3)))
    options = {"chains": 100, "batch": 16, "sweeps": 3, "rate": 0.2, "momentum": 0.5}
    logs = []
    train(machine, np.repeat(V, 4, axis=0), epochs=300, seed=1, watch=lambda epoch, m: logs.append(m), **options)

    def mean_log(machine):
        states = all_states(10, "binary")
        weight = -machine.energy(np.split(states, [4, 7], axis=1)) / machine.T
        rows = [(states[:, :4] == each).all(axis=1) for each in V]
        return np.mean([np.logaddexp.reduce(weight[row]) for row in rows]) - np.logaddexp.reduce(weight)

    assert len(logs) == 300
    assert mean_log(logs[0]) < -2.6 and mean_log(logs[-1]) > -2.1


def test_contrastive_divergence_of_two_layers():
    """CD-1 against enumeration of its chain: 19 slopes within 4.5 standard errors (a false alarm in 7,000)."""
    rng, n = np.random.default_rng(5), 4000
    W, b, c = 2 * rng.normal(size=(4, 3)), 0.3 * rng.normal(size=4), 0.3 * rng.normal(size=3)
    v0 = V[:1]  # chains that began elsewhere would differ by 0.28
    machine = DeepBoltzmannMachine((W,), (b, c))
    options = BoltzmannOptions(chains=n, batch=n, rate=1.0, persistent=False)
    training = DeepTraining(machine, options, seed=6)
    training.step(np.repeat(v0, n, axis=0))
    h, v = all_states(3, "binary"), all_states(4, "binary")

    def chances(states, p):
        return np.prod(np.where(states[np.newaxis], p[:, np.newaxis], 1 - p[:, np.newaxis]), axis=-1)

    data, means = logistic(v0 @ W + c), logistic(v @ W + c)
    ends = (chances(h, data) @ chances(v, logistic(h @ W.T + b)))[0]
    expected = [v0.T @ data - (v.T * ends) @ means, v0[0] - ends @ v, data[0] - ends @ means]
    moved = training.machine.weights[0] - W, training.machine.biases[0] - b, training.machine.biases[1] - c
    # what is averaged lies in [0, 1]: a variance of at most 1 / 4
    for slope, exact in zip(moved, expected):
        assert np.abs(slope - exact).max() < 4.5 * np.sqrt(0.25 / n)


def test_contrastive_divergence_of_couplings_begins_at_the_samples():
    """So cold that all zeros and all ones stay what they are: chains from the samples see no difference to them."""
    J = 1.0 - np.eye(4)
    machine = BoltzmannMachine(J, -J.sum(axis=0) / 2, visible=4, T=0.02)
    data = np.repeat([[0.0] * 4, [1.0] * 4], 2, axis=0)
    made = [train(machine, data, epochs=1, chains=4, batch=4, persistent=persistent) for persistent in (False, True)]
    assert np.array_equal(made[0].J, J) and not np.array_equal(made[1].J, J)


def test_divergence_is_named():
    with pytest.raises(tc.ThermocError) as problem:
        train(deep(), V, epochs=5, batch=4, rate=1e7)
    assert problem.value.code == "T422"


@pytest.mark.parametrize(
    ("code", "call"),
    [
        ("T405", lambda: BoltzmannMachine(np.ones((2, 2)), np.ones(2), 1)),
        ("T405", lambda: BoltzmannMachine(np.array([[0, 1], [2, 0.0]]), np.ones(2), 1)),
        ("T405", lambda: BoltzmannMachine(np.zeros((2, 2)), np.ones(2), 3)),
        ("T402", lambda: train(general(), np.ones((3, 6)), epochs=1)),
        ("T403", lambda: train(deep(), np.full((3, 4), -1.0), epochs=1)),
        ("T404", lambda: train(deep(), V, epochs=1, chains=0)),
        ("T404", lambda: train(deep(), V, epochs=1, kind=0)),
        ("T404", lambda: train(deep(), V, epochs=1, rounds=0)),
        ("T404", lambda: train(deep(), V, epochs=1, persistent=False)),
        ("T404", lambda: train(general(), V, epochs=1, batch=4, persistent=False)),
        ("T404", lambda: DeepTraining(deep(), upward=2.0)),
    ],
)
def test_what_is_refused(code, call):
    with pytest.raises(tc.ThermocError) as problem:
        call()
    assert problem.value.code == code
