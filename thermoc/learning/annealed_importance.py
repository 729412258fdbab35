"""Annealed importance sampling: ln Z and the likelihood of data under a Boltzmann machine, with error bars.

Neal, Statistics and Computing 11 (2001) 125; Salakhutdinov and Murray, ICML 2008; for deep machines Salakhutdinov and
Hinton, AISTATS 2009.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc.ir.feed import checked_numbers
from thermoc.learning.data import visible_data
from thermoc.learning.machines import DeepBoltzmannMachine, RestrictedBoltzmannMachine
from thermoc.support.array_types import FloatArray
from thermoc.support.errors import error
from thermoc.support.philox import key_of

BoltzmannMachine = RestrictedBoltzmannMachine | DeepBoltzmannMachine


@dataclass(frozen=True, kw_only=True)
class LogPartition:
    """An estimate of ln Z: the logarithm of the mean weight of independent chains.

    error: its standard error by the delta method, std(w) / (mean(w) sqrt(chains)). log_weights: (chains,).
    """

    value: float
    error: float
    log_weights: FloatArray

    @property
    def effective_chains(self) -> float:
        """(sum w)^2 / sum w^2: with only a few, the error bar itself is too small, and ln Z is missed from below."""
        w = np.exp(self.log_weights - self.log_weights.max())
        return float(w.sum() ** 2 / (w @ w))


@dataclass(frozen=True, kw_only=True)
class LogLikelihood:
    """Mean ln p(v) in nats over images.

    error: the standard error that it has from ln Z. images: ln p of each, (n,). bound: it is a variational lower bound
    (deep machines), so that the truth may lie above it by more than the error.
    """

    mean: float
    error: float
    images: FloatArray
    bound: bool


def log_partition(
    machine: BoltzmannMachine, data: ArrayLike | None = None, *, steps: int = 1000, chains: int = 256, seed: int = 0
) -> LogPartition:
    """Estimate ln Z by ``steps`` inverse temperatures between independent units and the machine.

    data: images (n, visible) whose means the independent visible units have at the start (base rates), else 1/2. Of the
    even and the odd layers those with fewer units are the chains' state, the others are summed over. The same seed
    gives the same estimate. Errors: T402, T403, T404.
    """
    if min(steps, chains - 1) < 1:
        raise error("T404", "steps must be at least 1 and chains 2", notes=[f"steps = {steps}, chains = {chains}"])
    seed, two = checked_numbers(seed=seed)["seed"], _two_layers(machine, data)
    log_weights = two.log_partition_at_start() + _annealed(two, _inverse_temperatures(steps), chains, seed)
    highest = float(log_weights.max())
    w = np.exp(log_weights - highest)
    relative = float(w.std(ddof=1) / w.mean() / np.sqrt(chains))
    return LogPartition(value=highest + float(np.log(w.mean())), error=relative, log_weights=log_weights)


def log_likelihood(machine: BoltzmannMachine, data: ArrayLike, log_z: LogPartition) -> LogLikelihood:
    """Return the mean ln p(v) of images (n, visible) of 0 and 1, ln Z being an estimate.

    Of a deep machine it is the variational bound -<E> / T + S - ln Z of the mean field beside each image.
    Errors: T402, T403, T404.
    """
    deep = isinstance(machine, DeepBoltzmannMachine)
    v = bits(data, machine.sizes[0] if deep else machine.visible)
    if deep:
        means = machine.mean_field(v)
        entropy = sum((_binary_entropy(mu).sum(axis=-1) for mu in means[1:]), np.zeros(len(v)))
        images = entropy - machine.energy(means) / machine.T - log_z.value
    else:
        images = -machine.free_energy(v) / machine.T - log_z.value
    return LogLikelihood(mean=float(images.mean()), error=log_z.error, images=images, bound=deep)


def bits(data: ArrayLike, units: int) -> FloatArray:
    """Return images (n, units) of 0 and 1 as floats. Errors: T402 (shape), T403 (other values)."""
    array = visible_data(data, units)
    if array.dtype != np.uint8:
        i, j = (int(k) for k in np.argwhere((array != 0) & (array != 1))[0])
        raise error("T403", "images are of bits", notes=[f"data[{i}, {j}] = {array[i, j]:g}"], hint="threshold them")
    return array.astype(float)


@dataclass(frozen=True, kw_only=True)
class _TwoLayers:
    """Layers of one parity, which are the chains' state a, and the others, which are summed over.

    W: (a, s); from biases ``start`` without couplings to biases ``end`` with them, all over T.
    """

    W: FloatArray
    start: tuple[FloatArray, FloatArray]
    end: tuple[FloatArray, FloatArray]

    def log_partition_at_start(self) -> float:
        return float(sum(np.logaddexp(0.0, biases).sum() for biases in self.start))


def _two_layers(machine: BoltzmannMachine, data: ArrayLike | None) -> _TwoLayers:
    deep = machine if isinstance(machine, DeepBoltzmannMachine) else machine.layers
    base = [np.zeros(n) for n in deep.sizes]
    if data is not None:
        v = bits(data, deep.sizes[0])
        # a pixel that is never on has a finite bias, as if one image more had it on and one had not
        rate = (v.sum(axis=0) + 1) / (len(v) + 2)
        base[0] = np.log(rate / (1 - rate))
    parities = [range(first, len(base), 2) for first in (0, 1)]
    state = min(parities, key=lambda layers: sum(deep.sizes[layer] for layer in layers))
    summed = parities[1 - parities.index(state)]
    blocks = [[_couplings(deep, a, s) for s in summed] for a in state]
    biases = [b / deep.T for b in deep.biases]
    return _TwoLayers(
        W=np.block(blocks) / deep.T,
        start=(_joined(base, state), _joined(base, summed)),
        end=(_joined(biases, state), _joined(biases, summed)),
    )


def _couplings(deep: DeepBoltzmannMachine, a: int, s: int) -> FloatArray:
    if abs(a - s) != 1:
        return np.zeros((deep.sizes[a], deep.sizes[s]))
    return deep.weights[a] if a < s else deep.weights[s].T


def _joined(arrays: Sequence[FloatArray], layers: range) -> FloatArray:
    return np.concatenate([arrays[layer] for layer in layers])


def _inverse_temperatures(steps: int) -> FloatArray:
    return np.linspace(0.0, 1.0, steps + 1)


def _annealed(two: _TwoLayers, betas: FloatArray, chains: int, seed: int) -> FloatArray:
    """Return the logarithms of the chains' weights relative to Z at the start, (chains,)."""
    from thermoc.simulator.kernels.annealed_importance import sample_bits_kernel, weigh_and_sample_kernel

    uniforms = _uniforms(chains, seed)
    state, summed = np.zeros((chains, len(two.W))), np.zeros((chains, two.W.shape[1]))
    u = np.empty_like(state), np.empty_like(summed)
    sample_bits_kernel(state, np.zeros_like(state), uniforms(u[0], 0, 0), two.start[0], two.end[0], 0.0)
    log_weights, slope = np.zeros(chains), two.end[0] - two.start[0]
    transposed = np.ascontiguousarray(two.W.T)
    for k, (old, new) in enumerate(pairwise(betas), start=1):
        log_weights += (new - old) * (state @ slope)
        field = state @ two.W
        weigh_and_sample_kernel(summed, field, uniforms(u[1], k, 1), two.start[1], two.end[1], old, new, log_weights)
        sample_bits_kernel(state, summed @ transposed, uniforms(u[0], k, 0), two.start[0], two.end[0], new)
    return log_weights


def _uniforms(chains: int, seed: int) -> Callable[[Any, int, int], Any]:
    """Return what fills an array (chains, n) with uniforms of a step and a layer (Philox, its stream)."""
    from thermoc.simulator.kernels.annealed_importance import uniforms_kernel

    low, high = key_of(seed)
    key = np.uint64(low | high << 32)

    def fill(u: Any, step: int, layer: int) -> Any:
        uniforms_kernel(u.reshape(-1), step, layer, key)
        return u

    return fill


def _binary_entropy(p: FloatArray) -> FloatArray:
    from scipy.special import entr

    return entr(p) + entr(1 - p)
