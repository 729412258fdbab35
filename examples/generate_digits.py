"""Digits drawn by Boltzmann machines: how likely they make digits that they never saw, what they draw and complete.

    python examples/generate_digits.py [generate_digits.png [EPOCHS]]

A restricted machine, a deep one of two hidden layers and a chain of machines that denoise learn 1,198 digits of 8 x 8
bits. The likelihood of 599 others is measured by annealed importance sampling, beside that of scikit-learn's
BernoulliRBM of as many units after as many epochs. Takes about twenty seconds on one core.
"""

from __future__ import annotations

import sys

import numpy as np
from numpy.typing import NDArray

from thermoc.apps.generation import (
    Training,
    completions,
    deep_machine,
    denoising_chain,
    picture,
    restricted_machine,
    samples,
)
from thermoc.demo import digits
from thermoc.learning.annealed_importance import LogLikelihood, log_likelihood, log_partition
from thermoc.learning.machines import DeepBoltzmannMachine, RestrictedBoltzmannMachine

HIDDEN = 64
KNOWN = np.arange(64) < 32
"""The upper half of an image."""


def bits() -> tuple[NDArray, NDArray]:
    """Return images for training and others, (n, 64), of 0 and 1."""
    data = digits()
    return (data.train_images >= 0.5).astype(float), (data.test_images >= 0.5).astype(float)


def measured(
    machine: RestrictedBoltzmannMachine | DeepBoltzmannMachine, train: NDArray, test: NDArray
) -> LogLikelihood:
    """Return the likelihood of unseen images; ln Z starts at the base rates of the seen ones."""
    return log_likelihood(machine, test, log_partition(machine, train, steps=500, chains=200))


def of_scikit_learn(train: NDArray, epochs: int, seed: int) -> RestrictedBoltzmannMachine | None:
    """Return its machine at its default rate; None where it is not installed."""
    try:
        from sklearn.neural_network import BernoulliRBM
    except ImportError:
        return None
    theirs = BernoulliRBM(n_components=HIDDEN, n_iter=epochs, random_state=seed).fit(train)
    return RestrictedBoltzmannMachine(
        W=np.asarray(theirs.components_.T, float),
        b=np.asarray(theirs.intercept_visible_, float),
        c=np.asarray(theirs.intercept_hidden_, float),
    )


def independent_pixels(train: NDArray, test: NDArray) -> float:
    """Return the mean ln p of images whose pixels know nothing of each other."""
    rate = (train.sum(axis=0) + 1) / (len(train) + 2)
    return float((test @ np.log(rate) + (1 - test) @ np.log(1 - rate)).mean())


def main(path: str = "generate_digits.png", epochs: str = "60") -> None:
    """Train, measure, draw."""
    train, test = bits()
    count = int(epochs)
    restricted = restricted_machine(train, HIDDEN, Training(epochs=count, rate=1.0))
    short = Training(epochs=max(count // 6, 1), rate=0.1)
    deep = deep_machine(train, (HIDDEN, 32), Training(epochs=max(2 * count // 3, 1), rate=0.3), pretraining=short)
    chain = denoising_chain(train, training=Training(epochs=max(count // 2, 1), rate=0.5, sweeps=4))
    steps = chain.samples(60, seed=1)

    ours, bound = measured(restricted, train, test), measured(deep, train, test)
    print(f"restricted machine: {ours.mean:.2f} +- {ours.error:.2f} nats an unseen image")
    print(f"deep machine: {bound.mean:.2f} +- {bound.error:.2f} or more, by its variational bound")
    theirs = of_scikit_learn(train, count, 0)
    if theirs is not None:
        likelihood = measured(theirs, train, test)
        print(f"scikit-learn's machine: {likelihood.mean:.2f} +- {likelihood.error:.2f}")
        assert ours.mean > likelihood.mean + 3 * (ours.error + likelihood.error)
    print(f"independent pixels: {independent_pixels(train, test):.2f}")
    assert min(ours.mean, bound.mean) > independent_pixels(train, test)

    # What the chain draws is likely under the other machine, which noise is not.
    noise, drawn, unseen = (-restricted.free_energy(x).mean() for x in (steps[0], steps[-1], test))
    gains = f"images of the chain {drawn - noise:.1f}, unseen digits {unseen - noise:.1f}"
    print(f"nats above noise under the restricted machine: {gains}")
    assert drawn - noise > 0.8 * (unseen - noise)
    completed = completions(restricted, test, KNOWN, sweeps=100)[:, ~KNOWN]
    wrong = np.abs(completed - test[:, ~KNOWN]).mean()
    guessed = np.abs(train[:, ~KNOWN].mean(axis=0) - test[:, ~KNOWN]).mean()
    print(f"lower halves from upper ones: {wrong:.3f} from the pixel, {guessed:.3f} by the means of pixels")
    assert wrong < guessed
    figure(path, (restricted, deep), steps, test[:20])


def figure(
    path: str,
    machines: tuple[RestrictedBoltzmannMachine, DeepBoltzmannMachine],
    steps: tuple[NDArray, ...],
    images: NDArray,
) -> None:
    """Draw what each machine draws, the steps of the chain, and halves that are completed."""
    import matplotlib.pyplot as plt

    fig, axes = plt.subplots(2, 3, figsize=(13, 8), layout="constrained")
    half = np.where(KNOWN, images, 0.5)
    for column, (machine, name) in enumerate(zip(machines, ("restricted machine", "deep machine"))):
        picture(axes[0, column], samples(machine, 60, sweeps=500, seed=1), shape=(8, 8), title=f"{name}: samples")
        completed = completions(machine, images, KNOWN)
        rows = [x[first : first + 10] for first in (0, 10) for x in (images, half, completed)]
        picture(axes[1, column], np.concatenate(rows), shape=(8, 8), title="image, its upper half, completed")
    picture(axes[0, 2], steps[-1], shape=(8, 8), title="denoising chain: samples")
    picture(axes[1, 2], np.concatenate([x[:10] for x in steps]), shape=(8, 8), title="its steps, noise first")
    fig.savefig(path, dpi=120)


if __name__ == "__main__":
    main(*sys.argv[1:])
