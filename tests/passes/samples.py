"""A small network for each registered pass, in which it has something to do: ``test_golden`` keeps what it did.

A new pass gets an entry in ``SAMPLES``; ``pytest tests/passes --update-golden`` then writes its text and its line of
docs/passes.md.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

import thermoc as tc
from thermoc import plugins
from thermoc.ir.graph import Graph
from thermoc.ir.parser import parse_graph
from thermoc.ir.printer import print_graph
from thermoc.ir.target import TargetDescription
from thermoc.passes.expand.table import EXPANSIONS

BARE = TargetDescription(
    name="bare",
    summary="every op that has no expansion",
    ops=frozenset(set(tc.ir.ops.REGISTRY) - {cls.opname for cls in EXPANSIONS}),
)


def with_foldable() -> tc.Network:
    with tc.Network("fold") as net:
        x = tc.input("x", (2,))
        half = tc.exp(tc.constant(0.0)) / 2.0
        tc.sin(x)  # dead
        tc.output("y", tc.add(tc.mul(x, half), tc.mul(x, half)))
    return net


def with_fusable() -> tc.Network:
    with tc.Network("fuse") as net:
        x = tc.input("x", (2,))
        a = tc.affine(x, np.array([[1.0, 2.0], [3.0, 4.0]])) + np.array([5.0, 6.0])
        tc.output("y", tc.reshape(tc.reshape(-a / 4.0, shape=(2, 1)), shape=(1, 2)))
    return net


def with_parameters() -> tc.Network:
    with tc.Network("parameters") as net:
        x = tc.input("x", (2,))
        J = tc.parameter("J", np.array([[0.0, 1.0], [1.0, 0.0]]))
        W = tc.parameter("W", np.array([[1.0, 2.0], [3.0, 4.0]]), trainable=False)
        tc.output("y", tc.gibbs(1.0, J, tc.affine(x, W)))
    return net


def with_time() -> tc.Network:
    with tc.Network("time", dt=0.5) as net:
        x = tc.input("x", (2,))
        T = tc.schedule(kind="exponential", T0=1.0, parameter=4.0, T_min=0.1)
        tc.output("m", tc.memory(x, T=T, gamma=2.0))
        s, _ = tc.lif(x, 2.0, method="euler")
        tc.output("s", s)
    return net


def with_activations() -> tc.Network:
    with tc.Network("activations") as net:
        x = tc.input("x", (2, 2))
        tc.output("y", tc.boltzmann(tc.flatten(x), T=0.5))
    return net


def with_broadcast() -> tc.Network:
    with tc.Network("broadcast") as net:
        tc.output("y", tc.input("x", (2, 3)) * tc.input("z", (3,)))
    return net


def with_unknown_types() -> Graph:
    text = print_graph(with_time().graph)
    untyped = "\n".join(
        line if "core.input" in line or "core.constant" in line else line.replace(": signal f64[2]", "")
        for line in text.splitlines()
    )
    assert untyped != text
    return parse_graph(untyped)


def with_sampler() -> tc.Network:
    with tc.Network("sampler") as net:
        drive = tc.affine(tc.input("x", (2,)), np.array([[1.0, -2.0], [3.0, 0.5]]))
        tc.output("s", tc.sample_binary(drive, T=0.5))
    return net


def with_arithmetic_neurons() -> tc.Network:
    """Units that leak, spike and are reset, written as arithmetic."""
    with tc.Network("arithmetic", dt=1.0) as net:
        after = tc.placeholder((2,))
        v = 0.9 * tc.delay(after, 0.0) + tc.input("x", (2,))
        spikes = tc.greater(v, 1.0)
        tc.connect(after, tc.select(spikes, 0.0, v))
        tc.output("s", tc.cast(spikes, dtype="f64", role="spike"))
    return net


def with_exchange() -> tc.Network:
    with tc.Network("exchange") as net:
        tc.output("T", tc.heat_exchange(np.array([[0.0, 1.0], [1.0, 0.0]]), np.array([1.0, 2.0]), gamma=0.5))
    return net


def with_relaxations() -> tc.Network:
    with tc.Network("relaxations") as net:
        tc.output("T", tc.adaptive_schedule(4.0, T0=2.0, T_min=0.1))
        tc.output("x", tc.ou_network(np.diag([3.0, 1.0]), 0.5, tc.input("b", (2,))))
    return net


def with_extrema() -> tc.Network:
    with tc.Network("extrema") as net:
        x = tc.affine(tc.input("x", (2,)), np.eye(2))
        tc.output("y", tc.affine(tc.minimum(tc.maximum(x, 0.5), 2.0), np.array([[1.0, 2.0]])))
    return net


def with_p_bit_probability() -> tc.Network:
    with tc.Network("probability") as net:
        p = tc.fermi_dirac(tc.affine(tc.input("x", (2,)), np.eye(2)), T=0.5)
        tc.output("y", tc.affine(p, np.array([[1.0, 2.0]])))
    return net


class Sample(NamedTuple):
    """A network, and the passes that bring it to the one shown, which is the last."""

    network: Callable[[], tc.Network | Graph]
    pipeline: str


CLEAN = "infer-shapes,canonicalize,fuse,discretize,canonicalize,set-precision{dtype=f64}"
SAMPLES = {
    "canonicalize": Sample(with_foldable, "canonicalize"),
    "discretize": Sample(with_time, "discretize{dt=0.5}"),
    "explicit-broadcast": Sample(with_broadcast, "explicit-broadcast"),
    "freeze-parameters": Sample(with_parameters, "freeze-parameters{needed=true}"),
    "extrema": Sample(with_extrema, "infer-shapes,extrema"),
    "fuse": Sample(with_fusable, "fuse"),
    "infer-shapes": Sample(with_unknown_types, "infer-shapes"),
    "legalize": Sample(with_activations, "legalize{target=bare}"),
    "map-crossbars": Sample(
        with_fusable, f"{CLEAN},map-crossbars{{spec={{rows=4, columns=4, cell_bits=2, weight_bits=4}}}}"
    ),
    "partition": Sample(with_sampler, f"{CLEAN},quantize,canonicalize,partition{{chips=1}}"),
    "place": Sample(with_sampler, f"{CLEAN},quantize,canonicalize,partition,place{{chips=1}}"),
    "quantize": Sample(with_sampler, f"{CLEAN},quantize{{input_range=(-1, 1)}}"),
    "recognize-neurons": Sample(with_arithmetic_neurons, f"{CLEAN},recognize-neurons"),
    "set-precision": Sample(with_foldable, "set-precision{dtype=f32}"),
    "spike-encode": Sample(with_p_bit_probability, "spike-encode{coding=thermal, input_range=(-1, 1)}"),
    "stock-units": Sample(with_sampler, f"{CLEAN},stock-units"),
    "relaxations": Sample(with_relaxations, "infer-shapes,relaxations"),
    "thermal-networks": Sample(with_exchange, "infer-shapes,thermal-networks"),
}


def description(target: str) -> TargetDescription:
    """The targets that samples name: ours, and one that holds nothing that has an expansion."""
    return BARE if target == BARE.name else plugins.backend(target).target()


def graph_of(sample: Sample) -> Graph:
    network = sample.network()
    return network if isinstance(network, Graph) else network.graph
