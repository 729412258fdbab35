"""Boltzmann machines with any couplings: their training by persistent chains in sessions (P37); that of deep ones too.

The model phase is one session of the machine's network, whose chains go on from step to step while the parameters are
replaced: nothing is compiled. The data phase is sampled: hidden units beside clamped visible ones (Ackley, Hinton and
Sejnowski, Cognitive Science 9 (1985) 147). Gradients are those of the energy; the 1 / T of the likelihood's is left to
the rate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc import api, network
from thermoc.ir.functions import FUNCTIONS
from thermoc.learning.boltzmann_steps import Ascent, BoltzmannOptions, EpochTraining
from thermoc.learning.deep_training import DeepTraining
from thermoc.learning.machines import DeepBoltzmannMachine
from thermoc.network import Network
from thermoc.physics.checks import finite, positive, symmetric
from thermoc.physics.ising import ising_energy
from thermoc.session import Session
from thermoc.support.array_types import FloatArray
from thermoc.support.errors import error
from thermoc.support.suggestions import near

__all__ = ["BoltzmannMachine", "BoltzmannOptions", "BoltzmannTraining", "DeepTraining", "train"]


@dataclass(frozen=True, eq=False)
class BoltzmannMachine:
    """Bits s (n,) with E = -s.J.s / 2 - h.s and p = exp(-E / T) / Z (P12); the first ``visible`` units are visible.

    J: (n, n), symmetric with zero diagonal; units may be coupled where it is not 0. h: (n,). Errors: T405.
    """

    J: FloatArray
    h: FloatArray
    visible: int
    T: float = 1.0

    def __post_init__(self):
        J, h = symmetric("J", self.J), finite("h", self.h)
        if J.diagonal().any() or h.shape != J.shape[:1] or not 1 <= self.visible <= len(J):
            notes = [f"J {list(J.shape)}, h {list(h.shape)}, {self.visible} visible units"]
            hint = "J has a zero diagonal, h is (n,), and at least one unit is visible"
            raise error("T405", "these are no couplings of a Boltzmann machine", notes=notes, hint=hint)
        object.__setattr__(self, "J", J)
        object.__setattr__(self, "h", h)
        object.__setattr__(self, "T", float(positive("T", self.T)))

    def energy(self, s: ArrayLike) -> FloatArray:
        """Return E of states (..., n), (...)."""
        return ising_energy(s, self.J, self.h)

    def network(self, name: str = "boltzmann-machine", *, sweeps: int = 1) -> Network:
        """Return the network that samples it by ``sweeps`` sweeps a tick.

        Parameters J, h and T; the output s is the state before the sweeps of its tick, s.buffer (1, n) the last one.
        """
        with Network(name) as net:
            T = network.parameter("T", self.T, role="temperature")
            J, h = network.parameter("J", self.J), network.parameter("h", self.h)
            settings = {"levels": "binary", "sweeps": sweeps, "initial": 0.0, "name": "s"}
            network.output("s", FUNCTIONS["thermo.gibbs"](T, J, h, **settings))
        return net


class BoltzmannTraining(EpochTraining):
    """Trains a Boltzmann machine with any couplings: sampled data phase, chains in a session. Errors: T404."""

    def __init__(self, machine: BoltzmannMachine, options: BoltzmannOptions | None = None, *, seed: int = 0):
        super().__init__(machine.visible, options or BoltzmannOptions(), seed)
        self.machine, self._coupled = machine, machine.J != 0
        self._ascent = Ascent([machine.J, machine.h], 1, self.options)
        net = machine.network(sweeps=self.options.sweeps)
        device = self.options.device
        self._model = api.compile(net, "sim", device=device).start(batch=self.options.chains, seed=seed)
        self._data: Session | None = None
        if machine.visible < len(machine.J):
            clamped = api.compile(_clamped_network(machine, self.options.data_sweeps), "sim", device=device)
            # other elements of the same noise
            self._data = clamped.start(batch=self.options.batch, seed=seed, first_sample=self.options.chains)

    def step(self, v: FloatArray, *, rate: float | None = None) -> None:
        """Move by one step of samples (batch, visible), bits or their means. Errors: T422."""
        machine = self.machine
        states: Any = [self._completed(v)]
        if not self.options.persistent:
            self._model.state["s.buffer"] = states[0][:, np.newaxis]
        self._model.step()
        states.append(self._model.state["s.buffer"].reshape(self.options.chains, -1))
        pairs = [np.where(self._coupled, s.T @ s / len(s), 0.0) for s in states]
        means = [s.mean(axis=0) for s in states]
        self._ascent.move([pairs[0] - pairs[1], means[0] - means[1]], rate)
        J, h = self._ascent.arrays
        self.machine = BoltzmannMachine(J, h, machine.visible, machine.T)
        self._model.parameters.update({"J": J, "h": h})
        if self._data is not None:
            self._data.parameters.update(_clamped_parameters(self.machine))

    def _completed(self, v: FloatArray) -> FloatArray:
        """Return samples with hidden units drawn beside them (batch, n)."""
        if self._data is None:
            return v
        self._data.state["s.buffer"] = np.zeros(self._data.state["s.buffer"].shape)
        self._data.step({"v": v})
        return np.concatenate([v, self._data.state["s.buffer"].reshape(len(v), -1)], axis=1)


def _clamped_parameters(machine: BoltzmannMachine) -> dict[str, FloatArray]:
    m = machine.visible
    return {"J": machine.J[m:, m:], "W": machine.J[m:, :m], "h": machine.h[m:]}


def _clamped_network(machine: BoltzmannMachine, sweeps: int) -> Network:
    """Return the network of the hidden units, whose fields come from clamped visible units."""
    with Network("hidden-units") as net:
        v = network.input("v", (machine.visible,))
        arrays = {name: network.parameter(name, array) for name, array in _clamped_parameters(machine).items()}
        field_ = FUNCTIONS["core.affine"](v, arrays["W"], arrays["h"])
        settings = {"levels": "binary", "sweeps": sweeps, "initial": 0.0, "name": "s"}
        network.output("s", FUNCTIONS["thermo.gibbs"](machine.T, arrays["J"], field_, **settings))
    return net


def train(
    machine: Any,
    data: ArrayLike,
    *,
    epochs: int,
    seed: int = 0,
    watch: Callable[[int, Any], object] | None = None,
    **options: Any,
) -> Any:
    """Return a ``DeepBoltzmannMachine`` or ``BoltzmannMachine`` after so many epochs; options: ``BoltzmannOptions``'.

    data: (N, visible), bits or numbers in [0, 1]. watch: is called with the epoch and the machine. Errors: T402, T403,
    T404, T422.
    """
    unknown = [name for name in options if name not in BoltzmannOptions.__dataclass_fields__]
    if unknown:
        known = BoltzmannOptions.__dataclass_fields__
        notes, hint = [f"there are {', '.join(known)}"], near(unknown[0], known)
        raise error("T404", f"there is no option {unknown[0]!r}", notes=notes, hint=hint)
    training: DeepTraining | BoltzmannTraining
    if isinstance(machine, DeepBoltzmannMachine):
        training = DeepTraining(machine, BoltzmannOptions(**options), seed=seed)
    else:
        training = BoltzmannTraining(machine, BoltzmannOptions(**options), seed=seed)
    for epoch in range(epochs):
        training.epoch(data)
        if watch is not None:
            watch(epoch, training.machine)
    return training.machine
