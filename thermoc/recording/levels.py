"""The two levels of a value's units: {0, 1} of spikes and truth values, {-1, 1} of spins."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from thermoc.ir.dialects.core import Concat, Constant, Delay
from thermoc.ir.graph import Graph
from thermoc.ir.ops import VIEW, Op
from thermoc.ir.types import DType, Role
from thermoc.ir.values import Value

Levels = tuple[int, int]
BINARY, SPIN = (0, 1), (-1, 1)


def levels(graph: Graph, value: Value) -> Levels | None:
    """Return the levels that every unit of a value has at every tick; None where it may have others."""
    if value.role is not Role.spike and value.dtype is not DType.bool:
        return None
    possible, waiting, visited = {BINARY, SPIN}, [value], {value.name}
    while waiting and possible:
        value = waiting.pop()
        op = graph.producers[value.name]
        possible &= _of(op, value)
        # A loop through a delay comes back to what has been asked.
        fresh = {source.name: source for source in _sources(op) if source.name not in visited}
        visited |= fresh.keys()
        waiting += fresh.values()
    return min(possible, key=(BINARY, SPIN).index, default=None)


def _of(op: Op, value: Value) -> set[Levels]:
    """Return the pairs of levels that an op allows its result, given that its sources have them."""
    if isinstance(op, Constant):
        numbers = np.asarray(op.value.numpy)
        return {pair for pair in (BINARY, SPIN) if np.isin(numbers, pair).all()}
    if hasattr(op, "levels"):
        return {SPIN if getattr(op, "levels") == "spin" else BINARY}  # noqa: B009  (ops have no such field in common)
    if _passes_on(op):
        return {BINARY, SPIN}
    spikes = dict(zip((result.name for result in op.results), op.result_specs.values()))[value.name].role is Role.spike
    return {BINARY} if spikes or value.dtype is DType.bool else set()


def _sources(op: Op) -> Iterator[Value]:
    """Yield the values whose numbers an op returns as they are: what it moves, and what it starts from."""
    if VIEW in op.traits or isinstance(op, Concat | Delay):
        yield from op.inputs
    elif hasattr(op, "levels") and hasattr(op, "initial"):
        yield getattr(op, "initial")  # noqa: B009


def _passes_on(op: Op) -> bool:
    return VIEW in op.traits or isinstance(op, Concat | Delay)
