"""Training of Boltzmann machines in layers: the mean field beside the data, chains of a session for the model (P37).

Salakhutdinov and Hinton, AISTATS 2009. The session's chains go on from step to step while the parameters are replaced:
nothing is compiled. Centred gradients, of units less their means, are better conditioned (Melchior, Fischer and
Wiskott, JMLR 17, 2016). Chains of two layers may begin at the samples instead (CD-k).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from thermoc import api
from thermoc.learning.alternating import LayerNames, alternating_network
from thermoc.learning.boltzmann_steps import Ascent, BoltzmannOptions, EpochTraining
from thermoc.learning.machines import DeepBoltzmannMachine
from thermoc.support.array_types import FloatArray
from thermoc.support.errors import error


class DeepTraining(EpochTraining):
    """Trains a deep Boltzmann machine, or a restricted one as a machine of two layers.

    upward, downward: factors, in machines of two layers, of what drives the upper and the lower one; 2 where a layer of
    a deeper machine is pretrained that is to be driven from both sides. field: whether chains are beside a field, for
    ``step_beside``. Errors: T404.
    """

    def __init__(
        self,
        machine: DeepBoltzmannMachine,
        options: BoltzmannOptions | None = None,
        *,
        seed: int = 0,
        upward: float = 1.0,
        downward: float = 1.0,
        field: bool = False,
    ):
        super().__init__(machine.sizes[0], options or BoltzmannOptions(), seed)
        if (upward, downward) != (1.0, 1.0) and len(machine.sizes) > 2:
            raise error("T404", "factors of drives are those of two layers", notes=[f"{len(machine.sizes)} layers"])
        if not self.options.persistent and len(machine.sizes) > 2:
            hint = "keep persistent=True"
            raise error("T404", "chains of a deep machine go on", notes=[f"{len(machine.sizes)} layers"], hint=hint)
        self.machine, self._upward = machine, upward
        self._ascent = Ascent([*machine.weights, *machine.biases], len(machine.weights), self.options)
        layers = range(len(machine.sizes))
        self._names = LayerNames(
            weights=[f"W{i}" for i in layers[:-1]], biases=[f"b{i}" for i in layers], layers=[f"x{i}" for i in layers]
        )
        net = alternating_network(
            "layers",
            machine.weights,
            machine.biases,
            machine.T,
            self._names,
            field="field" if field else None,
            upward=upward,
            downward=downward,
        )
        compiled = api.compile(net, "sim", device=self.options.device)
        self._session = compiled.start(batch=self.options.chains, seed=seed)

    def begin_at(self, v: FloatArray) -> None:
        """Let the chains go on from visible states (chains, visible). Errors: T403."""
        self._session.state["x0.buffer"] = v[:, np.newaxis]

    def step(self, v: FloatArray, *, rate: float | None = None) -> None:
        """Move by one step of samples (batch, visible), bits or their means. Errors: T404, T422."""
        if not self.options.persistent:
            self.begin_at(v)
        self._move(v, {}, rate)

    def step_beside(self, v: FloatArray, field: FloatArray, *, rate: float | None = None) -> None:
        """Move by one step of contrastive divergence beside a field on the visible units, as many rows as chains.

        v, field: (chains, visible); the chains begin at the samples. Errors: T403, T404, T422.
        """
        self.begin_at(v)
        self._move(v, {"field": field}, rate)

    def _move(self, v: FloatArray, feed: Mapping[str, FloatArray], rate: float | None) -> None:
        # where the input from below counts more, so does it beside the data
        driven = self.machine
        if self._upward != 1:
            driven = DeepBoltzmannMachine((self._upward * driven.weights[0],), driven.biases, driven.T)
        data = driven.mean_field(v, tolerance=1e-4, rounds=self.options.rounds)
        model = self._model(driven, feed)
        self._ascent.move(gradients(data, model, centred=self.options.centred), rate)
        arrays, count = self._ascent.arrays, len(self.machine.weights)
        self.machine = DeepBoltzmannMachine(tuple(arrays[:count]), tuple(arrays[count:]), self.machine.T)
        self._session.parameters.update(dict(zip([*self._names.weights, *self._names.biases], arrays)))

    def _model(self, driven: DeepBoltzmannMachine, feed: Mapping[str, FloatArray]) -> list[FloatArray]:
        """Return the states of the chains after their sweeps; for layers of odd number, the means beside the others."""
        states = {}
        for _ in range(self.options.sweeps):
            states = self._session.step(feed)
        x: list[FloatArray] = [states[name] for name in self._names.layers]
        # they vary less than bits do
        return [driven.means(layer, x) if layer % 2 else x[layer] for layer in range(len(x))]


def gradients(data: Sequence[FloatArray], model: Sequence[FloatArray], *, centred: bool) -> list[FloatArray]:
    """Return the slopes of the log-likelihood, <x y>_data - <x y>_model, of each weight and then each bias.

    data, model: states or means of each layer, (batch, n_l) and (chains, n_l). centred: products are of units less
    their means beside the data, and the biases follow the weights, so that the machine is that of uncentred units.
    """
    means = [x.mean(axis=0) for x in data]
    biases = [mean - x.mean(axis=0) for mean, x in zip(means, model)]
    centres = means if centred else [np.zeros_like(mean) for mean in means]
    plus, minus = ([x - centre for x, centre in zip(states, centres)] for states in (data, model))
    weights = []
    for below in range(len(data) - 1):
        above = below + 1
        slope = plus[below].T @ plus[above] / len(plus[0]) - minus[below].T @ minus[above] / len(minus[0])
        biases[below] = biases[below] - slope @ centres[above]
        biases[above] = biases[above] - centres[below] @ slope
        weights.append(slope)
    return [*weights, *biases]
