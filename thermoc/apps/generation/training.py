"""Machines of two and three layers for small sets of images: persistent chains, centred gradients (P37).

Tieleman, ICML 2008 (persistent chains); Salakhutdinov and Hinton, AISTATS 2009 (deep machines: layers pretrained one by
one). What trains them is ``thermoc.learning.deep_training``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc.ir.feed import checked_numbers
from thermoc.learning.annealed_importance import bits
from thermoc.learning.boltzmann_steps import BoltzmannOptions
from thermoc.learning.deep_training import DeepTraining
from thermoc.learning.machines import DeepBoltzmannMachine, RestrictedBoltzmannMachine, logistic
from thermoc.support.array_types import FloatArray
from thermoc.support.errors import error

Progress = Callable[[int, int], None]
"""Called with the epochs that are behind it, and how many there are."""


@dataclass(frozen=True, kw_only=True)
class Training:
    """How a machine is trained. rate: of the gradient of the mean log-likelihood; it falls linearly, epoch by epoch.

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

    @property
    def options(self) -> BoltzmannOptions:
        """The same as options of ``thermoc.learning``."""
        shared = {name: getattr(self, name) for name in ("batch", "rate", "chains", "sweeps", "rounds")}
        return BoltzmannOptions(**shared, weight_decay=self.decay, centred=True)

    def rate_of(self, epoch: int) -> float:
        """Return the rate of an epoch."""
        return self.rate * (1 - epoch / self.epochs)


def restricted_machine(
    data: ArrayLike, hidden: int, training: Training | None = None, progress: Progress | None = None
) -> RestrictedBoltzmannMachine:
    """Return a restricted machine of so many hidden units trained on images (n, m) of 0 and 1, at T = 1.

    Errors: T402, T403, T404, T422 (weights diverge).
    """
    options = training or Training()
    v = images_of(data)
    return restricted(_trained(untrained([v.shape[1], hidden], v, options.seed), v, options, progress))


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
    bottom = _trained(untrained(sizes[:2], v, options.seed), v, first, upward=2.0)
    means = logistic(bottom.biases[1] + 2 * (v @ bottom.weights[0]))
    top = _trained(untrained(sizes[1:], means, options.seed + 1), means, first, downward=2.0)
    (b, below), (above, c) = bottom.biases, top.biases
    stacked = DeepBoltzmannMachine((*bottom.weights, *top.weights), (b, (below + above) / 2, c))
    return _trained(stacked, v, options, progress)


def untrained(sizes: Sequence[int], data: FloatArray, seed: int) -> DeepBoltzmannMachine:
    """Return a machine of small random weights, whose visible biases give each pixel its mean. Errors: T404."""
    if min(sizes) < 1:
        raise error("T404", "a layer has at least one unit", notes=[f"layers of {', '.join(map(str, sizes))}"])
    rng = np.random.default_rng(seed)
    mean = (data.sum(axis=0) + 1) / (len(data) + 2)
    biases = np.log(mean / (1 - mean)), *(np.zeros(n) for n in sizes[1:])
    return DeepBoltzmannMachine(tuple(rng.normal(0, 0.01, pair) for pair in pairwise(sizes)), biases)


def restricted(machine: DeepBoltzmannMachine) -> RestrictedBoltzmannMachine:
    """Return a machine of two layers as a restricted one."""
    (W,), (b, c) = machine.weights, machine.biases
    return RestrictedBoltzmannMachine(W, b, c, machine.T)


def images_of(data: ArrayLike) -> FloatArray:
    """Return images (n, m) of 0 and 1 as floats. Errors: T402, T403."""
    shape = np.shape(data)
    return bits(data, shape[1] if len(shape) == 2 else 0)


def _trained(
    machine: DeepBoltzmannMachine,
    v: FloatArray,
    options: Training,
    progress: Progress | None = None,
    **factors: Any,
) -> DeepBoltzmannMachine:
    """Return a machine trained on bits or their means; its chains begin at samples."""
    training = DeepTraining(machine, options.options, seed=options.seed, **factors)
    rng = np.random.default_rng([options.seed, len(machine.sizes)])
    chosen = v[rng.integers(0, len(v), options.chains)]
    training.begin_at((rng.random(chosen.shape) < chosen).astype(float))
    for epoch in range(options.epochs):
        training.epoch(v, rate=options.rate_of(epoch))
        if progress is not None:
            progress(epoch + 1, options.epochs)
    return training.machine
