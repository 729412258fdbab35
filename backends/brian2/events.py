"""Where spikes travel as events: through the queues of synapses, and straight into traces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from thermoc.backends.brian2 import linear
from thermoc.backends.brian2.populations import View, Views
from thermoc.ir.dialects import core, spiking
from thermoc.ir.element_indices import MOVES
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.values import Value

Roots = frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Spikes:
    """A value made of spikes: whose, how many ticks late, and the delay in whose queue they are then."""

    view: View
    ticks: int
    queue: str = ""


def spikes_of(x: Value, views: Views, spikes: Roots, queue: Roots) -> Spikes | None:
    """Return whose spikes a value is, or None where it is something else."""
    view = views.view(x)
    if view.root in spikes:
        return Spikes(view=view, ticks=0)
    if view.root not in queue:
        return None
    delay: Any = views.graph.producers[view.root]
    return Spikes(view=views.view(delay.x).seen_through(view), ticks=delay.ticks, queue=view.root)


def queued(graph: Graph, views: Views, spikes: Roots) -> Roots:
    """Return the delays of spikes that start empty and that weights alone read."""
    return frozenset(
        op.y.name
        for op in graph.of(core.Delay)
        if views.view(op.x).root in spikes and _none(views, op.initial) and _weighs(graph, views, op.y)
    )


def _none(views: Views, initial: Value) -> bool:
    numbers = views.numbers(initial)
    return numbers is not None and not np.any(numbers)


def _weighs(graph: Graph, views: Views, value: Value) -> bool:
    """True where all that reads a value, seen through moves, has constant weights."""
    readers = graph.consumers[value.name]
    return bool(readers) and all(
        _weighs(graph, views, reader.results[0]) if type(reader) in MOVES else _weights(reader, views, value)
        for reader in readers
    )


def _weights(op: Op, views: Views, value: Value) -> bool:
    if type(op) not in linear.TERMS or getattr(op, "kind", "sum") not in ("sum", "mean") or op.inputs[0] != value:
        return False
    return linear.terms_of(op, views) is not None


def terms(graph: Graph, op: spiking.Trace) -> tuple[list[Value], set[str]]:
    """Return what a trace jumps by as the terms of a sum, and the sums that this dissolves."""
    summands: list[Value] = []
    dissolved: set[str] = set()
    stack = [op.x]
    while stack:
        value = stack.pop()
        source, alone = graph.producers[value.name], len(graph.consumers[value.name]) == 1
        if isinstance(source, core.Add) and alone and all(term.type == op.x.type for term in source.inputs):
            dissolved.add(value.name)
            # A stack gives back the last: reversed, terms keep the order of the sum.
            stack += reversed(source.inputs)
        else:
            summands.append(value)
    return summands, dissolved


def adds(op: Any, views: Views, spikes: Roots, queue: Roots) -> bool:
    """True for synapses without bias whose sums one trace alone reads: their spikes can add to it."""
    weighs = type(op) in linear.TERMS and getattr(op, "bias", None) is None and _weights(op, views, op.inputs[0])
    once = weighs and len(views.graph.consumers[op.y.name]) == 1
    return once and spikes_of(op.x, views, spikes, queue) is not None
