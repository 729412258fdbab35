"""Contrastive divergence, CD-k and persistent, for restricted Boltzmann machines (P37); its inner loop is compiled.

dW = rate (<v h>_data - <v h>_model), likewise for biases. Hidden units enter by their means, visible units of the model
as bits: chains of k sweeps from the data (CD-k; Hinton, Neural Computation 14 (2002) 1771) or chains that go on from
step to step (persistent; Tieleman, ICML 2008). Weights are float32 while they are trained. Noise is Philox at counters
of chain, unit and step: the same seed gives the same bytes, whatever the machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc.ir.feed import checked_numbers
from thermoc.learning import banded_machine
from thermoc.learning.banded_machine import BandedMachine
from thermoc.learning.data import DIVERGED, shuffled, visible_data
from thermoc.learning.machines import RestrictedBoltzmannMachine
from thermoc.simulator.cache import keep
from thermoc.simulator.kernels.learning import contrastive_divergence as kernel
from thermoc.simulator.kernels.learning.bands import BlockCounter
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import error
from thermoc.support.suggestions import near

_step = keep(kernel.step, "contrastive divergence", 15.0)
NO_NUMBERS = np.zeros((0, 0), np.float32)
STATE = ("w", "b", "c", "vw", "vb", "vc")
"""Weights, biases and velocities by the names that they have in a state."""
NO_BITS = np.zeros((0, 0), np.uint8)


@dataclass(frozen=True, kw_only=True)
class CDOptions:
    """How a machine is trained.

    k: sweeps of a step's chains. persistent: chains go on, ``chains`` of them (default: as many as ``batch``), zeros
    before the first step. batch: samples a step. rate: of a step. momentum: share of the step before in [0, 1).
    weight_decay: dW = ... - rate weight_decay W. temperature_rate: rate of ln T, whose gradient is (<E>_data -
    <E>_model) / T; 0 keeps T. Errors: T404.
    """

    k: int = 1
    persistent: bool = False
    chains: int | None = None
    batch: int = 128
    rate: float = 0.05
    momentum: float = 0.0
    weight_decay: float = 0.0
    temperature_rate: float = 0.0

    def __post_init__(self):
        counts = {"k": self.k, "batch": self.batch, "chains": 1 if self.chains is None else self.chains}
        wrong = [f"{name} = {value!r}, a whole number >= 1" for name, value in counts.items() if not _count(value)]
        numbers = {name: getattr(self, name) for name in ("rate", "weight_decay", "temperature_rate")}
        wrong += [f"{name} = {value!r}, >= 0" for name, value in numbers.items() if not 0 <= value < np.inf]
        wrong += [] if 0 <= self.momentum < 1 else [f"momentum = {self.momentum!r}, from 0 to below 1"]
        wrong += [] if self.chains is None or self.persistent else ["chains go on only where persistent is True"]
        if wrong:
            raise error("T404", "an option of contrastive divergence is out of range", notes=wrong)


@dataclass(frozen=True, kw_only=True)
class EpochSummary:
    """What an epoch was: its number from 0, its steps, and the mean energies <E> of data and model over them."""

    epoch: int
    steps: int
    data_energy: float
    model_energy: float
    T: float


class ContrastiveDivergence:
    """Trains a restricted Boltzmann machine; velocities, chains and T persist from step to step. Errors: T404."""

    def __init__(self, machine: RestrictedBoltzmannMachine, options: CDOptions | None = None, *, seed: int = 0):
        self.options, self.seed = options or CDOptions(), checked_numbers(seed=seed)["seed"]
        self.epochs = self.steps = 0
        self._T, self._arrays = machine.T, BandedMachine.of(machine)
        self._velocities = banded_machine.velocities(self._arrays)
        self._last, self._moved = machine, False
        self._scratch: kernel.StepMemory | None = None
        self._scratch_chains: kernel.PersistentChains | None = None
        self._sizes = 0, 0

    @property
    def machine(self) -> RestrictedBoltzmannMachine:
        """The machine as it is now; where weights grow beyond all bounds, as it was before."""
        if self._moved and self._bounded():
            self._keep()
        return self._last

    def epoch(self, data: ArrayLike, *, rate: float | None = None) -> EpochSummary:
        """Go once through samples (N, visible), bits or numbers in [0, 1], in an order that seed and epoch decide.

        rate: another one for this epoch. Errors: T402, T403; T422 where weights grow beyond all bounds: ``machine`` is
        then the one before this epoch.
        """
        samples = visible_data(data, self._last.visible)
        order = shuffled(len(samples), epoch=self.epochs, seed=self.seed)
        starts = range(0, len(order), self.options.batch)
        energies = [
            self.step(samples[order[start : start + self.options.batch]], rate=rate, checked=True) for start in starts
        ]
        self._keep()
        data_energy, model_energy = (float(mean) for mean in np.mean(energies, axis=0))
        summary = EpochSummary(
            epoch=self.epochs, steps=len(starts), data_energy=data_energy, model_energy=model_energy, T=self._T
        )
        self.epochs += 1
        return summary

    def step(self, data: ArrayLike, *, rate: float | None = None, checked: bool = False) -> tuple[float, float]:
        """Move the weights by one step of all samples given; return the mean energies of data and model before it.

        checked: the samples are as ``visible_data`` gives them. Errors: T402, T403.
        """
        samples: Any = data if checked else visible_data(data, self._last.visible)
        bits, numbers = (samples, NO_NUMBERS) if samples.dtype == np.uint8 else (NO_BITS, self._padded(samples))
        batch = kernel.Batch(bits, numbers, len(samples))
        chains = self._chains if self.options.persistent else self._fresh_chains(len(samples))
        memory = self._memory(len(samples), chains.size)
        rates = kernel.LearningRates(
            np.float32(self.options.rate if rate is None else rate),
            np.float32(self.options.momentum),
            np.float32(self.options.weight_decay),
        )
        counter = BlockCounter(self.steps, 0, 0, np.uint64(self.seed))
        energies = _step(self._arrays.at(self._T), self._velocities, rates, batch, chains, memory, counter)
        self.steps, self._moved = self.steps + 1, True
        if self.options.temperature_rate:
            gradient = (energies[0] - energies[1]) / self._T
            self._T *= float(np.exp(np.clip(self.options.temperature_rate * gradient, -1, 1)))
        return energies

    @property
    def state(self) -> dict[str, AnyArray]:
        """All that training goes on from, as copies by name; ``restore`` takes it."""
        state: dict[str, AnyArray] = dict(zip(STATE, self._places()))
        if self.options.persistent:
            state["chains"] = self._chains.bits
        counts = {"epochs": np.array(self.epochs), "steps": np.array(self.steps), "T": np.array(self._T)}
        return {name: array.copy() for name, array in state.items()} | counts

    def restore(self, state: Mapping[str, AnyArray]) -> None:
        """Go on from ``state`` of a trainer with the same sizes and options. Errors: T404 for another one's."""
        mine = self.state
        shapes = {name: array.shape for name, array in mine.items()}
        if {name: np.shape(array) for name, array in state.items()} != shapes:
            notes = [f"this one's arrays are {sorted(mine)}", f"given are {sorted(state)}, or of other shapes"]
            raise error("T404", "the state is that of another machine or other options", notes=notes)
        for place, name in zip(self._places(), STATE):
            place[:] = state[name]
        if self.options.persistent:
            banded_machine.set_bits(self._chains, state["chains"])
        self.epochs, self.steps, self._T = int(state["epochs"]), int(state["steps"]), float(state["T"])
        self._keep()

    def _places(self) -> tuple[AnyArray, ...]:
        layers, v = self._arrays.layers, self._velocities
        return layers.w, layers.row_bias, layers.column_bias, v.w, v.visible, v.hidden

    def _keep(self) -> None:
        if not self._bounded():
            notes = [f"epoch {self.epochs}, rate {self.options.rate}", f"a weight or bias is beyond {DIVERGED:g}"]
            hint = "take a smaller rate; the machine before this epoch is kept"
            raise error("T422", "contrastive divergence diverges", notes=notes, hint=hint)
        self._last, self._moved = self._arrays.machine(self._T), False

    def _bounded(self) -> bool:
        W, b, c, *_ = self._places()
        arrays = W, b[: self._arrays.visible], c[: self._arrays.hidden]
        return all(bool((np.abs(array) < DIVERGED).all()) for array in arrays) and bool(np.isfinite(self._T))

    @cached_property
    def _chains(self) -> kernel.PersistentChains:
        count = self.options.chains or self.options.batch
        return banded_machine.chains(self._arrays, count, k=self.options.k, persistent=True)

    def _fresh_chains(self, count: int) -> kernel.PersistentChains:
        if self._scratch_chains is None or self._scratch_chains.size != count:
            self._scratch_chains = banded_machine.chains(self._arrays, count, k=self.options.k, persistent=False)
        return self._scratch_chains

    def _memory(self, samples: int, count: int) -> kernel.StepMemory:
        if self._scratch is None or samples > self._sizes[0] or count > self._sizes[1]:
            self._sizes = max(samples, self._sizes[0]), max(count, self._sizes[1])
            self._scratch = banded_machine.memory(self._arrays, *self._sizes)
        return self._scratch

    def _padded(self, numbers: AnyArray) -> AnyArray:
        rows = self._arrays.layers.rows
        return np.pad(numbers, [(0, 0), (0, rows - numbers.shape[1])])


