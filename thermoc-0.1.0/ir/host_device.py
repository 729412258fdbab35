"""A graph with a chip inside: the host's part before it, the chip's part, the host's part after it, and their clocks.

The host lives in the network's ticks, the chip in its own: one tick of the network is ``every`` of the chip, and what
the chip says of a tick comes ``lag`` ticks later, because a synapse takes a tick. ``loihi.encode`` and
``loihi.decode`` hold both numbers. A graph whose borders all have lag 0 and every 1 is an ordinary graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.dialects.core import Input, Output
from thermoc.ir.dialects.loihi import Decode, Encode
from thermoc.ir.feed import Feed
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.values import Value
from thermoc.support.errors import error

Run = Callable[[Graph, Feed, int], tuple[Mapping[str, NDArray], Mapping[str, NDArray]]]
"""Runs a part from its initial state: (graph, feed, first tick) to outputs and final states by name."""


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The three parts of a graph. Each gives and takes the values at the borders under the values' own names.

    before: gives the result of each encode. chip: takes those, gives what each decode reads. after: takes those and
    the network's inputs, gives the network's outputs. ``shown`` renames a value where an input has its name.
    """

    before: Graph
    chip: Graph
    after: Graph
    encodes: tuple[Encode, ...]
    decodes: tuple[Decode, ...]
    every: int

    @property
    def latency(self) -> int:
        """How many ticks of the chip the last of its results comes late."""
        return max((op.lag for op in self.decodes), default=0)

    def chip_ticks(self, ticks: int) -> int:
        """Return how many ticks the chip must run for so many of the network."""
        return (ticks - 1) * self.every + 1 + self.latency if self.decodes else 0


def is_clocked(graph: Graph) -> bool:
    """Tell whether the chip's ticks differ from the network's."""
    return any(op.lag or op.every > 1 for op in graph.ops if isinstance(op, (Encode, Decode)))


def unclocked(op: Op) -> Op:
    """Return an op without lag: who runs the parts has seen to it."""
    return op.with_(lag=0, every=1) if isinstance(op, Encode | Decode) else op


def parts(graph: Graph) -> Parts:
    """Return the parts of a graph. Errors: T105 where the borders disagree about ``every``."""
    encodes, decodes = graph.of(Encode), graph.of(Decode)
    every = {op.every for op in (*encodes, *decodes)}
    if len(every) > 1:
        notes = [f"every = {number}" for number in sorted(every)]
        raise error("T105", "encodes and decodes disagree about the ticks of the chip", notes=notes)
    before = _needed(graph, [op.y for op in encodes], ())
    chip = _needed(graph, [op.x for op in decodes], [op.y for op in encodes])
    outputs = graph.of(Output)
    after = [*_needed(graph, [op.x for op in outputs], [op.x for op in decodes]), *outputs]
    return Parts(
        before=_part(graph, before, [op.y for op in encodes], ()),
        chip=_part(graph, chip, [op.x for op in decodes], [op.y for op in encodes]),
        after=_part(graph, after, (), [op.x for op in decodes]),
        encodes=encodes,
        decodes=decodes,
        every=every.pop() if every else 1,
    )


def run_in_parts(
    graph: Graph, feed: Feed, run: Run, *, first_tick: int = 0, spare: int = 0
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run a graph part by part; return outputs in the network's ticks, and final states.

    spare: for how many ticks the chip goes on after the last result has come, for who looks at what is inside.
    Errors: T404 for a first tick other than 0: the chip's units fill up from tick 0 on.
    """
    if first_tick and is_clocked(graph):
        notes = [f"first_tick = {first_tick}", "units wait for what is on its way to them"]
        raise error("T404", "a network on the chip runs from tick 0", notes=notes)
    whole = parts(graph)
    states: dict[str, NDArray] = {}
    sent, kept = run(whole.before, _only(whole.before, feed), first_tick) if whole.encodes else ({}, {})
    states |= kept
    ticks = whole.chip_ticks(feed.ticks) + spare
    said: Mapping[str, NDArray] = {}
    if whole.decodes:
        arrays = {op.y.name: _seen(op, sent[op.y.name], ticks) for op in whole.encodes if _reads(whole.chip, op.y)}
        said, kept = run(whole.chip, Feed(arrays=arrays, ticks=ticks, batch=feed.batch), first_tick)
        states |= kept
    arrays = dict(_only(whole.after, feed).arrays)
    for op in whole.decodes:
        arrays[border(op.x)] = said[op.x.name][op.lag :: op.every][: feed.ticks]
    outputs, kept = run(whole.after, Feed(arrays=arrays, ticks=feed.ticks, batch=feed.batch), first_tick)
    return dict(outputs), states | dict(kept)


def border(value: Value) -> str:
    """Return the name under which a part takes a value of another part."""
    return f"chip.{value.name}"


def _seen(op: Encode, sent: NDArray, ticks: int) -> NDArray:
    """Return what the chip sees of an encode's results (network ticks, batch, ...), tick by tick of its own."""
    tick = (np.arange(ticks) - op.lag) // op.every
    seen = sent[np.clip(tick, 0, len(sent) - 1)]
    seen[tick < 0] = 0
    return seen


def _reads(graph: Graph, value: Value) -> bool:
    return any(op.name == value.name for op in graph.of(Input))


def _only(graph: Graph, feed: Feed) -> Feed:
    arrays = {name: array for name, array in feed.arrays.items() if name in graph.inputs}
    return Feed(arrays=arrays, ticks=feed.ticks, batch=feed.batch)


def _needed(graph: Graph, wanted: Iterable[Value], given: Iterable[Value]) -> list[Op]:
    """Return the ops behind some values, in the graph's order, up to those that are given."""
    stop, live = {value.name for value in given}, set[str]()
    stack = [value.name for value in wanted]
    while stack:
        name = stack.pop()
        if name in live or name in stop:
            continue
        op = graph.producers[name]
        live.update(value.name for value in op.results)
        stack += [value.name for value in op.inputs]
    return [op for op in graph.ops if any(value.name in live for value in op.results)]


def _part(graph: Graph, ops: Iterable[Op], gives: Iterable[Value], takes: Iterable[Value]) -> Graph:
    ops, taken = list(ops), {value.name: value for value in takes}
    read = {value.name for op in ops for value in op.inputs} | {value.name for value in gives}
    inputs = []
    for name, value in taken.items():
        if name in read:
            named = border(value) if any(isinstance(op, Output) for op in ops) else name
            kind = {"shape": value.shape, "dtype": value.dtype, "role": value.role}
            inputs.append(Input(name=named, **kind, y=value))
    outputs = [Output(name=name, x=value) for name, value in {value.name: value for value in gives}.items()]
    return graph.with_ops([*inputs, *map(unclocked, ops), *outputs])
