"""Boltzmann machines of layers of bits, without couplings inside a layer: energies, exact sums, and their networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc.learning.alternating import LayerNames, alternating_network
from thermoc.network import Network
from thermoc.physics.checks import finite, positive
from thermoc.physics.ising import MOST_UNITS, all_states
from thermoc.support.array_types import FloatArray
from thermoc.support.errors import error

ENUMERATED = 2**22
"""Numbers in a block of states while states are enumerated: 32 MiB of float64."""


@dataclass(frozen=True, eq=False)
class RestrictedBoltzmannMachine:
    """Bits v (m,) and h (n,) with E(v, h) = -v.W.h - b.v - c.h and p = exp(-E / T) / Z (P12, P16, P37).

    W: (m, n), b: (m,), c: (n,), T > 0, in units of the energy; v and h stand below (..., m) and (..., n).
    Smolensky 1986; Hinton, Neural Computation 14 (2002) 1771. Errors: T405.
    """

    W: FloatArray
    b: FloatArray
    c: FloatArray
    T: float = 1.0

    def __post_init__(self):
        _set_layers(self, "W", [self.W], [self.b, self.c])
        _set(self, W=finite("W", self.W), b=finite("b", self.b), c=finite("c", self.c))

    @property
    def visible(self) -> int:
        """The number of visible units, m."""
        return len(self.b)

    @property
    def hidden(self) -> int:
        """The number of hidden units, n."""
        return len(self.c)

    @cached_property
    def layers(self) -> DeepBoltzmannMachine:
        """The same machine as one of two layers."""
        return DeepBoltzmannMachine((self.W,), (self.b, self.c), self.T)

    def energy(self, v: ArrayLike, h: ArrayLike) -> FloatArray:
        """Return E(v, h), (...)."""
        v, h = _states("v", v, self.visible), _states("h", h, self.hidden)
        return -((v @ self.W) * h).sum(axis=-1) - v @ self.b - h @ self.c

    def free_energy(self, v: ArrayLike) -> FloatArray:
        """Return F(v) = -T ln sum_h exp(-E(v, h) / T), (...): p(v) = exp(-F(v) / T) / Z (P16)."""
        v = _states("v", v, self.visible)
        return -(v @ self.b) - self.T * np.logaddexp(0.0, (v @ self.W + self.c) / self.T).sum(axis=-1)

    def hidden_means(self, v: ArrayLike) -> FloatArray:
        """Return the probabilities that hidden units are 1, (..., n)."""
        return logistic((_states("v", v, self.visible) @ self.W + self.c) / self.T)

    def visible_means(self, h: ArrayLike) -> FloatArray:
        """Return the probabilities that visible units are 1, (..., m)."""
        return logistic((_states("h", h, self.hidden) @ self.W.T + self.b) / self.T)

    def log_partition(self) -> float:
        """Return ln Z exactly: the smaller layer is enumerated, the other summed. Errors: T405 above 24 units."""
        return self.layers.log_partition()

    def log_likelihood(self, v: ArrayLike) -> FloatArray:
        """Return ln p(v) in nats, (...), exactly. Errors: T405 where no layer is small enough to be enumerated."""
        return -self.free_energy(v) / self.T - self.log_partition()

    def network(self, name: str = "restricted-boltzmann-machine") -> Network:
        """Return the network that samples it: a tick draws h from v and then v from h.

        Parameters W, b, c and T; outputs v and h; the state v.buffer (1, m), zeros at first, is v of the tick before.
        """
        names = LayerNames(weights=["W"], biases=["b", "c"], layers=["v", "h"])
        return alternating_network(name, (self.W,), (self.b, self.c), self.T, names)


@dataclass(frozen=True, eq=False)
class DeepBoltzmannMachine:
    """Bits x_0 (visible), x_1, ... with E = -sum_l x_l.W_l.x_{l+1} - sum_l b_l.x_l and p = exp(-E / T) / Z (P12, P37).

    weights: W_l (n_l, n_{l+1}), one fewer than biases b_l (n_l,). Layers of even number are independent of each other
    when those of odd number are known, and the reverse. Salakhutdinov and Hinton, AISTATS 2009. Errors: T405.
    """

    weights: tuple[FloatArray, ...]
    biases: tuple[FloatArray, ...]
    T: float = 1.0

    def __post_init__(self):
        _set_layers(self, "weights", self.weights, self.biases)
        weights = tuple(finite(f"weights[{i}]", W) for i, W in enumerate(self.weights))
        _set(self, weights=weights, biases=tuple(finite(f"biases[{i}]", b) for i, b in enumerate(self.biases)))

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of units of each layer."""
        return tuple(len(b) for b in self.biases)

    def energy(self, states: Sequence[ArrayLike]) -> FloatArray:
        """Return E, (...). states: one array (..., n_l) a layer."""
        x = [_states(f"states[{i}]", state, n) for i, (state, n) in enumerate(zip(states, self.sizes))]
        total = -sum(state @ b for state, b in zip(x, self.biases))
        for W, below, above in zip(self.weights, x, x[1:]):
            total = total - ((below @ W) * above).sum(axis=-1)
        return np.asarray(total)

    def drive(self, layer: int, states: Sequence[Any]) -> FloatArray:
        """Return the energies by which 1 lies below 0 for the units of a layer, (..., n_l)."""
        total = self.biases[layer]
        if layer > 0:
            total = total + np.asarray(states[layer - 1], float) @ self.weights[layer - 1]
        if layer < len(self.weights):
            total = total + np.asarray(states[layer + 1], float) @ self.weights[layer].T
        return total

    def means(self, layer: int, states: Sequence[Any]) -> FloatArray:
        """Return the probabilities that units of a layer are 1 beside the states of its neighbours, (..., n_l)."""
        return logistic(self.drive(layer, states) / self.T)

    def mean_field(
        self, v: ArrayLike, *, tolerance: float = 1e-6, most: int = 1000, rounds: int | None = None
    ) -> list[FloatArray]:
        """Return v and the means of the hidden layers (..., n_l) of the naive mean field beside it.

        They are the independent units whose free energy is least (a local minimum): mu_l = logistic(drive_l / T) is
        iterated, odd layers and then even ones, until no mean changes by more than ``tolerance``, or for ``rounds``
        wherever that gets. Errors: T404 where ``most`` rounds do not get there.
        """
        v = _states("v", v, self.sizes[0])
        means = [v, *(np.full((*v.shape[:-1], n), 0.5) for n in self.sizes[1:])]
        hidden = [*range(1, len(means), 2), *range(2, len(means), 2)]
        change = np.inf
        for number in range(1, most + 1):
            change = 0.0
            for layer in hidden:
                new = self.means(layer, means)
                change, means[layer] = max(change, float(np.abs(new - means[layer]).max(initial=0.0))), new
            # one hidden layer is exact at once
            if change <= tolerance or number == rounds or len(means) == 2:
                return means
        raise error("T404", "the mean field does not converge", notes=[f"{most} rounds", f"last change {change:.3g}"])

    def log_partition(self) -> float:
        """Return ln Z exactly: the even or the odd layers, whichever are smaller, are enumerated and the others summed.

        Errors: T405 above 24 units.
        """
        parities = [range(first, len(self.sizes), 2) for first in (0, 1)]
        fewer = min(parities, key=lambda layers: sum(self.sizes[layer] for layer in layers))
        remaining = parities[1 - parities.index(fewer)]
        bits, ends = self._enumerated(fewer), np.cumsum([0, *(self.sizes[layer] for layer in fewer)])
        total = -np.inf
        rows = max(1, ENUMERATED // max(self.sizes))
        for first in range(0, len(bits), rows):
            states: list[Any] = [None] * len(self.sizes)
            for layer, begin, end in zip(fewer, ends, ends[1:]):
                states[layer] = bits[first : first + rows, begin:end]
            weight = sum(states[layer] @ self.biases[layer] for layer in fewer) / self.T
            for layer in remaining:
                weight = weight + np.logaddexp(0.0, self.drive(layer, states) / self.T).sum(axis=-1)
            total = np.logaddexp(total, np.logaddexp.reduce(weight))
        return float(total)

    def network(self, name: str = "deep-boltzmann-machine") -> Network:
        """Return the network that samples it: a tick draws the layers of odd number and then those of even number.

        Parameters W0, W1, ..., b0, b1, ... and T; outputs x0, x1, ...; states x0.buffer, x2.buffer, ... (1, n_l), zeros
        at first, hold the even layers of the tick before.
        """
        titles = {letter: [f"{letter}{i}" for i in range(len(self.sizes))] for letter in "Wbx"}
        names = LayerNames(weights=titles["W"][:-1], biases=titles["b"], layers=titles["x"])
        return alternating_network(name, self.weights, self.biases, self.T, names)

    def _enumerated(self, layers: Sequence[int]) -> FloatArray:
        units = sum(self.sizes[layer] for layer in layers)
        if units > MOST_UNITS:
            notes = [f"{units} units in the smaller half of the layers", f"at most {MOST_UNITS}"]
            raise error("T405", "too many units to enumerate", notes=notes, hint="estimate ln Z by sampling")
        return all_states(units, "binary")


def logistic(x: ArrayLike) -> FloatArray:
    """Return 1 / (1 + exp(-x)) without overflow."""
    from scipy.special import expit

    return expit(x)


def _states(name: str, values: ArrayLike, units: int) -> FloatArray:
    """Return states (..., units). Errors: T405."""
    array = np.asarray(values, float)
    if array.ndim == 0 or array.shape[-1] != units:
        notes = [f"{name} has shape {list(array.shape)}", f"the layer has {units} units"]
        raise error("T405", f"{name} and the machine disagree", notes=notes)
    return array


def _set(machine: object, **values: object) -> None:
    for name, value in values.items():
        object.__setattr__(machine, name, value)


def _set_layers(machine: Any, what: str, weights: Sequence[ArrayLike], biases: Sequence[ArrayLike]) -> None:
    """Check that weights and biases fit each other, and set T. Errors: T405."""
    T = np.asarray(machine.T, float)
    if T.ndim:
        raise error("T405", "T must be one number", notes=[f"it has shape {list(T.shape)}"])
    _set(machine, T=float(positive("T", T)))
    shapes, sizes = [np.shape(W) for W in weights], [np.shape(b) for b in biases]
    flat = all(len(size) == 1 and size[0] > 0 for size in sizes)
    if not weights or not flat or shapes != [(*below, *above) for below, above in pairwise(sizes)]:
        notes = [
            f"{what}: {', '.join(str(list(s)) for s in shapes)}",
            f"biases: {', '.join(str(list(s)) for s in sizes)}",
        ]
        raise error("T405", "weights and biases do not fit", notes=notes, hint="W_l is (len(b_l), len(b_l+1))")
