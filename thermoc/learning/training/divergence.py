"""Rule "contrastive_divergence": a restricted Boltzmann machine on samples in [0, 1]."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from thermoc.learning.contrastive_divergence import CDOptions, ContrastiveDivergence
from thermoc.learning.data import visible_data
from thermoc.learning.training.config import Config
from thermoc.learning.training.datasets import DataSet, LabelledSamples
from thermoc.learning.training.networks import machine_of
from thermoc.network import Network
from thermoc.support.array_types import AnyArray

RATE = 0.05


class DivergenceTrainer:
    """Trains a machine, epoch by epoch."""

    def __init__(self, config: Config, data: DataSet):
        table, machine = config.training, machine_of(config, data.train)
        options = CDOptions(
            k=table.k,
            persistent=table.persistent,
            chains=table.chains,
            batch=table.batch,
            rate=RATE if table.learning_rate is None else table.learning_rate,
            momentum=table.momentum,
            weight_decay=table.weight_decay,
            temperature_rate=table.temperature_rate,
        )
        self._units = machine.visible
        self.data = LabelledSamples(self._visible(data.train))
        self._trainer = ContrastiveDivergence(machine, options, seed=table.seed)

    @property
    def steps(self) -> int:
        """Steps so far."""
        return self._trainer.steps

    def epoch(self, epoch: int, steps: int) -> dict[str, float]:
        """Go once through the samples. Errors: T422."""
        summary = self._trainer.epoch(self.data.x)
        return {"data_energy": summary.data_energy, "model_energy": summary.model_energy, "T": summary.T}

    def validate(self, samples: LabelledSamples) -> dict[str, float]:
        """Return the mean square error of reconstruction by means, and how far F(v) lies above that of training data.

        The gap grows where a machine learns its samples by heart (Hinton, A practical guide to training restricted
        Boltzmann machines, 2010, section 6).
        """
        v, machine = np.asarray(self._visible(samples), float), self._trainer.machine
        reconstruction = machine.visible_means(machine.hidden_means(v))
        gap = machine.free_energy(v).mean() - machine.free_energy(self.data.x[: len(v)]).mean()
        return {"reconstruction": float(((v - reconstruction) ** 2).mean()), "free_energy_gap": float(gap)}

    @property
    def state(self) -> dict[str, AnyArray]:
        """Weights, velocities, chains and counts."""
        return self._trainer.state

    def restore(self, state: Mapping[str, AnyArray], steps: int) -> None:
        """Go on from a state."""
        self._trainer.restore(state)

    def network(self) -> Network:
        """Return the network that samples the machine as it is now."""
        return self._trainer.machine.network()

    def _visible(self, samples: LabelledSamples) -> AnyArray:
        if not len(samples):
            return np.zeros((0, self._units))
        return visible_data(samples.x.reshape(len(samples), -1), self._units)
