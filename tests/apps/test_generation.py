"""Machines trained on images: their likelihood, what they draw and complete, and the chain that denoises."""

import matplotlib
import numpy as np
import pytest

import thermoc as tc
from thermoc.apps.generation import (
    DenoisingChain,
    Training,
    clamped_network,
    completions,
    deep_machine,
    denoising_chain,
    picture,
    restricted_machine,
    samples,
)
from thermoc.demo import digits
from thermoc.learning.annealed_importance import log_likelihood, log_partition
from thermoc.learning.machines import RestrictedBoltzmannMachine
from thermoc.physics import all_states

BARS = np.array([[1, 1, 0, 0, 0, 0], [0, 0, 1, 1, 0, 0], [0, 0, 0, 0, 1, 1]], float)
"""Three images of six pixels, one of which is drawn with equal probability."""


def bars(n: int, seed: int) -> np.ndarray:
    return BARS[np.random.default_rng(seed).integers(0, 3, n)]


def test_a_restricted_machine_learns_the_law_of_its_data():
    """Independent pixels take 3.8 nats an image, the law itself ln 3 = 1.1; 360 steps get to 1.7. All is enumerated."""
    machine = restricted_machine(bars(300, 1), 4, Training(epochs=60, rate=0.5, seed=1))
    assert machine.log_likelihood(BARS).mean() > -2.0


def test_a_deep_machine_learns_the_law_of_its_data():
    machine = deep_machine(bars(300, 1), (4, 3), Training(epochs=60, rate=0.3, seed=1))
    exact = log_partition(machine, BARS, steps=400, chains=200)
    assert exact.value == pytest.approx(machine.log_partition(), abs=5 * exact.error)
    assert log_likelihood(machine, BARS, exact).mean > -np.log(3) - 1.0


def test_the_same_seed_gives_the_same_weights():
    a, b, c = (restricted_machine(bars(50, 1), 3, Training(epochs=2, seed=s)) for s in (1, 1, 2))
    assert np.array_equal(a.W, b.W) and not np.array_equal(a.W, c.W)


def test_samples_have_the_law_of_the_machine():
    """Means of pixels over 2,000 chains within 4.5 standard errors: a false alarm once in 20,000."""
    machine = RestrictedBoltzmannMachine(np.random.default_rng(1).normal(0, 1, (6, 3)), np.zeros(6), np.zeros(3), 0.9)
    states = all_states(6, "binary")
    p = np.exp(machine.log_likelihood(states))
    drawn = samples(machine, 2000, sweeps=30, seed=2)
    assert np.all(np.abs(drawn.mean(axis=0) - p @ states) < 4.5 * drawn.std(axis=0) / np.sqrt(2000))


def test_completions_are_means_beside_the_known_pixels():
    """Against the sum over the unknown ones; 4.5 standard errors of 100 chains, a false alarm once in 20,000."""
    machine = RestrictedBoltzmannMachine(np.random.default_rng(3).normal(0, 1, (6, 3)), np.zeros(6), np.zeros(3))
    known = np.array([True, True, False, False, True, False])
    image = np.array([1.0, 0.0, 0.0, 0.0, 1.0, 0.0])
    states = all_states(6, "binary")
    states = states[(states[:, known] == image[known]).all(axis=1)]
    p = np.exp(-machine.free_energy(states))
    drawn = completions(machine, np.tile(image, (100, 1)), known, sweeps=200, seed=4)
    distance = np.abs(drawn.mean(axis=0) - p @ states / p.sum())
    assert np.all(distance <= 4.5 * drawn.std(axis=0, ddof=1) / 10 + 1e-9)
    assert np.array_equal(drawn[:, known], np.tile(image[known], (100, 1)))


def test_a_denoising_chain_draws_what_it_was_trained_on():
    """A fifth of the pixels flips in each of four steps. Of images drawn at random 3 in 64 would be bars."""
    training = Training(epochs=40, batch=10, rate=1.0, sweeps=8)
    chain = denoising_chain(bars(300, 2), steps=4, hidden=6, flip=0.2, training=training)
    drawn = chain.samples(400, seed=3)
    assert len(drawn) == 5 and drawn[0].mean() == pytest.approx(0.5, abs=0.05)
    right = (drawn[-1][:, None] == BARS).all(axis=2)
    assert right.any(axis=1).mean() > 0.85 and right.mean(axis=0).min() > 0.2


