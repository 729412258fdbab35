"""Boltzmann machines with any couplings, and deep ones: their training by persistent chains in sessions (P37).

The model phase is one session of the machine's network, whose chains go on from step to step while the parameters are
replaced: nothing is compiled. The data phase is sampled for general machines (hidden units beside clamped visible ones,
Ackley, Hinton and Sejnowski, Cognitive Science 9 (1985) 147), and the mean field for deep ones (Salakhutdinov and
Hinton, AISTATS 2009). Gradients are those of the energy; the 1 / T of the likelihood's is left to the rate.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc import api, network
from thermoc.ir.functions import FUNCTIONS
from thermoc.learning.data import DIVERGED, shuffled, visible_data
from thermoc.learning.machines import DeepBoltzmannMachine
from thermoc.network import Network
from thermoc.physics.checks import finite, positive, symmetric
from thermoc.physics.ising import ising_energy
from thermoc.session import Session
from thermoc.support.array_types import AnyArray, FloatArray
from thermoc.support.errors import error

Arrays = list[FloatArray]


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


@dataclass(frozen=True, kw_only=True)
class BoltzmannOptions:
    """How a machine is trained; see ``CDOptions``. sweeps: of chains a step; data_sweeps: of sampled data phases.

    A step takes ``batch`` samples; the last of an epoch is filled up from the start of the order. Errors: T404.
    """

    chains: int = 128
    sweeps: int = 1
    data_sweeps: int = 10
    batch: int = 128
    rate: float = 0.05
    momentum: float = 0.0
    weight_decay: float = 0.0

    def __post_init__(self):
        counts = {name: getattr(self, name) for name in ("chains", "sweeps", "data_sweeps", "batch")}
        wrong = [
            f"{name} = {value!r}, a whole number >= 1"
            for name, value in counts.items()
            if int(value) != value or value < 1
        ]
        numbers = {name: getattr(self, name) for name in ("rate", "weight_decay")}
        wrong += [f"{name} = {value!r}, >= 0" for name, value in numbers.items() if not 0 <= value < np.inf]
        wrong += [] if 0 <= self.momentum < 1 else [f"momentum = {self.momentum!r}, from 0 to below 1"]
        if wrong:
            raise error("T404", "an option of training is out of range", notes=wrong)


@dataclass
class _Momentum:
    """Arrays that move by gradients, each with a velocity; the first ``weights`` of them decay."""

    arrays: Arrays
    weights: int
    options: BoltzmannOptions
    velocities: Arrays = field(init=False)

    def __post_init__(self):
        self.velocities = [np.zeros_like(array) for array in self.arrays]

    def move(self, gradients: Sequence[AnyArray], rate: float) -> None:
        for i, (velocity, gradient) in enumerate(zip(self.velocities, gradients)):
            decay = self.options.weight_decay * self.arrays[i] if i < self.weights else 0.0
            velocity *= self.options.momentum
            velocity += rate * (gradient - decay)
            # new arrays: a parameter keeps the one that it was given
            self.arrays[i] = self.arrays[i] + velocity
        if not all((np.abs(array) < DIVERGED).all() for array in self.arrays):
            notes, hint = [f"rate {rate}", f"a weight or bias is beyond {DIVERGED:g}"], "take a smaller rate"
            raise error("T422", "training a Boltzmann machine diverges", notes=notes, hint=hint)


class _Training(ABC):
    """What both trainers share: epochs, the order of samples, and the machine that is kept where one diverges."""

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


class DeepTraining(_Training):
    """Trains a deep Boltzmann machine: mean-field data phase, persistent chains of its network. Errors: T404."""

    def __init__(self, machine: DeepBoltzmannMachine, options: BoltzmannOptions | None = None, *, seed: int = 0):
        super().__init__(machine.sizes[0], options or BoltzmannOptions(), seed)
        self.machine = machine
        self._momentum = _Momentum([*machine.weights, *machine.biases], len(machine.weights), self.options)
        self._session = api.compile(machine.network()).start(batch=self.options.chains, seed=seed)

    def step(self, v: FloatArray, *, rate: float | None = None) -> None:
        """Move by one step of samples (batch, visible), bits or their means. Errors: T404, T422."""
        machine, count = self.machine, len(self.machine.sizes)
        run = self._session.run(self.options.sweeps, record={f"x{i}": "last" for i in range(count)}, progress=False)
        data, model = machine.mean_field(v, tolerance=1e-4), [run[f"x{i}"] for i in range(count)]
        pairs = [(x[:-1], x[1:]) for x in (data, model)]
        products = [[a.T @ b / len(a) for a, b in zip(*pair)] for pair in pairs]
        means = [[x.mean(axis=0) for x in layers] for layers in (data, model)]
        statistics = [[*weights, *biases] for weights, biases in zip(products, means)]
        gradients = [a - b for a, b in zip(*statistics)]
        self._momentum.move(gradients, self.options.rate if rate is None else rate)
        arrays = self._momentum.arrays
        self.machine = DeepBoltzmannMachine(tuple(arrays[: count - 1]), tuple(arrays[count - 1 :]), machine.T)
        names = [*(f"W{i}" for i in range(count - 1)), *(f"b{i}" for i in range(count))]
        self._session.parameters.update(dict(zip(names, arrays)))


class BoltzmannTraining(_Training):
    """Trains a Boltzmann machine with any couplings: sampled data phase, persistent chains. Errors: T404."""

    def __init__(self, machine: BoltzmannMachine, options: BoltzmannOptions | None = None, *, seed: int = 0):
        super().__init__(machine.visible, options or BoltzmannOptions(), seed)
        self.machine, self._coupled = machine, machine.J != 0
        self._momentum = _Momentum([machine.J, machine.h], 1, self.options)
        net = machine.network(sweeps=self.options.sweeps)
        self._model = api.compile(net).start(batch=self.options.chains, seed=seed)
        self._data: Session | None = None
        if machine.visible < len(machine.J):
            clamped = api.compile(_clamped_network(machine, self.options.data_sweeps))
            # other elements of the same noise
            self._data = clamped.start(batch=self.options.batch, seed=seed, first_sample=self.options.chains)

    def step(self, v: FloatArray, *, rate: float | None = None) -> None:
        """Move by one step of samples (batch, visible), bits or their means. Errors: T422."""
        machine = self.machine
        states: Any = [self._completed(v)]
        self._model.step()
        states.append(self._model.state["s.buffer"].reshape(self.options.chains, -1))
        pairs = [np.where(self._coupled, s.T @ s / len(s), 0.0) for s in states]
        means = [s.mean(axis=0) for s in states]
        self._momentum.move([pairs[0] - pairs[1], means[0] - means[1]], self.options.rate if rate is None else rate)
        J, h = self._momentum.arrays
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
        notes = [f"there are {', '.join(BoltzmannOptions.__dataclass_fields__)}"]
        raise error("T404", f"there is no option {unknown[0]!r}", notes=notes)
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
