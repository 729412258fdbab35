"""A network that was brought to Loihi, as units on cores and synapses between them: what the event account takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from thermoc.ir.dialects import core, loihi
from thermoc.ir.element_indices import MOVES, moved, windows
from thermoc.ir.graph import Graph
from thermoc.ir.ops import STOCHASTIC
from thermoc.ir.values import Value
from thermoc.passes.loihi.limits import LoihiLimits, loihi2
from thermoc.passes.loihi.mesh import WIDTH
from thermoc.passes.loihi.place import LoihiPlacement, place
from thermoc.passes.loihi.senders import HOST, UNITS, Senders
from thermoc.simulator.chips import Chip
from thermoc.simulator.machine.spikes import Placed
from thermoc.support.array_types import AnyArray, BoolArray, IntArray

KIND: dict[type, str] = {loihi.LoihiDense: "dense", loihi.LoihiSparse: "sparse", loihi.LoihiConv: "conv"}
STATELESS = (loihi.LoihiGraded, loihi.LoihiLut)


@dataclass(frozen=True, kw_only=True)
class SpikingLayout:
    """Units numbered population by population, the host's senders behind them.

    units: each population's op, and the number of its first unit. host: likewise, of the values that the host sends.
    """

    graph: Graph
    placed: Placed
    units: dict[str, tuple[Any, int]]
    host: dict[str, tuple[Value, int]]

    @property
    def size(self) -> int:
        """Number of units and senders."""
        return len(self.placed.core)

    @property
    def bias(self) -> BoolArray:
        """(n,): whose bias is not zero."""
        bias = np.zeros(self.size, bool)
        for op, first in self.units.values():
            for name in ("bias_mant", "bias"):
                if hasattr(op, name):
                    bias[first : first + op.results[0].size] = _numbers(self.graph, getattr(op, name)).reshape(-1) != 0
        return bias

    @property
    def always(self) -> BoolArray:
        """(n,): who is updated in every step: what draws noise, and what holds a state that no result shows."""
        always = np.zeros(self.size, bool)
        for op, first in self.units.values():
            shown = isinstance(op, (*STATELESS, loihi.LoihiLif)) and STOCHASTIC not in op.traits
            always[first : first + op.results[0].size] = not shown
        return always


def spiking_layout(graph: Graph, chip: Chip) -> SpikingLayout:
    """Return a graph of Loihi's ops on the cores of a chip. Errors: T207, T304 where it does not fit."""
    populations = [op for op in graph.ops if isinstance(op, UNITS)]
    senders = [op.results[0] for op in graph.ops if isinstance(op, HOST)]
    units, first = {}, 0
    for op in populations:
        units[op.results[0].name] = (op, first)
        first += op.results[0].size
    host = {}
    for value in senders:
        host[value.name] = (value, first)
        first += value.size
    on_core = _cores(place(graph, 1, _limits(chip)), units, first, chip)
    first_of = {name: number for name, (_, number) in (units | host).items()}
    return SpikingLayout(
        graph=graph,
        placed=Placed(core=on_core, synapses=_synapses(graph, units, first_of, first)),
        units=units,
        host=host,
    )


def _limits(chip: Chip) -> LoihiLimits:
    """Return Loihi 2's limits with the cores and units of the chip: it is these whose energies are known."""
    entries = dict(loihi2().entries)
    of = {"chip.cores": chip.cores, "core.units": chip.whole("core.units")}
    for name, value in of.items():
        source = chip.quantities.quantity("core.units" if name == "core.units" else "mesh.cores").source
        entries[name] = replace(entries[name], value=value, source=source)
    return LoihiLimits(entries=entries, boards={})


