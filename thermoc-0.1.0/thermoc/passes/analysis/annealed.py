"""Which values a moving temperature leads away from equilibrium on purpose."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import numpy as np

from thermoc.ir.dialects import core, sampling, thermo
from thermoc.ir.graph import Graph
from thermoc.ir.ops import STOCHASTIC, Op
from thermoc.ir.types import Role
from thermoc.ir.values import Value

CLOCKS = (thermo.Schedule, thermo.AdaptiveSchedule, core.Tick)


def annealed(graph: Graph, timed: Collection[str] = ()) -> frozenset[str]:
    """Return the names of the values behind noise whose temperature moves: annealing, which is to leave equilibrium.

    A temperature moves where a schedule, the tick or an input of ``timed`` (inputs that change over the ticks) acts on
    it, or where it has one number for each sweep of a tick.
    """
    moved = [op for op in graph.ops if STOCHASTIC in op.traits and _moves(graph, op, timed)]
    return frozenset(after(graph, [value.name for op in moved for value in op.results]))


def after(graph: Graph, names: Iterable[str]) -> set[str]:
    """Return these values and all that depend on them."""
    stack = list(names)
    seen = set(stack)
    while stack:
        for reader in graph.consumers.get(stack.pop(), ()):
            fresh = [value.name for value in reader.results if value.name not in seen]
            seen.update(fresh)
            stack += fresh
    return seen


def by_sweep(graph: Graph, op: Op) -> bool:
    """Tell whether an op of several sweeps has temperatures that differ from sweep to sweep."""
    if not isinstance(op, sampling.Gibbs | sampling.GibbsSweeps):
        return False
    shape = op.T.type.shape if op.T.type is not None else ()
    source = graph.producers[op.T.name]
    rows = source.value.numpy if isinstance(source, core.Constant) else None
    return len(shape) == 2 and shape[0] > 1 and (rows is None or bool(np.any(rows != rows[:1])))


def _moves(graph: Graph, op: Op, timed: Collection[str]) -> bool:
    behind = _before(graph, _temperatures(op))
    clocked = any(isinstance(source, CLOCKS) or getattr(source, "name", None) in timed for source in behind)
    return clocked or by_sweep(graph, op)


def _temperatures(op: Op) -> Iterator[Value]:
    for name, spec in op.operand_specs.items():
        value = getattr(op, name)
        if spec.role is Role.temperature and value is not None:
            yield value


def _before(graph: Graph, values: Iterable[Value]) -> list[Op]:
    """Return the ops that act on these values."""
    stack = list(values)
    seen, ops = {value.name for value in stack}, []
    while stack:
        source = graph.producers[stack.pop().name]
        ops.append(source)
        fresh = [value for value in source.inputs if value.name not in seen]
        seen.update(value.name for value in fresh)
        stack += fresh
    return ops
