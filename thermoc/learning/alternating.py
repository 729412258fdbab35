"""Networks of layers coupled to the next ones alone: those of odd number are drawn, then those of even number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from thermoc import network
from thermoc.ir.functions import FUNCTIONS
from thermoc.ir.handle import Handle
from thermoc.network import Network
from thermoc.support.array_types import FloatArray


@dataclass(frozen=True, kw_only=True)
class LayerNames:
    """What the parameters and the outputs of a network are called, a name a weight, a bias and a layer."""

    weights: Sequence[str]
    biases: Sequence[str]
    layers: Sequence[str]


def alternating_network(
    name: str,
    weights: Sequence[FloatArray],
    biases: Sequence[FloatArray],
    T: float,
    names: LayerNames,
    *,
    field: str | None = None,
    upward: float = 1.0,
    downward: float = 1.0,
) -> Network:
    """Return the network that samples layers of bits by turns; weights (n_l, n_{l+1}), biases (n_l,) and T (its name)
    are parameters, and the layers of even number of the tick before are states, zeros at the start.

    field: the name of an input (n_0,) that is added to the drive of layer 0, one a sample. upward, downward: factors
    of what drives a layer from below and from above.
    """
    with Network(name) as net:
        W = [network.parameter(title, value) for title, value in zip(names.weights, weights)]
        b = [network.parameter(title, value) for title, value in zip(names.biases, biases)]
        temperature = network.parameter("T", T, role="temperature")
        even = range(0, len(b), 2)
        after = {layer: network.placeholder(biases[layer].shape, role="spike") for layer in even}
        visible_field = None if field is None else network.input(field, biases[0].shape)
        layers: list[Any] = [None] * len(b)
        for layer, state in after.items():
            layers[layer] = FUNCTIONS["core.delay"](state, 0.0, name=names.layers[layer])
        for layer in (*range(1, len(b), 2), *even):
            drive = _drive(layer, W, b[layer], layers, upward, downward)
            if layer == 0 and visible_field is not None:
                drive = drive + visible_field
            layers[layer] = FUNCTIONS["thermo.sample_binary"](drive, temperature)
        for layer, state in after.items():
            network.connect(state, layers[layer])
        for title, layer in zip(names.layers, layers):
            network.output(title, layer)
    return net


def _drive(
    layer: int, W: Sequence[Handle], bias: Handle, layers: Sequence[Any], upward: float, downward: float
) -> Handle:
    """Return the energies by which 1 lies below 0 for the units of a layer."""
    affine, transpose = FUNCTIONS["core.affine"], FUNCTIONS["core.transpose"]
    if layer == 0:
        return affine(_times(downward, layers[1]), W[0], bias)
    below = affine(_times(upward, layers[layer - 1]), transpose(W[layer - 1], axes=(1, 0)), bias)
    return below if layer == len(W) else below + affine(_times(downward, layers[layer + 1]), W[layer])


def _times(factor: float, x: Handle) -> Handle:
    return x if factor == 1 else x * factor
