"""What a lowered graph holds where the network's units are: read on Loihi's clock, in the network's numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.feed import Feed, feed
from thermoc.ir.graph import Graph
from thermoc.ir.host_device import is_clocked, split_graph
from thermoc.ir.reference import interpret
from thermoc.passes.counterparts import Counterpart
from thermoc.passes.loihi.design_types import FRACTION
from thermoc.verification.run_settings import RunSettings


@dataclass(frozen=True, kw_only=True)
class ChipValues:
    """Probed values by name, each (ticks of the chip, batch, *shape), and the outputs, (ticks, batch, *shape)."""

    traces: Mapping[str, NDArray]
    outputs: Mapping[str, NDArray]
    ticks: int

    def sent(self, population: Counterpart, first: int = 0) -> NDArray:
        """Return what a population sent, (ticks, batch, units), from the network's tick ``first`` (0 or -1) on."""
        messages = self._at(population.sender, population.lag, population.every, first)
        return messages / population.design.sent + population.shift

    def state(self, population: Counterpart, name: str, first: int = 0) -> NDArray:
        """Return v or u of a population after each tick in units of its drive, (ticks, batch, units)."""
        runs = [self._at(run, population.start, population.every, first) for run in population.states[name]]
        return np.concatenate(runs, axis=2) / (population.design.scale * FRACTION)

    def steps(self, population: Counterpart) -> NDArray:
        """Return what a population said in each tick of the chip, from the one before it began on."""
        array = self.traces[population.sender]
        flat = array.reshape(*array.shape[:2], -1)
        return flat[population.start - 1 : population.start + self.ticks * population.every]

    def _at(self, name: str, lag: int, every: int, first: int) -> NDArray:
        array = self.traces[name]
        ticks = np.arange(first, self.ticks + first) * every + lag
        flat = array.reshape(*array.shape[:2], -1)
        # Before the chip's first tick nothing is recorded: its first value stands in.
        return flat[np.maximum(ticks, 0)].astype(float)


def chip_values(setting: RunSettings, graph: Graph, populations: Sequence[Counterpart]) -> ChipValues:
    """Run a lowered graph by the reference and keep what its populations say and hold."""
    names = {name for p in populations for name in (p.sender, *(run for runs in p.states.values() for run in runs))}
    inputs = feed(graph, setting.inputs, ticks=setting.ticks, batch=setting.batch)
    if is_clocked(graph):
        # The chip must run on until its slowest population has said its last tick of the network.
        split, last = split_graph(graph), max(max(p.lag, p.start + p.every) for p in populations)
        inputs = _held(inputs, -(-max(split.ahead, 1 + last - split.every) // split.every))
    trace = interpret(graph, inputs, seed=setting.seed, probes=names)
    outputs = {name: array[: setting.ticks] for name, array in trace.outputs.items()}
    return ChipValues(traces=trace.probes, outputs=outputs, ticks=setting.ticks)


def _held(inputs: Feed, ticks: int) -> Feed:
    """Return inputs that stay for some ticks what they were in the last."""
    rows = np.minimum(np.arange(inputs.ticks + ticks), inputs.ticks - 1)
    arrays = {name: array[rows] for name, array in inputs.arrays.items()}
    return Feed(arrays=arrays, ticks=inputs.ticks + ticks, batch=inputs.batch)
