"""What trainings of Boltzmann machines share: options, epochs, and steps up a gradient (P37)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from thermoc.learning.data import DIVERGED, shuffled, visible_data
from thermoc.support.array_types import AnyArray, FloatArray
from thermoc.support.errors import error


@dataclass(frozen=True, kw_only=True)
class BoltzmannOptions:
    """How a machine is trained; see ``CDOptions``. sweeps: of chains a step; data_sweeps: of sampled data phases.

    A step takes ``batch`` samples; the last of an epoch is filled up from the start of the order. persistent: chains go
    on from step to step; else each begins at a sample, as many chains as samples (CD-k, k = sweeps). Of deep machines:
    centred, the gradient of units less their means beside the data; rounds of the mean field, else until it stands.
    device: where sessions run. Errors: T404.
    """

    chains: int = 128
    sweeps: int = 1
    data_sweeps: int = 10
    batch: int = 128
    rate: float = 0.05
    momentum: float = 0.0
    weight_decay: float = 0.0
    persistent: bool = True
    centred: bool = False
    rounds: int | None = None
    device: str = "cpu"

    def __post_init__(self):
        counts = {name: getattr(self, name) for name in ("chains", "sweeps", "data_sweeps", "batch")}
        counts |= {} if self.rounds is None else {"rounds": self.rounds}
        wrong = [
            f"{name} = {value!r}, a whole number >= 1"
            for name, value in counts.items()
            if int(value) != value or value < 1
        ]
        numbers = {name: getattr(self, name) for name in ("rate", "weight_decay")}
        wrong += [f"{name} = {value!r}, >= 0" for name, value in numbers.items() if not 0 <= value < np.inf]
        wrong += [] if 0 <= self.momentum < 1 else [f"momentum = {self.momentum!r}, from 0 to below 1"]
        if not self.persistent and self.chains != self.batch:
            wrong.append(f"chains = {self.chains} and batch = {self.batch}, as many where chains begin at samples")
        if wrong:
            raise error("T404", "an option of training is out of range", notes=wrong)


@dataclass
class Ascent:
    """Arrays that move by gradients, each with a velocity; the first ``weights`` of them decay."""

    arrays: list[FloatArray]
    weights: int
    options: BoltzmannOptions
    velocities: list[FloatArray] = field(init=False)

    def __post_init__(self):
        self.velocities = [np.zeros_like(array) for array in self.arrays]

    def move(self, gradients: Sequence[AnyArray], rate: float | None) -> None:
        """Move by gradients, at the options' rate or another. Errors: T422."""
        rate = self.options.rate if rate is None else rate
        for i, (velocity, gradient) in enumerate(zip(self.velocities, gradients)):
            decay = self.options.weight_decay * self.arrays[i] if i < self.weights else 0.0
            velocity *= self.options.momentum
            velocity += rate * (gradient - decay)
            # new arrays: a parameter keeps the one that it was given
            self.arrays[i] = self.arrays[i] + velocity
        if not all((np.abs(array) < DIVERGED).all() for array in self.arrays):
            notes, hint = [f"rate {rate}", f"a weight or bias is beyond {DIVERGED:g}"], "take a smaller rate"
            raise error("T422", "training a Boltzmann machine diverges", notes=notes, hint=hint)


class EpochTraining(ABC):
    """Epochs, and the order of samples in them."""

    def __init__(self, units: int, options: BoltzmannOptions, seed: int):
        self.options, self.seed, self.epochs, self._units = options, seed, 0, units

    def epoch(self, data: ArrayLike, *, rate: float | None = None) -> None:
        """Go once through samples (N, visible), bits or numbers in [0, 1]. Errors: T402, T403, T422."""
        samples = visible_data(data, self._units)
        order = shuffled(len(samples), epoch=self.epochs, seed=self.seed)
        batch = self.options.batch
        order = np.resize(order, -(-len(order) // batch) * batch)
        for start in range(0, len(order), batch):
            self.step(samples[order[start : start + batch]].astype(float), rate=rate)
        self.epochs += 1

    @abstractmethod
    def step(self, v: FloatArray, *, rate: float | None = None) -> None:
        """Move by one step of ``batch`` samples."""