def test_untrained_machines_denoise_by_the_field_alone():
    """Without couplings p(x = y) = 1 - flip for every pixel: 4.5 standard errors of 6,000 pixels."""
    machine = RestrictedBoltzmannMachine(np.zeros((6, 2)), np.zeros(6), np.zeros(2), T=2.0)
    noise, image = DenoisingChain(machines=(machine,), flip=0.3, sweeps=2).samples(1000, seed=1)
    assert (noise == image).mean() == pytest.approx(0.7, abs=4.5 * np.sqrt(0.21 / 6000))


def test_networks_run_on_other_targets():
    machine = restricted_machine(bars(50, 1), 3, Training(epochs=2))
    chain = DenoisingChain(machines=(machine, machine), flip=0.2, sweeps=2)
    for net, feed in ((clamped_network(machine), {"field": np.zeros((2, 6))}), (chain.network(), None)):
        result = tc.verify(net, targets=["onnx"], inputs=feed, ticks=3, seed=1)
        assert result.ok, str(result)


@pytest.mark.slow
def test_digits_are_likelier_than_under_scikit_learns_machine():
    """16 hidden units, 10 epochs, 3 seeds of 3; scikit-learn's default rate and the one of three that is best for it."""
    neural_network = pytest.importorskip("sklearn.neural_network")
    data = digits()
    train, test = ((images >= 0.5).astype(float) for images in (data.train_images, data.test_images))

    def likelihood(machine: RestrictedBoltzmannMachine) -> float:
        return log_likelihood(machine, test, log_partition(machine, train, steps=300, chains=100)).mean

    for seed in range(3):
        theirs = []
        for rate in (0.1, 0.03, 0.01):
            m = neural_network.BernoulliRBM(n_components=16, learning_rate=rate, n_iter=10, random_state=seed).fit(
                train
            )
            arrays = (np.asarray(a, float) for a in (m.components_.T, m.intercept_visible_, m.intercept_hidden_))
            theirs.append(likelihood(RestrictedBoltzmannMachine(*arrays)))
        ours = likelihood(restricted_machine(train, 16, Training(epochs=10, rate=1.0, seed=seed)))
        assert ours > max(theirs) + 0.5


def test_pictures_have_every_image():
    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    _, ax = plt.subplots()
    picture(ax, BARS, shape=(2, 3), columns=2, title="bars")
    sheet = np.asarray(ax.images[0].get_array())
    assert sheet.shape == (7, 9) and np.array_equal(sheet[1:3, 1:4].reshape(-1), BARS[0])
    assert np.array_equal(sheet[4:6, 1:4].reshape(-1), BARS[2])
    plt.close("all")


def test_bad_input_is_named():
    x = bars(20, 1)
    machine = RestrictedBoltzmannMachine(np.zeros((6, 2)), np.zeros(6), np.zeros(2))
    known = np.arange(6) < 3
    for code, call in (
        ("T404", lambda: Training(epochs=0)),
        ("T404", lambda: Training(rate=float("nan"))),
        ("T404", lambda: Training(seed=-1)),
        ("T404", lambda: restricted_machine(x, 0)),
        ("T402", lambda: restricted_machine(x[0], 3)),
        ("T403", lambda: restricted_machine(x * 0.5, 3)),
        ("T422", lambda: restricted_machine(x, 3, Training(epochs=5, rate=1e9))),
        ("T404", lambda: deep_machine(x, (3,))),
        ("T402", lambda: completions(machine, x[:, :5], known)),
        ("T402", lambda: completions(machine, x, known * 1.0)),
        ("T404", lambda: samples(machine, 0)),
        ("T404", lambda: samples(machine, 1, sweeps=0)),
        ("T404", lambda: samples(machine, 1, seed=-1)),
        ("T404", lambda: completions(machine, x, known, seed=-1)),
        ("T402", lambda: samples(machine, 3, start=x[:2])),
        ("T404", lambda: denoising_chain(x, flip=0.5)),
        ("T404", lambda: denoising_chain(x, steps=0)),
        ("T405", lambda: DenoisingChain(machines=(machine, restricted_machine(x[:, :4], 2)), flip=0.1)),
        ("T404", lambda: DenoisingChain(machines=(machine,), flip=0.1).samples(0)),
    ):
        with pytest.raises(tc.ThermocError, match=code):
            call()
