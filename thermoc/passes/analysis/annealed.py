"""Annealing: which values a moving temperature leads away from equilibrium on purpose."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import numpy as np

from thermoc.ir.dialects import core
from thermoc.ir.graph import Graph
from thermoc.ir.ops import CLOCKED, STOCHASTIC, Op
from thermoc.ir.types import Role
from thermoc.ir.values import Value


def annealed(graph: Graph, timed: Collection[str] = ()) -> frozenset[str]:
    """Return the names of the values behind noise whose temperature moves: annealing, which is to leave equilibrium.

    A temperature moves where a schedule, the tick or an input of ``timed`` (inputs that change over the ticks) acts on
    it, or where it has one number for each sweep of a tick.
    """
    driven = [op for op in graph.ops if STOCHASTIC in op.traits and _temperature_moves(graph, op, timed)]
    return frozenset(after(graph, [value.name for op in driven for value in op.results]))


def after(graph: Graph, names: Iterable[str]) -> set[str]:
    """Return these values and all that depend on them."""
    stack = list(names)
    reached = set(stack)
    while stack:
        for reader in graph.consumers.get(stack.pop(), ()):
            fresh = [value.name for value in reader.results if value.name not in reached]
            reached.update(fresh)
            stack += fresh
    return reached


def by_sweep(graph: Graph, op: Op) -> bool:
    """Tell whether an op of several sweeps a tick has temperatures that differ from sweep to sweep."""
    return "sweeps" in op.attr_specs and any(_differs_by_row(graph, op, T) for T in _temperatures(op))


def _differs_by_row(graph: Graph, op: Op, T: Value) -> bool:
    """Tell whether T has an axis more than the units, the sweeps, along which it changes or may change."""
    units = op.results[0].type
    # A single row is shared by all sweeps and changes nothing from one to the next.
    if T.type is None or units is None or len(T.type.shape) <= len(units.shape) or T.type.shape[0] == 1:
        return False
    source = graph.producers[T.name]
    rows = source.value.numpy if isinstance(source, core.Stored) else None
    return rows is None or bool(np.any(rows != rows[:1]))


def _temperature_moves(graph: Graph, op: Op, timed: Collection[str]) -> bool:
    causes = _before(graph, _temperatures(op))
    clocked = any(
        CLOCKED in cause.traits or (isinstance(cause, core.Input) and cause.name in timed) for cause in causes
    )
    return clocked or by_sweep(graph, op)


def _temperatures(op: Op) -> Iterator[Value]:
    for name, spec in op.operand_specs.items():
        value = getattr(op, name)
        if spec.role is Role.temperature and value is not None:
            yield value


def _before(graph: Graph, values: Iterable[Value]) -> list[Op]:
    """Return the ops that act on these values."""
    stack = list(values)
    reached: set[str] = {value.name for value in stack}
    ops: list[Op] = []
    while stack:
        source = graph.producers[stack.pop().name]
        ops.append(source)
        fresh = [value for value in source.inputs if value.name not in reached]
        reached.update(value.name for value in fresh)
        stack += fresh
    return ops
