"""What a lowered graph asks of the chip: its populations, the synapses each receives, who sends to whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from thermoc.ir.dialects import loihi
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.types import Shape
from thermoc.passes.loihi.limits import Limits
from thermoc.passes.loihi.reads import UNITS, Index, Readers

STATES = {loihi.Lif: 2, loihi.Delta: 3, loihi.SigmaDelta: 4, loihi.Graded: 0, loihi.Lut: 0, loihi.Categorical: 0}
"""States of 24 bits that each kind keeps; the others keep one."""
TABLE_BITS = 24


@dataclass(frozen=True, kw_only=True)
class Kernels:
    """A convolution's weights: a core holds those of the channels that it has units of. channel: -1 is none."""

    channel: Index
    bits: int

    def memory(self, units: Index) -> int:
        """Return the bits that a core with these units holds."""
        channels = np.unique(self.channel[units])
        return self.bits * int((channels >= 0).sum())


@dataclass(frozen=True, kw_only=True)
class Population:
    """Units of one op. bits, fan_in: of each unit, flat; table: bits that every core with some of them holds.

    orders: units in a row, such that neighbours read alike. grid: where each unit stands among a convolution's results,
    (size, 3), where there is one.
    """

    name: str
    op: Op
    bits: Index
    fan_in: Index
    kernels: tuple[Kernels, ...]
    table: int
    orders: tuple[Index, ...]
    grid: Index | None
    readers: Readers

    @property
    def size(self) -> int:
        """Number of units."""
        return len(self.bits)

    @property
    def shape(self) -> Shape:
        """Shape of the units."""
        return self.op.results[0].shape

    def memory(self, units: Index) -> int:
        """Return the bits that a core with these units holds."""
        return int(self.bits[units].sum()) + sum(kernel.memory(units) for kernel in self.kernels) + self.table

    def reads(self, units: Index) -> Mapping[str, Index]:
        """Return whom these units read: by the sender's name, its elements in rising order; an axon for each."""
        return self.readers.senders(self.op, units)


def populations(graph: Graph, limits: Limits) -> list[Population]:
    """Return the populations of a graph, in the order of its ops."""
    readers = Readers(graph)
    return [_population(readers, op, limits) for op in graph.ops if isinstance(op, UNITS)]


def _population(readers: Readers, op: Any, limits: Limits) -> Population:
    size = op.results[0].size
    state_bits = STATES.get(type(op), 1) * limits["unit.state_bits"].value + limits["unit.bias_bits"].value
    bits, fan_in = np.full(size, state_bits, np.int64), np.zeros(size, np.int64)
    kernels: list[Kernels] = []
    orders, grid = [np.arange(size)], None
    for synapse, units, index in readers.synapses(op.inputs[0], np.arange(size), np.arange(size)):
        fan_in[units] += readers.counts(synapse)[index]
        if isinstance(synapse, loihi.Conv):
            places = np.stack(np.unravel_index(index, synapse.y.shape), axis=1)
            kernels.append(_kernels(synapse, size, units, places[:, 0], limits))
            grid = places if len(units) == size else grid
            continue
        bits[units] += readers.counts(synapse)[index] * _synapse_bits(synapse, limits)
        if isinstance(synapse, loihi.Sparse) and len(units) == size:
            orders.append(np.argsort(readers.middles(synapse)[index], kind="stable"))
    return Population(
        name=op.results[0].name,
        op=op,
        bits=bits,
        fan_in=fan_in,
        kernels=tuple(kernels),
        table=op.table.size * TABLE_BITS if isinstance(op, loihi.Lut) else 0,
        orders=tuple(orders),
        grid=grid,
        readers=readers,
    )


def _kernels(op: loihi.Conv, size: int, units: Index, channels: Index, limits: Limits) -> Kernels:
    channel = np.full(size, -1)
    channel[units] = channels
    weights = op.weight.size // op.weight.shape[0]
    return Kernels(channel=channel, bits=weights * limits["synapse.weight_bits"].value)


def _synapse_bits(op: Any, limits: Limits) -> int:
    """Return the bits of one synapse: its weight, its delay, and, where it is one of few, whom it is for."""
    names = ["weight"] + ["delay"] * (op.delays is not None) + ["index"] * isinstance(op, loihi.Sparse)
    return sum(limits[f"synapse.{name}_bits"].value for name in names)
