"""Contrastive divergence against NumPy with the same noise, against enumeration, and what it must refuse."""

import numpy as np
import pytest

import thermoc as tc
from thermoc.learning.contrastive_divergence import CDOptions, ContrastiveDivergence, train
from thermoc.learning.machines import RestrictedBoltzmannMachine, logistic
from thermoc.physics.ising import all_states
from thermoc.support import philox

M, N = 70, 40


def machine(m=M, n=N, scale=0.3, T=1.0, seed=0):
    rng = np.random.default_rng(seed)
    arrays = scale * rng.normal(size=(m, n)), scale * rng.normal(size=m), scale * rng.normal(size=n)
    return RestrictedBoltzmannMachine(*(array.astype(np.float32) for array in arrays), T)


def uniforms(samples, units, step, draw, seed):
    """The noise of a layer, as the documentation of ``bands.Counter`` states it."""
    s, i = np.arange(samples)[:, np.newaxis], np.arange(units)
    chunks = -(-(-(-units // 32) * 32) // 64)
    element = 8 * (chunks * s + i // 64) + i % 8
    words = philox.philox4x32((element, step, 2 * draw + i // 32 % 2, 0), philox.key_of(seed))
    word = np.choose(np.broadcast_to(i // 8 % 4, element.shape), words)
    return philox.uniform(word, word, np.dtype(np.float32))


class Reference:
    """Contrastive divergence as P37 says it, in float64."""

    def __init__(self, model, options, seed):
        self.W, self.b, self.c, self.T = model.W.copy(), model.b.copy(), model.c.copy(), model.T
        self.options, self.seed, self.steps = options, seed, 0
        self.v = np.zeros((options.chains or options.batch, len(self.b)))
        self.velocity = [np.zeros_like(array) for array in (self.W, self.b, self.c)]

    def draw(self, means, number):
        return (uniforms(*means.shape, self.steps, number, self.seed) < means.astype(np.float32)).astype(float)

    def step(self, data):
        o = self.options
        up, down = (
            (lambda v: logistic((v @ self.W + self.c) / self.T)),
            (lambda h: logistic((h @ self.W.T + self.b) / self.T)),
        )
        v = self.v if o.persistent else data
        for sweep in range(o.k):
            v = self.draw(down(self.draw(up(v), 2 * sweep)), 2 * sweep + 1)
        self.v = v
        gradient = [
            data.T @ up(data) / len(data) - v.T @ up(v) / len(v),
            data.mean(axis=0) - v.mean(axis=0),
            up(data).mean(axis=0) - up(v).mean(axis=0),
        ]
        gradient[0] -= o.weight_decay * self.W
        for array, velocity, g in zip((self.W, self.b, self.c), self.velocity, gradient):
            velocity[:] = o.momentum * velocity + o.rate * g
            array += velocity
        self.steps += 1


@pytest.mark.parametrize("numbers", [False, True])
@pytest.mark.parametrize(
    "options",
    [
        CDOptions(k=1, rate=0.1),
        CDOptions(k=2, rate=0.1, momentum=0.5, weight_decay=0.01),
        CDOptions(k=2, rate=0.1, persistent=True, chains=37),
    ],
)
def test_steps_are_those_of_the_rule(options, numbers):
    """Bits of chains equal, weights to float32's rounding: 45 samples fill no whole code."""
    model, rng = machine(T=1.5), np.random.default_rng(1)
    data = rng.random((45, M)).astype(np.float32)
    data = data if numbers else (data < 0.3).astype(np.uint8)
    trainer, reference = ContrastiveDivergence(model, options, seed=2**40 + 3), Reference(model, options, 2**40 + 3)
    for _ in range(3):
        trainer.step(data)
        reference.step(data.astype(float))
    for array, expected in zip(
        (trainer.machine.W, trainer.machine.b, trainer.machine.c), (reference.W, reference.b, reference.c)
    ):
        assert np.abs(array - expected).max() < 2e-6


@pytest.mark.parametrize("persistent", [False, True])
def test_gradient_of_twelve_units_is_that_of_enumeration(persistent):
    """All 44 elements within 4 standard errors, from 4,096 chains of 100 sweeps: a false alarm in 350."""
    m, n, rate = 8, 4, 1.0
    model = machine(m, n, 0.5, T=1.2)
    data = np.repeat(all_states(m, "binary")[[3, 77, 200, 255]], 1024, axis=0)
    options = CDOptions(k=100, rate=rate, persistent=persistent, batch=4096)
    trainer = ContrastiveDivergence(model, options, seed=11)
    trainer.step(data)
    v = all_states(m, "binary")
    p, h, after = np.exp(model.log_likelihood(v)), model.hidden_means(v), trainer.machine
    # statistics of each state: (256, m, n), (256, m), (256, n)
    for name, each in {"W": v[:, :, np.newaxis] * h[:, np.newaxis], "b": v, "c": h}.items():
        expected = np.tensordot(p, each, 1)
        spread = np.sqrt(np.tensordot(p, each**2, 1) - expected**2)
        exact = each[[3, 77, 200, 255]].mean(axis=0) - expected
        estimate = (getattr(after, name) - getattr(model, name)) / rate
        assert (np.abs(estimate - exact) < 4 * spread / 64 + 1e-6).all()


def test_energies_of_data_and_model():
    model = machine()
    trainer = ContrastiveDivergence(model, CDOptions(batch=45, persistent=True), seed=1)
    data = (np.random.default_rng(1).random((45, M)) < 0.3).astype(np.uint8)
    energies = trainer.step(data)
    chains = trainer.state["chains"].reshape(-1, 45, 32).swapaxes(0, 1).reshape(45, -1)[:, :M]
    for energy, v in zip(energies, (data, chains)):
        assert abs(energy - model.energy(v, model.hidden_means(v)).mean()) < 1e-4


def test_temperature_is_trained():
    """Data of T = 2 and a machine at T = 1 with the right couplings: T alone learns, to 10 %."""
    hot = machine(8, 4, 1.5, T=2.0)
    v = all_states(8, "binary")
    data = v[np.random.default_rng(0).choice(256, 4096, p=np.exp(hot.log_likelihood(v)))]
    options = {"rate": 0.0, "temperature_rate": 0.2, "persistent": True, "k": 5}
    cold = RestrictedBoltzmannMachine(hot.W, hot.b, hot.c, 1.0)
    temperatures = []
    after = train(cold, data, epochs=4, seed=4, watch=lambda summary: temperatures.append(summary.T), **options)
    assert abs(after.T - 2) < 0.2 and len(temperatures) == 4
    assert np.array_equal(after.W, hot.W)


def test_likelihood_grows_to_that_of_the_data():
    """Four patterns of 6 bits: within 0.3 nats of ln 4, where an untrained machine has 6 ln 2."""
    patterns = np.array([[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1], [1, 0, 1, 0, 1, 0], [0, 0, 0, 0, 0, 0]])
    data = np.repeat(patterns, 32, axis=0)
    start = RestrictedBoltzmannMachine(0.01 * machine(6, 8).W, np.zeros(6), np.zeros(8))
    after = train(start, data, epochs=1200, batch=64, persistent=True, chains=256, rate=0.1, momentum=0.5, seed=1)
    assert start.log_likelihood(patterns).mean() < -4
    assert after.log_likelihood(patterns).mean() > -np.log(4) - 0.3


def test_same_seed_same_bytes_and_state_goes_on():
    data = (np.random.default_rng(2).random((100, M)) < 0.4).astype(np.uint8)
    options = CDOptions(persistent=True, batch=32, momentum=0.3)
    first, second = (ContrastiveDivergence(machine(), options, seed=5) for _ in range(2))
    first.epoch(data)
    second.restore(first.state)
    assert np.array_equal(second.machine.W, first.machine.W)
    assert first.epoch(data) == second.epoch(data)
    assert np.array_equal(second.machine.W, first.machine.W)
    again = ContrastiveDivergence(machine(), options, seed=6)
    again.epoch(data)
    again.epoch(data)
    assert not np.array_equal(again.machine.W, first.machine.W)


def test_divergence_is_named_and_the_last_good_machine_kept():
    data = (np.random.default_rng(2).random((64, M)) < 0.4).astype(np.uint8)
    trainer = ContrastiveDivergence(machine(), seed=1)
    trainer.epoch(data)
    good = trainer.machine
    with pytest.raises(tc.ThermocError) as problem:
        for _ in range(20):
            trainer.epoch(data, rate=3e38)
    assert problem.value.code == "T422" and np.isfinite(trainer.machine.W).all()
    assert trainer.machine is good or np.isfinite(trainer.machine.W).all()


@pytest.mark.parametrize(
    ("code", "call"),
    [
        ("T402", lambda: train(machine(), np.zeros((3, M + 1)), epochs=1)),
        ("T402", lambda: train(machine(), np.zeros((0, M)), epochs=1)),
        ("T403", lambda: train(machine(), np.full((3, M), np.nan), epochs=1)),
        ("T403", lambda: train(machine(), np.full((3, M), 2.0), epochs=1)),
        ("T403", lambda: train(machine(), np.full((3, M), "a"), epochs=1)),
        ("T404", lambda: train(machine(), np.zeros((3, M)), epochs=1, k=0)),
        ("T404", lambda: train(machine(), np.zeros((3, M)), epochs=1, momentum=1.0)),
        ("T404", lambda: train(machine(), np.zeros((3, M)), epochs=1, learning_rate=1.0)),
        ("T404", lambda: train(machine(), np.zeros((3, M)), epochs=1, chains=5)),
        ("T404", lambda: ContrastiveDivergence(machine()).restore({})),
        ("T404", lambda: train(machine(), np.zeros((3, M)), epochs=1, seed=-1)),
    ],
)
def test_what_is_refused(code, call):
    with pytest.raises(tc.ThermocError) as problem:
        call()
    assert problem.value.code == code
