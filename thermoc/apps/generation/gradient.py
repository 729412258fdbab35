"""Layers of bits while they are trained: their draws, their mean field, and a step up the centred gradient (P37).

Melchior, Fischer and Wiskott, JMLR 17 (2016): gradients of units less their means are better conditioned.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc.learning.annealed_importance import bits
from thermoc.learning.machines import DeepBoltzmannMachine, RestrictedBoltzmannMachine, logistic
from thermoc.support.array_types import FloatArray
from thermoc.support.errors import error
from thermoc.support.philox import key_of


class MachineLayers:
    """Weights and biases that a training changes, and the noise of its draws.

    upward, downward: factors of a layer's input from below and from above, other than 1 in pretraining alone.
    """

    def __init__(self, W: list[Any], b: list[Any], seed: int, upward: float = 1.0, downward: float = 1.0):
        self.W, self.b, self.upward, self.downward = W, b, upward, downward
        low, high = key_of(seed)
        self.key, self.drawn = np.uint64(low | high << 32), 0

    @classmethod
    def untrained(cls, sizes: Sequence[int], data: FloatArray, seed: int, **factors: float) -> MachineLayers:
        """Return small random weights, and visible biases that give each pixel its mean. Errors: T404."""
        if min(sizes) < 1:
            raise error("T404", "a layer has at least one unit", notes=[f"layers of {', '.join(map(str, sizes))}"])
        rng = np.random.default_rng(seed)
        mean = (data.sum(axis=0) + 1) / (len(data) + 2)
        b = [np.log(mean / (1 - mean)), *(np.zeros(n) for n in sizes[1:])]
        return cls([rng.normal(0, 0.01, pair) for pair in pairwise(sizes)], b, seed, **factors)

    def machine(self) -> DeepBoltzmannMachine:
        return DeepBoltzmannMachine(tuple(self.W), tuple(self.b))

    def restricted(self) -> RestrictedBoltzmannMachine:
        return RestrictedBoltzmannMachine(self.W[0], *self.b)

    def drive(self, layer: int, states: Sequence[Any], field: Any = 0.0) -> Any:
        total = self.b[layer] + field
        if layer > 0:
            total = total + self.upward * (states[layer - 1] @ self.W[layer - 1])
        if layer < len(self.W):
            total = total + self.downward * (states[layer + 1] @ self.W[layer].T)
        return total

    def sample(self, layer: int, states: list[Any], field: Any = 0.0) -> None:
        """Draw a layer beside its neighbours."""
        from thermoc.simulator.kernels.annealed_importance import sample_bits_kernel, uniforms_kernel

        drive = self.drive(layer, states, field)
        u, levels, zero = np.empty_like(drive), np.empty_like(drive), np.zeros(drive.shape[1])
        uniforms_kernel(u.reshape(-1), self.drawn, layer, self.key)
        self.drawn += 1
        sample_bits_kernel(levels, drive, u, zero, zero, 1.0)
        states[layer] = levels

    def sweep(self, states: list[Any], field: Any = 0.0) -> None:
        """Draw the layers of odd number, then those of even number."""
        for first in (1, 0):
            for layer in range(first, len(self.b), 2):
                self.sample(layer, states, field if layer == 0 else 0.0)

    def mean_field(self, v: Any, rounds: int) -> list[Any]:
        """Return v and the means of the hidden layers beside it; exact after one round where there is one of them."""
        means = [v, *(np.full((len(v), len(b)), 0.5) for b in self.b[1:])]
        for _ in range(1 if len(self.W) == 1 else rounds):
            for first in (1, 2):
                for layer in range(first, len(self.b), 2):
                    means[layer] = logistic(self.drive(layer, means))
        return means


def ascend(layers: MachineLayers, positive: list[Any], negative: list[Any], rate: float, decay: float) -> None:
    """Step up the gradient of the log-likelihood, <x x>_data - <x x>_model, in centred units: x is x - <x>_data.

    positive: states or means beside the data, (batch, n_l) a layer; negative: those of the model, (chains, n_l).
    """
    centres = [x.mean(axis=0) for x in positive]
    shifts = [centre - x.mean(axis=0) for centre, x in zip(centres, negative)]
    data, model = ([x - centre for x, centre in zip(states, centres)] for states in (positive, negative))
    biases = list(shifts)
    for below, W in enumerate(layers.W):
        above = below + 1
        slope = data[below].T @ data[above] / len(data[0]) - model[below].T @ model[above] / len(model[0])
        # The biases that belong to uncentred units move with the weights.
        biases[below] = biases[below] - slope @ centres[above]
        biases[above] = biases[above] - centres[below] @ slope
        W += rate * (slope - decay * W)
    for b, slope in zip(layers.b, biases):
        b += rate * slope


def finite_or_stop(layers: MachineLayers, epoch: int) -> None:
    """Check the weights. Errors: T422 where weights are no numbers any more."""
    largest = max(float(np.abs(W).max()) for W in layers.W)
    if not largest < 1e6:
        notes = [f"epoch {epoch + 1}", f"largest weight {largest:g}"]
        raise error("T422", "the training diverges", notes=notes, hint="take a lower rate")


def images_of(data: ArrayLike) -> FloatArray:
    """Return images (n, m) of 0 and 1 as floats. Errors: T402, T403."""
    shape = np.shape(data)
    return bits(data, shape[1] if len(shape) == 2 else 0)