def train(
    machine: RestrictedBoltzmannMachine,
    data: ArrayLike,
    *,
    epochs: int,
    seed: int = 0,
    watch: Callable[[EpochSummary], object] | None = None,
    **options: Any,
) -> RestrictedBoltzmannMachine:
    """Return the machine after so many epochs of contrastive divergence; options: those of ``CDOptions``.

    It runs on the CPU; on a GPU, ``boltzmann.train(machine.layers, data, persistent=False, device="cuda")``.

    data: (N, visible), bits or numbers in [0, 1]. watch: is called after each epoch. Errors: T402, T403, T404, T422.
    """
    samples, trainer = visible_data(data, machine.visible), ContrastiveDivergence(machine, _options(options), seed=seed)
    for _ in range(epochs):
        summary = trainer.epoch(samples)
        if watch is not None:
            watch(summary)
    return trainer.machine


def _options(options: Mapping[str, Any]) -> CDOptions:
    fields = CDOptions.__dataclass_fields__
    unknown = [name for name in options if name not in fields]
    if unknown:
        gpu = 'on a GPU: boltzmann.train(machine.layers, data, persistent=False, device="cuda")'
        notes, hint = [f"there are {', '.join(fields)}"], gpu if unknown[0] == "device" else near(unknown[0], fields)
        raise error("T404", f"there is no option {unknown[0]!r}", notes=notes, hint=hint)
    return CDOptions(**options)


def _count(value: object) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and int(value) >= 1
