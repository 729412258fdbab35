"""Demand of populations on the cores that hold them: bits, synapses, axons, and orders in which units read alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from thermoc.ir.dialects import loihi
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.types import Shape
from thermoc.passes.loihi.limits import LoihiLimits
from thermoc.passes.loihi.senders import UNITS, Senders, signals
from thermoc.support.array_types import IntArray

STATES: Mapping[type[Op], int] = {
    loihi.LoihiLif: 2,
    loihi.LoihiDelta: 3,
    loihi.LoihiSigmaDelta: 4,
    loihi.LoihiGraded: 0,
    loihi.LoihiLut: 0,
    loihi.LoihiCategorical: 0,
    loihi.LoihiBoltzmann: 0,
    loihi.LoihiSigma: 1,
    loihi.LoihiFermiDirac: 1,
    loihi.LoihiMemory: 1,
    loihi.LoihiRelaxation: 2,
    loihi.LoihiHeat: 1,
    loihi.LoihiHeatNode: 2,
}
"""States of 24 bits that each kind of unit has."""
TABLE_BITS = 24
HALVINGS = 4096
"""Entries of the table of powers of 1/2 that ``loihi.boltzmann`` has."""


@dataclass(frozen=True, kw_only=True)
class Kernels:
    """A convolution's weights: a core holds those of the channels that it has units of. channel: -1 is none."""

    channel: IntArray
    bits: int

    def memory(self, units: IntArray) -> int:
        """Return the bits that a core with these units holds."""
        channels = np.unique(self.channel[units])
        return self.bits * int((channels >= 0).sum())


@dataclass(frozen=True, kw_only=True)
class CorePopulation:
    """Units of one op of a lowered graph, and what they ask of cores.

    bits, fan_in: of each unit, flat; table: bits that every core with some of them holds. orders: units in a row, such
    that neighbours read alike. grid: where each unit stands among a convolution's results, (size, 3), if it does.
    """

    name: str
    op: Op
    bits: IntArray
    fan_in: IntArray
    kernels: tuple[Kernels, ...]
    table: int
    orders: tuple[IntArray, ...]
    grid: IntArray | None
    senders: Senders

    @property
    def size(self) -> int:
        """Number of units."""
        return len(self.bits)

    @property
    def shape(self) -> Shape:
        """Shape of the units."""
        return self.op.results[0].shape

    def memory(self, units: IntArray) -> int:
        """Return the bits that a core with these units holds."""
        return int(self.bits[units].sum()) + sum(kernel.memory(units) for kernel in self.kernels) + self.table

    def reads(self, units: IntArray) -> Mapping[str, IntArray]:
        """Return whom these units read: by the sender's name, its elements in rising order; an axon for each."""
        return self.senders.read_by(self.op, units)


def core_populations(graph: Graph, limits: LoihiLimits) -> list[CorePopulation]:
    """Return the populations of a lowered graph, in the order of its ops."""
    senders = Senders(graph)
    return [_demand(senders, op, limits) for op in graph.ops if isinstance(op, UNITS)]


def _demand(senders: Senders, op: Any, limits: LoihiLimits) -> CorePopulation:
    size: int = op.results[0].size
    state_bits = STATES[type(op)] * limits["unit.state_bits"].value + limits["unit.bias_bits"].value
    bits, fan_in = np.full(size, state_bits, np.int64), np.zeros(size, np.int64)
    kernels: list[Kernels] = []
    orders: list[IntArray] = [np.arange(size)]
    grid: IntArray | None = None
    arriving = (
        synapses for signal in signals(op) for synapses in senders.synapses(signal, np.arange(size), np.arange(size))
    )
    for synapse, units, index in arriving:
        fan_in[units] += senders.counts(synapse)[index]
        # A core stores a kernel once for all units of its channel, other synapses one by one.
        if isinstance(synapse, loihi.LoihiConv):
            positions: IntArray = np.stack(np.unravel_index(index, synapse.y.shape), axis=1)
            kernels.append(_kernels(synapse, size, units, positions[:, 0], limits))
            # A grid orders all units or none: a convolution behind some of them alone gives no tiles.
            grid = positions if len(units) == size else grid
            continue
        bits[units] += senders.counts(synapse)[index] * _synapse_bits(synapse, limits)
        if isinstance(synapse, loihi.LoihiSparse) and len(units) == size:
            # Rows that read neighbouring columns share axons when they stand on one core.
            orders.append(np.argsort(senders.mean_columns(synapse)[index], kind="stable"))
    return CorePopulation(
        name=op.results[0].name,
        op=op,
        bits=bits,
        fan_in=fan_in,
        kernels=tuple(kernels),
        table=_entries(op) * TABLE_BITS,
        orders=tuple(orders),
        grid=grid,
        senders=senders,
    )


def _entries(op: Any) -> int:
    """Return how many entries the table of an op has."""
    if isinstance(op, loihi.LoihiBoltzmann):
        return HALVINGS
    return op.table.size if isinstance(op, loihi.LoihiLut) else 0


def _kernels(op: loihi.LoihiConv, size: int, units: IntArray, channels: IntArray, limits: LoihiLimits) -> Kernels:
    channel = np.full(size, -1)
    channel[units] = channels
    weights = op.weight.size // op.weight.shape[0]
    return Kernels(channel=channel, bits=weights * limits["synapse.weight_bits"].value)


def _synapse_bits(op: Any, limits: LoihiLimits) -> int:
    """Return the bits of one synapse: its weight, its delay, and in a sparse synapse the unit it is for."""
    # A sparse synapse names its unit; a dense one is known by its position.
    names = ["weight"] + ["delay"] * (op.delays is not None) + ["index"] * isinstance(op, loihi.LoihiSparse)
    return sum(limits[f"synapse.{name}_bits"].value for name in names)
