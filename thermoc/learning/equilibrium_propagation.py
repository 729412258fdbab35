"""Equilibrium propagation in layered networks with an energy: the gradient of a loss from two relaxed states.

E(s) = sum s^2 / 2 - sum_l r_l.W_l.r_{l+1} - sum_l b_l.r_l with r = tanh(s) and r_0 the input, which is clamped. A loss
C = |r_L - target|^2 / 2 pulls with strength beta. Where the states settle to minima of E + beta C,
dC/dW = -(r r at beta - r r at -beta) / (2 beta), exact as beta -> 0 with an error of beta^2 (Scellier and Bengio,
Frontiers in Computational Neuroscience 11 (2017) 24; both signs of beta: Laborieux et al., 2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from thermoc.support.array_types import FloatArray
from thermoc.support.errors import error
from thermoc.support.plurals import counted

Arrays = list[FloatArray]


@dataclass(frozen=True, eq=False)
class EnergyNetwork:
    """Weights W_l (n_l, n_{l+1}) and biases b_l (n_{l+1},) of the layers behind the input (n_0,). Errors: T402."""

    weights: tuple[FloatArray, ...]
    biases: tuple[FloatArray, ...]

    def __post_init__(self):
        weights, biases = ([np.asarray(array, float) for array in arrays] for arrays in (self.weights, self.biases))
        chained = all(a.shape[1:] == b.shape[:1] for a, b in pairwise(weights))
        if not weights or not chained or [W.shape[1:] for W in weights] != [b.shape for b in biases]:
            shapes = [f"weights {[list(W.shape) for W in weights]}", f"biases {[list(b.shape) for b in biases]}"]
            raise error("T402", "weights and biases do not fit", notes=shapes, hint="W_l is (n_l, n_{l+1})")
        object.__setattr__(self, "weights", tuple(weights))
        object.__setattr__(self, "biases", tuple(biases))

    def energy(self, x: ArrayLike, states: Sequence[ArrayLike]) -> FloatArray:
        """Return E of inputs (batch, n_0) and states (batch, n_l), (batch,)."""
        s = [np.asarray(state, float) for state in states]
        r = [np.asarray(x, float), *(np.tanh(state) for state in s)]
        total = sum((state**2).sum(axis=1) / 2 for state in s)
        for W, b, (below, above) in zip(self.weights, self.biases, pairwise(r)):
            total = total - ((below @ W) * above).sum(axis=1) - above @ b
        return np.asarray(total)

    def relaxed(
        self,
        x: ArrayLike,
        *,
        target: ArrayLike | None = None,
        beta: float = 0.0,
        start: Sequence[ArrayLike] | None = None,
        tolerance: float = 1e-10,
        most: int = 20_000,
    ) -> Arrays:
        """Return the states of a minimum of E + beta C, by descent from ``start`` (default 0), step by step.

        Errors: T404 where no element moves by less than ``tolerance`` within ``most`` steps.
        """
        x = np.asarray(x, float)
        states = [np.zeros((len(x), len(b))) for b in self.biases]
        if start is not None:
            states = [np.array(state, float) for state in start]
        move = np.inf
        for _ in range(most):
            slopes = self._slopes(x, states, target, beta)
            for state, slope in zip(states, slopes):
                state -= STEP * slope
            move = max(float(np.abs(slope).max(initial=0)) for slope in slopes)
            if move <= tolerance:
                return states
        hint = "take smaller weights or beta, or more steps"
        raise error(
            "T404", "the network does not settle", notes=[f"slope {move:.3g} after {counted(most, 'step')}"], hint=hint
        )

    def _slopes(self, x: FloatArray, states: Arrays, target: ArrayLike | None, beta: float) -> Arrays:
        r = [x, *(np.tanh(state) for state in states)]
        slopes = []
        for layer, state in enumerate(states):
            pull = r[layer] @ self.weights[layer] + self.biases[layer]
            if layer + 1 < len(states):
                pull = pull + r[layer + 2] @ self.weights[layer + 1].T
            elif target is not None:
                pull = pull + beta * (np.asarray(target, float) - r[-1])
            slopes.append(state - (1 - r[layer + 1] ** 2) * pull)
        return slopes


STEP = 0.3
"""Length of a step of the descent, in units of the time in which a unit by itself relaxes."""


@dataclass(frozen=True, kw_only=True, eq=False)
class PhaseGradient:
    """The loss of a batch (mean over samples) at the free state, and its gradient, in the shapes of the network."""

    loss: float
    weights: tuple[FloatArray, ...]
    biases: tuple[FloatArray, ...]


def equilibrium_gradient(
    net: EnergyNetwork, x: ArrayLike, target: ArrayLike, *, beta: float = 0.01, tolerance: float = 1e-10
) -> PhaseGradient:
    """Return the gradient of the mean loss over inputs (batch, n_0) and targets (batch, n_L), each in (-1, 1).

    Errors: T402; T404 where states do not settle.
    """
    x, target = np.asarray(x, float), np.asarray(target, float)
    ends = (net.weights[0].shape[0], len(net.biases[-1]))
    if x.ndim != 2 or target.ndim != 2 or (x.shape[1], target.shape[1]) != ends or len(x) != len(target):
        notes = [f"inputs {list(x.shape)}, targets {list(target.shape)}", f"the ends have {ends} units"]
        raise error("T402", "inputs, targets and the network disagree", notes=notes)
    if not 0 < beta < np.inf:
        raise error("T404", "beta is > 0", notes=[f"beta = {beta}"])
    free = net.relaxed(x, tolerance=tolerance)
    pulled = [net.relaxed(x, target=target, beta=sign * beta, start=free, tolerance=tolerance) for sign in (1, -1)]
    weights: list[Arrays] = []
    biases: list[Arrays] = []
    for states in pulled:
        r = [x, *(np.tanh(state) for state in states)]
        weights.append([below.T @ above / len(x) for below, above in pairwise(r)])
        biases.append([above.mean(axis=0) for above in r[1:]])
    loss = float(((np.tanh(free[-1]) - target) ** 2).sum(axis=1).mean() / 2)
    return PhaseGradient(
        loss=loss,
        weights=tuple((minus - plus) / (2 * beta) for plus, minus in zip(*weights)),
        biases=tuple((minus - plus) / (2 * beta) for plus, minus in zip(*biases)),
    )


def train(
    net: EnergyNetwork, x: ArrayLike, target: ArrayLike, *, steps: int, rate: float, beta: float = 0.1
) -> tuple[EnergyNetwork, list[float]]:
    """Return the network after steps of gradient descent on all samples, and the losses before. Errors: T402, T404."""
    losses = []
    for _ in range(steps):
        g = equilibrium_gradient(net, x, target, beta=beta, tolerance=1e-6)
        losses.append(g.loss)
        net = EnergyNetwork(
            tuple(W - rate * d for W, d in zip(net.weights, g.weights)),
            tuple(b - rate * d for b, d in zip(net.biases, g.biases)),
        )
    return net, losses
