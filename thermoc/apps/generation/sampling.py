"""Images drawn from a Boltzmann machine, and images completed from the pixels that are known of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc.api import compile as compile_network
from thermoc.ir.feed import checked_numbers
from thermoc.learning.alternating import LayerNames, alternating_network
from thermoc.learning.annealed_importance import BoltzmannMachine, bits
from thermoc.learning.machines import DeepBoltzmannMachine
from thermoc.network import Network
from thermoc.support.array_types import BoolArray, FloatArray
from thermoc.support.errors import error


def clamped_network(machine: BoltzmannMachine, name: str = "boltzmann-machine") -> Network:
    """Return the network that samples a machine beside a field on its visible units.

    As ``machine.network()``, with parameters W0, b0, ..., T, outputs x0 (visible), x1, ..., and an input ``field``
    (visible,) that is added to the drive of the visible units: a large one clamps them.
    """
    deep = _deep(machine)
    count = len(deep.sizes)
    weights, biases, layers = ([f"{key}{i}" for i in range(count)] for key in "Wbx")
    names = LayerNames(weights=weights[:-1], biases=biases, layers=layers)
    return alternating_network(name, deep.weights, deep.biases, deep.T, names, field="field")


def samples(
    machine: BoltzmannMachine, count: int, *, sweeps: int = 1000, start: ArrayLike | None = None, seed: int = 0
) -> FloatArray:
    """Return the visible means (count, visible) of independent chains after so many sweeps.

    start: images (count, visible) of 0 and 1 that chains begin at, else random ones. The means are those beside the
    layer above: the last draw is left out, which only adds noise to a picture. Errors: T402, T403, T404.
    """
    visible, seed = _deep(machine).sizes[0], checked_numbers(seed=seed)["seed"]
    rng = np.random.default_rng([seed, visible])
    v = bits(rng.integers(0, 2, (_at_least_one(count=count), visible)) if start is None else start, visible)
    if len(v) != count:
        raise error("T402", "a chain begins at each image", notes=[f"{len(v)} images", f"count = {count}"])
    return _chains(machine, v, np.zeros_like(v), sweeps, seed, mean=1)


def completions(
    machine: BoltzmannMachine, images: ArrayLike, known: ArrayLike, *, sweeps: int = 500, seed: int = 0
) -> FloatArray:
    """Return images (n, visible) whose unknown pixels are their means beside the known ones, over the last half of the
    sweeps.

    images: (n, visible) of 0 and 1, read where ``known`` (visible,) is true. Errors: T402, T403, T404.
    """
    visible, seed = _deep(machine).sizes[0], checked_numbers(seed=seed)["seed"]
    v, mask = bits(images, visible), _mask(known, visible)
    begun = np.where(mask, v, np.random.default_rng([seed, visible]).integers(0, 2, v.shape))
    deep = _deep(machine)
    reach = float(np.abs(deep.weights[0]).sum(axis=1).max() + np.abs(deep.biases[0]).max())
    # A uniform is at least 2^-53 from 0 and 1, so its logit is below 37 in magnitude.
    field = np.where(mask, (2 * v - 1) * (reach + 40 * deep.T), 0.0)
    return np.where(mask, v, _chains(machine, begun, field, sweeps, seed, mean=max(sweeps // 2, 1)))


def _chains(
    machine: BoltzmannMachine, v: FloatArray, field: FloatArray, sweeps: int, seed: int, *, mean: int
) -> FloatArray:
    """Return the visible means beside the layer above, over the last ``mean`` sweeps."""
    _at_least_one(sweeps=sweeps)
    deep = _deep(machine)
    executable = compile_network(clamped_network(machine), "sim")
    total = np.zeros_like(v)
    with executable.start(batch=len(v), seed=seed) as session:
        session.state["x0.buffer"] = v[:, np.newaxis]
        if sweeps > mean:
            session.run(sweeps - mean, {"field": field}, record={})
        for _ in range(mean):
            total += deep.means(0, [None, session.step({"field": field})["x1"]])
    return total / mean


def _deep(machine: BoltzmannMachine) -> DeepBoltzmannMachine:
    return machine if isinstance(machine, DeepBoltzmannMachine) else machine.layers


def _mask(known: ArrayLike, visible: int) -> BoolArray:
    mask: Any = np.asarray(known)
    if mask.dtype != np.bool_ or mask.shape != (visible,):
        notes = [f"it has shape {list(mask.shape)} and dtype {mask.dtype}", f"there are {visible} visible units"]
        raise error("T402", "known is a truth value a pixel", notes=notes)
    return mask


def _at_least_one(**numbers: int) -> int:
    for name, number in numbers.items():
        if number < 1:
            raise error("T404", f"{name} must be at least 1", notes=[f"it is {number}"])
    return next(iter(numbers.values()))
