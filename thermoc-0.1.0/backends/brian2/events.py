"""Where spikes travel as events: through the queues of synapses, and straight into traces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from thermoc.backends.brian2 import linear
from thermoc.backends.brian2.populations import Seat, Seats
from thermoc.ir.dialects import core, spiking
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.places import MOVES
from thermoc.ir.values import Value

Roots = frozenset[str]


@dataclass(frozen=True, kw_only=True)
class Spikes:
    """A value made of spikes: whose, and how many ticks late."""

    seat: Seat
    ticks: int


def spikes_of(x: Value, seats: Seats, spikes: Roots, queue: Roots) -> Spikes | None:
    """Return whose spikes a value is, or None where it is something else."""
    seat = seats.seat(x)
    if seat.root in spikes:
        return Spikes(seat=seat, ticks=0)
    if seat.root not in queue:
        return None
    delay: Any = seats.graph.producers[seat.root]
    return Spikes(seat=seats.seat(delay.x).seen_through(seat), ticks=delay.ticks)


def queued(graph: Graph, seats: Seats, spikes: Roots) -> Roots:
    """Return the delays of spikes that start empty and that weights alone read."""
    return frozenset(
        op.y.name
        for op in graph.of(core.Delay)
        if seats.seat(op.x).root in spikes and _none(seats, op.initial) and _weighs(graph, seats, op.y)
    )


def _none(seats: Seats, initial: Value) -> bool:
    numbers = seats.numbers(initial)
    return numbers is not None and not np.any(numbers)


def _weighs(graph: Graph, seats: Seats, value: Value) -> bool:
    """True where all that reads a value, seen through moves, has constant weights."""
    readers = graph.consumers[value.name]
    return bool(readers) and all(
        _weighs(graph, seats, reader.results[0]) if type(reader) in MOVES else _weights(reader, seats, value)
        for reader in readers
    )


def _weights(op: Op, seats: Seats, value: Value) -> bool:
    if type(op) not in linear.TERMS or getattr(op, "kind", "sum") not in ("sum", "mean") or op.inputs[0] != value:
        return False
    return linear.TERMS[type(op)](op, seats.numbers) is not None


def terms(graph: Graph, op: spiking.Trace) -> tuple[list[Value], set[str]]:
    """Return what a trace jumps by as the terms of a sum, and the sums that this dissolves."""
    found: list[Value] = []
    dissolved: set[str] = set()
    stack = [op.x]
    while stack:
        value = stack.pop()
        source, alone = graph.producers[value.name], len(graph.consumers[value.name]) == 1
        if isinstance(source, core.Add) and alone and all(part.type == op.x.type for part in source.inputs):
            dissolved.add(value.name)
            stack += reversed(source.inputs)
        else:
            found.append(value)
    return found, dissolved


def adds(op: Any, seats: Seats, spikes: Roots, queue: Roots) -> bool:
    """True for synapses without bias whose sums one trace alone reads: their spikes can add to it."""
    weighs = type(op) in linear.TERMS and getattr(op, "bias", None) is None and _weights(op, seats, op.inputs[0])
    once = weighs and len(seats.graph.consumers[op.y.name]) == 1
    return once and spikes_of(op.x, seats, spikes, queue) is not None
