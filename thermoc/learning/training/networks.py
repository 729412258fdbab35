"""The network that a training file names, or the layers that it describes."""

from __future__ import annotations

import math

import numpy as np

import thermoc as tc
from thermoc.ir.dialects.thermo import Boltzmann
from thermoc.learning.machines import RestrictedBoltzmannMachine
from thermoc.learning.training.config import Config
from thermoc.learning.training.datasets import LabelledSamples
from thermoc.network import Network
from thermoc.support import philox
from thermoc.support.array_types import FloatArray

WEIGHT_STREAM = 4
"""The Philox stream of initial weights."""
SMALL = 0.01
"""Spread of a Boltzmann machine's first weights."""
PROBES = (".F", ".U", ".S", ".T")
"""How layers end the names of their probes."""
MACHINE = ("W", "b", "c", "T")


def network_of(config: Config, samples: LabelledSamples) -> Network:
    """Return the network to be trained. Errors: T501 to T504, T519."""
    table = config.network
    if table.file is not None:
        return tc.load(config.path(table.file))
    sizes = table.feed_forward or ()
    T = table.T if isinstance(table.T, tuple) else (table.T or 1.0,) * len(sizes)
    activations = table.activations or (*("thermal_relu",) * (len(sizes) - 1), "boltzmann")
    with tc.Network("feed-forward") as net:
        value = x = tc.input("x", samples.x.shape[1:])
        if len(x.shape) > 1:
            value = tc.reshape(x, shape=(math.prod(x.shape),))
        for i, (size, activation) in enumerate(zip(sizes, activations)):
            name, inputs = f"layer{i}", value.shape[0]
            # the variance of what comes in is kept: half of a rectifier's inputs are cut off
            spread = math.sqrt((2 if activation == "thermal_relu" else 1) / inputs)
            temperature = (
                tc.parameter(f"{name}.T", T[i], role="temperature")
                if table.train_temperatures and activation != "none"
                else T[i]
            )
            value = tc.layers.feed_forward(
                value,
                spread * normals((size, inputs), layer=i, seed=config.training.seed),
                np.zeros(size),
                T=temperature,
                activation=None if activation == "none" else activation,
                probes=name in config.loss.free_energy,
                name=name,
            )
        tc.output("y", value)
    return net


def machine_of(config: Config, samples: LabelledSamples) -> RestrictedBoltzmannMachine:
    """Return the restricted Boltzmann machine to be trained. Errors: T405, T501 to T504, T519."""
    table, visible = config.network, math.prod(samples.x.shape[1:])
    if table.file is not None:
        parameters = tc.load(config.path(table.file)).parameters
        missing = [name for name in MACHINE if name not in parameters]
        if missing:
            notes = [f"{table.file} has no parameter {missing[0]!r}", f"a machine's are {', '.join(MACHINE)}"]
            raise config.source.wrong("network", "file", "the file holds no restricted Boltzmann machine", notes=notes)
        return RestrictedBoltzmannMachine(**{name: np.asarray(parameters[name], float) for name in MACHINE[:3]},
            T=float(parameters["T"]))  # fmt: skip
    hidden, T = table.hidden or 1, 1.0 if table.T is None else table.T
    if isinstance(T, tuple):
        raise config.source.wrong("network", "T", "a Boltzmann machine has one temperature", notes=[f"T = {T}"])
    W = SMALL * normals((visible, hidden), layer=0, seed=config.training.seed)
    return RestrictedBoltzmannMachine(W, np.zeros(visible), np.zeros(hidden), T)


def normals(shape: tuple[int, ...], *, layer: int, seed: int) -> FloatArray:
    """Return standard normal numbers that are a function of the layer and the seed."""
    block = philox.words(np.arange(math.prod(shape)), tick=0, draw=layer, stream=WEIGHT_STREAM, seed=seed)
    return philox.normal(block, np.dtype(float)).reshape(shape)


def name_of(config: Config, network: Network, key: str) -> str:
    """Return the name of the input or output that the file names, else the only one. Errors: T519."""
    every, stated = list(getattr(network.graph, f"{key}s")), getattr(config.network, key)
    if stated in every:
        return stated
    names = [name for name in every if not name.endswith(PROBES)] or every
    if stated is None and len(names) == 1:
        return names[0]
    notes = [f"network {network.name!r} has the {key}s {', '.join(names)}", f"{key} = {stated!r}"]
    raise config.source.wrong(
        "network", key, f"{key} must name one", notes=notes, hint=f'{key} = "{names[0]}"' if names else ""
    )


def gives_probabilities(network: Network, output: str) -> bool:
    """Tell whether a Boltzmann distribution is what an output is."""
    op = network.graph.outputs[output]
    return any(isinstance(sampler, Boltzmann) and op.x in sampler.results for sampler in network.graph.ops)