def _cores(placement: LoihiPlacement, units: dict[str, tuple[Any, int]], size: int, chip: Chip) -> IntArray:
    """Return the chip's core of each unit, (n,); -1 of what is the host's."""
    on_core = np.full(size, -1)
    (wide, high), rows = chip.grid(), chip.whole("mesh.rows")
    across = chip.whole("mesh.columns") * wide
    for core_, (_, row, column) in zip(placement.cores.cores, placement.places):
        y, x = divmod(row * WIDTH + column, across)
        # tiles are numbered down the columns, cores row by row within a tile
        number = (x // wide * rows + y // high) * wide * high + y % high * wide + x % wide
        for piece in core_.pieces:
            on_core[units[piece.population][1] + piece.members] = number
    return on_core


def _synapses(
    graph: Graph, units: dict[str, tuple[Any, int]], first_of: dict[str, int], size: int
) -> dict[str, sparse.csc_array]:
    """Return a matrix (n, n) for each kind of synapse, of how many there are from each unit to each."""
    senders = Senders(graph)
    matrices: dict[str, sparse.csc_array] = {}
    for op, first in units.values():
        all_units = np.arange(op.results[0].size)
        for synapse, taking, index in senders.synapses(op.inputs[0], all_units, all_units):
            results, elements = _entries(graph, synapse)
            source = _numbered(graph, synapse.x, first_of)[elements]
            # one result may reach several units, and one unit may take several results
            matrix = sparse.csr_array((np.ones(len(index)), (first + taking, index)), (size, synapse.y.size))
            sent = sparse.csr_array((np.ones(len(results)), (results, source)), (synapse.y.size, size))
            kind = KIND[type(synapse)]
            matrices[kind] = matrices.get(kind, sparse.csc_array((size, size))) + sparse.csc_array(matrix @ sent)
    return matrices


def _entries(graph: Graph, op: Any) -> tuple[IntArray, IntArray]:
    """Return (results, elements of x) of each synapse that is stored: dense weights of 0 too."""
    if isinstance(op, loihi.LoihiSparse):
        counts = np.diff(_numbers(graph, op.offsets))
        return np.repeat(np.arange(len(counts)), counts), _numbers(graph, op.columns).astype(int)
    if isinstance(op, loihi.LoihiDense):
        return tuple(np.indices((op.y.size, op.x.size)).reshape(2, -1))  # pyright: ignore[reportReturnType]
    return _windows(op)


def _windows(op: loihi.LoihiConv) -> tuple[IntArray, IntArray]:
    """Of a convolution: each channel's windows over the channels of its group, without what lies in the padding."""
    out, channels = op.y.shape[0], op.x.shape[0]
    taps = windows(op.x.shape, op.weight.shape[2:], op.stride, op.padding, op.dilation)  # (channels, places, taps)
    places, group = taps.shape[1], channels // op.groups
    rows: list[IntArray] = []
    columns: list[IntArray] = []
    for channel in range(out):
        start = channel // (out // op.groups) * group
        window = taps[start : start + group]
        inside = window >= 0
        rows.append(channel * places + np.broadcast_to(np.arange(places)[None, :, None], window.shape)[inside])
        columns.append(window[inside])
    return np.concatenate(rows), np.concatenate(columns)


def _numbered(graph: Graph, value: Value, first_of: dict[str, int]) -> IntArray:
    """Return the number of the unit that each element of a value is sent by."""
    if value.name in first_of:
        return first_of[value.name] + np.arange(value.size)
    op: Any = graph.producers[value.name]
    if isinstance(op, core.Concat):
        parts = [_numbered(graph, x, first_of).reshape(x.shape) for x in op.xs]
        return np.concatenate(parts, axis=op.axis).reshape(-1)
    assert type(op) in MOVES, f"{op.opname} stands between a unit and its synapses"
    return _numbered(graph, op.x, first_of)[moved(op).reshape(-1)]


def _numbers(graph: Graph, value: Value) -> AnyArray:
    op: Any = graph.producers[value.name]
    return op.value.numpy


def shown(layout: SpikingLayout) -> Iterator[tuple[str, Value]]:
    """Yield what a run must record: what each population sends, and the membranes of LIF units."""
    for name, (op, _) in layout.units.items():
        yield f"sent.{name}", op.results[0]
        if isinstance(op, loihi.LoihiLif):
            yield f"held.{name}", op.v
