"""What a lowered graph asks of the chip: its populations, the synapses each receives, who sends to whom."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.dialects import core, loihi
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.values import Value
from thermoc.passes.loihi_limits import Limits
from thermoc.passes.quantize_drives import shape_of, size_of

UNITS = (
    loihi.Lif,
    loihi.Graded,
    loihi.Lut,
    loihi.Sigma,
    loihi.Delta,
    loihi.SigmaDelta,
    loihi.FermiDirac,
    loihi.Categorical,
    loihi.Memory,
    loihi.Heat,
)
SYNAPSES = (loihi.Dense, loihi.Sparse, loihi.Conv)
STATES = {loihi.Lif: 2, loihi.Delta: 3, loihi.SigmaDelta: 4, loihi.Graded: 0, loihi.Lut: 0, loihi.Categorical: 0}
"""States of 24 bits that each kind keeps; the others keep one."""


@dataclass(frozen=True, kw_only=True)
class Population:
    """Units of one op. bits, fan_in: of each unit, flat; shared: bits that every core with some of them holds.

    senders: names of the values whose messages come in, each with how many axons it needs.
    """

    name: str
    op: Op
    bits: NDArray
    fan_in: NDArray
    shared: int
    senders: Mapping[str, int]

    @property
    def size(self) -> int:
        """Number of units."""
        return len(self.bits)


def populations(graph: Graph, limits: Limits) -> list[Population]:
    """Return the populations of a graph, in the order of its ops."""
    return [_population(graph, op, limits) for op in graph.ops if isinstance(op, UNITS)]


def _population(graph: Graph, op: Any, limits: Limits) -> Population:
    size = size_of(op.results[0])
    own = STATES.get(type(op), 1) * limits["unit.state_bits"].value + limits["unit.bias_bits"].value
    bits, fan_in = np.full(size, own, np.int64), np.zeros(size, np.int64)
    shared = size_of(op.table) * 24 if isinstance(op, loihi.Lut) else 0
    senders: dict[str, int] = {}
    for synapse, index in _synapses(graph, op.inputs[0], np.arange(size)):
        weights, entries = _memory(synapse, limits, graph)
        if isinstance(synapse, loihi.Conv):
            shared += int(weights.sum())
        else:
            bits = bits + weights[index]
        fan_in = fan_in + entries[index]
        for name, axons in _senders(graph, synapse.x):
            senders[name] = max(senders.get(name, 0), axons)
    return Population(name=op.results[0].name, op=op, bits=bits, fan_in=fan_in, shared=shared, senders=senders)


def _synapses(graph: Graph, value: Value, index: NDArray) -> Iterator[tuple[Any, NDArray]]:
    """Yield the synapses behind a drive, and which of their results each unit takes."""
    op: Any = graph.producers[value.name]
    if isinstance(op, SYNAPSES):
        yield op, index
    elif isinstance(op, loihi.Dendrite):
        for part in op.x:
            yield from _synapses(graph, part, index)
    elif isinstance(op, core.Reshape | core.Flatten):
        yield from _synapses(graph, op.x, index)
    elif isinstance(op, core.Slice):
        shape = shape_of(op.x)
        whole = np.arange(math.prod(shape)).reshape(shape)
        taken = whole[tuple(slice(*cut) for cut in zip(op.starts, op.stops, op.steps))].reshape(-1)
        yield from _synapses(graph, op.x, taken[index])


def _memory(op: Any, limits: Limits, graph: Graph) -> tuple[NDArray, NDArray]:
    """Return the bits of weights, and the number of synapses, of each result (for a conv, bits of each weight)."""
    size = size_of(op.y)
    weight = limits["synapse.weight_bits"].value
    delay = limits["synapse.delay_bits"].value if getattr(op, "delays", None) is not None else 0
    if isinstance(op, loihi.Conv):
        taps = size_of(op.weight) // shape_of(op.weight)[0]
        return np.full(size_of(op.weight), weight), np.full(size, taps, np.int64)
    if isinstance(op, loihi.Dense):
        inputs = shape_of(op.x)[0]
        return np.full(size, inputs * (weight + delay), np.int64), np.full(size, inputs, np.int64)
    offsets: Any = graph.producers[op.offsets.name]
    counts = np.diff(offsets.value.numpy)
    return counts * (weight + delay + limits["synapse.index_bits"].value), counts


def _senders(graph: Graph, value: Value) -> Iterator[tuple[str, int]]:
    """Yield (name, axons) of each population or host value behind a message."""
    op: Any = graph.producers[value.name]
    if isinstance(op, (*UNITS, loihi.Encode)):
        yield op.results[0].name, size_of(op.results[0])
    else:
        for part in op.inputs:
            yield from _senders(graph, part)
