"""A graph with Loihi inside: the host's ops before it, Loihi's, the host's after it, and the clocks of both.

The host lives in the network's ticks, Loihi in its own: one tick of the network is ``every`` of Loihi's, and what
Loihi says of a tick comes ``lag`` ticks later, because a synapse takes a tick. ``loihi.encode`` and ``loihi.decode``
hold both numbers. A graph whose borders all have lag 0 and every 1 is an ordinary graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from thermoc.ir.dialects.core import Input, Output
from thermoc.ir.dialects.loihi import LoihiDecode, LoihiEncode
from thermoc.ir.feed import Feed
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.values import Value
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import error

Arrays = Mapping[str, AnyArray]
Run = Callable[[Graph, Feed, int], tuple[Arrays, Arrays]]
"""Runs a graph from its initial state: (graph, feed, first tick) to outputs and final states by name."""


@dataclass(frozen=True, kw_only=True)
class SplitGraph:
    """A graph split at its borders. Each of the three gives and takes the values at them under the values' own names.

    before: gives the result of each encode. loihi: takes those, gives what each decode reads. after: takes those and
    the network's inputs, gives the network's outputs.
    """

    before: Graph
    loihi: Graph
    after: Graph
    encodes: tuple[LoihiEncode, ...]
    decodes: tuple[LoihiDecode, ...]
    every: int

    @property
    def latency(self) -> int:
        """How many ticks of Loihi the last of its results comes late."""
        return max((op.lag for op in self.decodes), default=0)

    def loihi_ticks(self, ticks: int) -> int:
        """Return how many ticks Loihi must run for so many of the network."""
        return (ticks - 1) * self.every + 1 + self.latency if self.decodes else 0


def is_clocked(graph: Graph) -> bool:
    """Tell whether a graph has ops of Loihi whose ticks differ from the network's."""
    return any(op.lag or op.every > 1 for op in graph.ops if isinstance(op, LoihiEncode | LoihiDecode))


def unclocked(op: Op) -> Op:
    """Return an op without lag: who runs the split graph keeps the clocks."""
    return op.with_(lag=0, every=1) if isinstance(op, LoihiEncode | LoihiDecode) else op


def split_graph(graph: Graph) -> SplitGraph:
    """Split a graph into host, Loihi and host. Errors: T105 where the borders disagree about ``every``."""
    encodes, decodes = graph.of(LoihiEncode), graph.of(LoihiDecode)
    every = _every(encodes, decodes)
    messages, results, outputs = [op.y for op in encodes], [op.x for op in decodes], graph.of(Output)
    before = _ops_behind(graph, messages, ())
    loihi = _ops_behind(graph, results, messages)
    after = [*_ops_behind(graph, [op.x for op in outputs], results), *outputs]
    return SplitGraph(
        before=_graph_of(graph, before, gives=messages, takes=()),
        loihi=_graph_of(graph, loihi, gives=results, takes=messages),
        after=_graph_of(graph, after, gives=(), takes=results),
        encodes=encodes,
        decodes=decodes,
        every=every,
    )


def _every(encodes: tuple[LoihiEncode, ...], decodes: tuple[LoihiDecode, ...]) -> int:
    stated = {op.every for op in (*encodes, *decodes)}
    if len(stated) > 1:
        notes = [f"every = {number}" for number in sorted(stated)]
        raise error("T105", "encodes and decodes disagree about the ticks of Loihi", notes=notes)
    return stated.pop() if stated else 1


def run_split(
    graph: Graph, feed: Feed, run: Run, *, first_tick: int = 0, spare: int = 0
) -> tuple[dict[str, AnyArray], dict[str, AnyArray]]:
    """Run host, Loihi and host in turn; return outputs in the network's ticks, and final states.

    spare: for how many ticks Loihi goes on after the last result has come, for who looks at what is inside.
    Errors: T404 for a first tick other than 0: the units of Loihi fill up from tick 0 on.
    """
    if first_tick and is_clocked(graph):
        notes = [f"first_tick = {first_tick}", "units wait for what is on its way to them"]
        raise error("T404", "a network on Loihi runs from tick 0", notes=notes)
    split = split_graph(graph)
    states: dict[str, AnyArray] = {}
    messages: Arrays = {}
    if split.encodes:
        messages, final = run(split.before, _inputs_of(split.before, feed), first_tick)
        states |= final
    results: Arrays = {}
    if split.decodes:
        ticks = split.loihi_ticks(feed.ticks) + spare
        # An encode whose results only the host reads has no input on Loihi.
        read = [op for op in split.encodes if _reads(split.loihi, op.y)]
        arrays = {op.y.name: _by_loihi_tick(op, messages[op.y.name], ticks) for op in read}
        results, final = run(split.loihi, Feed(arrays=arrays, ticks=ticks, batch=feed.batch), first_tick)
        states |= final
    arrays = dict(_inputs_of(split.after, feed).arrays)
    for op in split.decodes:
        # What Loihi says of the network's tick t is there in its tick t every + lag.
        arrays[border(op.x)] = results[op.x.name][op.lag :: op.every][: feed.ticks]
    outputs, final = run(split.after, Feed(arrays=arrays, ticks=feed.ticks, batch=feed.batch), first_tick)
    return dict(outputs), states | dict(final)


def border(value: Value) -> str:
    """Return the name under which the host takes a value of Loihi: no input of the network may have it already."""
    return f"chip.{value.name}"


def _by_loihi_tick(op: LoihiEncode, messages: AnyArray, ticks: int) -> AnyArray:
    """Return an encode's results (network ticks, batch, ...) tick by tick of Loihi: each for ``every``, 0 before."""
    # Floor division gives ticks before the lag a negative number, which is silent.
    tick = (np.arange(ticks) - op.lag) // op.every
    received = messages[np.clip(tick, 0, len(messages) - 1)]
    received[tick < 0] = 0
    return received


def _reads(graph: Graph, value: Value) -> bool:
    return any(op.name == value.name for op in graph.of(Input))


def _inputs_of(graph: Graph, feed: Feed) -> Feed:
    arrays = {name: array for name, array in feed.arrays.items() if name in graph.inputs}
    return Feed(arrays=arrays, ticks=feed.ticks, batch=feed.batch)


def _ops_behind(graph: Graph, results: Iterable[Value], inputs: Iterable[Value]) -> list[Op]:
    """Return the ops behind some values, in the graph's order, up to those that are inputs."""
    stop, live = {value.name for value in inputs}, set[str]()
    # A walk without recursion: deep networks would exceed Python's stack.
    stack = [value.name for value in results]
    while stack:
        name = stack.pop()
        if name in live or name in stop:
            continue
        op = graph.producers[name]
        live.update(value.name for value in op.results)
        stack += [value.name for value in op.inputs]
    return [op for op in graph.ops if any(value.name in live for value in op.results)]


def _graph_of(graph: Graph, ops: Iterable[Op], *, gives: Iterable[Value], takes: Iterable[Value]) -> Graph:
    """Return ops as a graph of their own, with the values at its borders as inputs and outputs."""
    ops, gives, incoming = list(ops), list(gives), {value.name: value for value in takes}
    read = {value.name for op in ops for value in op.inputs} | {value.name for value in gives}
    inputs: list[Op] = []
    for name, value in incoming.items():
        if name in read:
            named = border(value) if any(isinstance(op, Output) for op in ops) else name
            inputs.append(Input(name=named, shape=value.shape, dtype=value.dtype, role=value.role, y=value))
    outputs = [Output(name=name, x=value) for name, value in {value.name: value for value in gives}.items()]
    return graph.with_ops([*inputs, *map(unclocked, ops), *outputs])
