"""Training of Boltzmann machines of two and three layers on small sets of images, by persistent chains (P37).

Tieleman, ICML 2008 (persistent chains); Salakhutdinov and Hinton, AISTATS 2009 (deep machines: mean field beside the
data, chains for the model, layers pretrained one by one).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc.apps.generation.gradient import MachineLayers, ascend, finite_or_stop, images_of
from thermoc.ir.feed import checked_numbers
from thermoc.learning.machines import DeepBoltzmannMachine, RestrictedBoltzmannMachine, logistic
from thermoc.support.array_types import FloatArray
from thermoc.support.errors import error

Progress = Callable[[int, int], None]
"""Called with the epochs that are behind it, and how many there are."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a machine is trained. rate: of the gradient of the mean log-likelihood; it falls linearly to zero.

    chains: fantasy particles that persist; sweeps: their updates before each step; decay: of the weights, per step and
    rate; rounds: of the mean field (deep machines). The same seed gives the same weights. Errors: T404.
    """

    epochs: int = 50
    batch: int = 50
    rate: float = 0.05
    chains: int = 100
    sweeps: int = 1
    decay: float = 1e-4
    rounds: int = 10
    seed: int = 0

    def __post_init__(self):
        checked_numbers(seed=self.seed)
        counts = {"epochs": self.epochs, "batch": self.batch, "chains": self.chains, "sweeps": self.sweeps}
        wrong = [f"{name} = {value}" for name, value in (counts | {"rounds": self.rounds}).items() if value < 1]
        if not (np.isfinite(self.rate) and self.rate > 0):
            wrong.append(f"rate = {self.rate}")
        if wrong:
            raise error("T404", "counts are at least 1 and the rate is positive", notes=wrong)


def restricted_machine(
    data: ArrayLike, hidden: int, training: Training | None = None, progress: Progress | None = None
) -> RestrictedBoltzmannMachine:
    """Return a restricted machine of so many hidden units trained on images (n, m) of 0 and 1, at T = 1.

    Errors: T402, T403, T404, T422 (weights diverge).
    """
    options = training or Training()
    v = images_of(data)
    layers = MachineLayers.untrained([v.shape[1], hidden], v, options.seed)
    _train(layers, v, options, progress)
    return layers.restricted()


def deep_machine(
    data: ArrayLike,
    hidden: Sequence[int],
    training: Training | None = None,
    *,
    pretraining: Training | None = None,
    progress: Progress | None = None,
) -> DeepBoltzmannMachine:
    """Return a deep machine of two hidden layers trained on images (n, m) of 0 and 1, at T = 1.

    Each pair of layers is pretrained as a restricted machine that counts the input from the layer which the deep
    machine drives from both sides twice; then all are trained together. Errors: T402, T403, T404, T422.
    """
    options = training or Training()
    if len(hidden) != 2:
        raise error("T404", "a deep machine here has two hidden layers", notes=[f"hidden = {list(hidden)}"])
    v, first = images_of(data), pretraining or options
    sizes = [v.shape[1], *hidden]
    bottom = MachineLayers.untrained(sizes[:2], v, options.seed, upward=2.0)
    _train(bottom, v, first, None)
    means = logistic(bottom.drive(1, [v, None]))
    top = MachineLayers.untrained(sizes[1:], means, options.seed + 1, downward=2.0)
    _train(top, means, first, None)
    layers = MachineLayers(
        [bottom.W[0], top.W[0]], [bottom.b[0], (bottom.b[1] + top.b[0]) / 2, top.b[1]], options.seed + 2
    )
    _train(layers, v, options, progress)
    return layers.machine()


def _train(layers: MachineLayers, v: FloatArray, options: Training, progress: Progress | None) -> None:
    rng = np.random.default_rng([options.seed, len(layers.b)])
    particles: list[Any] = [
        v[rng.integers(0, len(v), options.chains)],
        *(np.zeros((options.chains, len(b))) for b in layers.b[1:]),
    ]
    particles[0] = (rng.random(particles[0].shape) < particles[0]).astype(float)
    for layer in range(2, len(particles), 2):
        particles[layer] = (rng.random(particles[layer].shape) < 0.5).astype(float)
    batches = -(-len(v) // options.batch)
    for epoch in range(options.epochs):
        order = rng.permutation(len(v))
        for k in range(batches):
            rate = options.rate * (1 - (epoch * batches + k) / (options.epochs * batches))
            for _ in range(options.sweeps):
                layers.sweep(particles)
            model = list(particles)
            # The mean of the units drawn first beside the others has less noise than their bits.
            for layer in range(1, len(model), 2):
                model[layer] = logistic(layers.drive(layer, particles))
            data = layers.mean_field(v[order[k * options.batch : (k + 1) * options.batch]], options.rounds)
            ascend(layers, data, model, rate, options.decay)
        finite_or_stop(layers, epoch)
        if progress is not None:
            progress(epoch + 1, options.epochs)
