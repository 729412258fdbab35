"""Interval analysis: between what each value lies, from the range of a network's inputs.

Every value starts unbounded, or at what its op can give whatever goes in (a p-bit, a hyperbolic tangent, a share), and
each round narrows what follows from it, states and cycles included: the ranges hold after any number of rounds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from thermoc.ir.dialects import core
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.types import Role
from thermoc.passes.analysis.interval_rules import RULES, Range
from thermoc.passes.analysis.interval_states import STATE_RULES, UNBOUNDED

__all__ = ["RULES", "STATE_RULES", "UNBOUNDED", "Range", "culprit", "intervals", "ranges"]

ROUNDS = 16
UNIT = (0.0, 1.0)


def ranges(graph: Graph, inputs: tuple[float, float]) -> Mapping[str, Range]:
    """Return the range of every value that is bounded, by name; inputs lie in the range given, spikes in [0, 1]."""
    return {name: held for name, held in intervals(graph, inputs).items() if bounded(held)}


def intervals(graph: Graph, inputs: tuple[float, float]) -> dict[str, Range]:
    """Return the range of every value by name, infinite where it has no bound."""
    found = {
        value.name: Range(np.full(value.shape, -np.inf), np.full(value.shape, np.inf))
        for op in graph.ops
        for value in op.results
    }
    for _ in range(ROUNDS):
        moved = [_narrowed(op, found, inputs) for op in graph.order]
        if not any(moved):
            break
    return found


def bounded(held: Range) -> bool:
    """Whether every element lies between finite numbers."""
    return bool(np.isfinite(held.low).all() and np.isfinite(held.high).all())


def culprit(graph: Graph, found: Mapping[str, Range], name: str) -> tuple[Op, str]:
    """Return the op on account of which a value has no bound, and why: the first on the way back to the inputs."""
    seen: set[str] = set()
    while True:
        op = graph.producers[name]
        seen |= {value.name for value in op.results}
        before = [v.name for v in op.inputs if v.name in found and not bounded(found[v.name]) and v.name not in seen]
        if type(op) in UNBOUNDED or not before:
            return op, UNBOUNDED.get(type(op), "what enters it has bounds, and its result has none")
        name = before[0]


def _narrowed(op: Op, found: dict[str, Range], inputs: tuple[float, float]) -> bool:
    """Narrow the ranges of an op's results; return whether any moved."""
    moved = False
    with np.errstate(all="ignore"):
        made = _results(op, found, inputs)
    for value, held in zip(op.results, made):
        if held is None:
            continue
        old = found[value.name]
        low = np.fmax(old.low, np.where(np.isnan(held.low), -np.inf, held.low))
        high = np.fmin(old.high, np.where(np.isnan(held.high), np.inf, held.high))
        if (low > old.low).any() or (high < old.high).any():
            found[value.name], moved = Range(low, high), True
    return moved


def _results(op: Any, found: Mapping[str, Range], inputs: tuple[float, float]) -> tuple[Range | None, ...]:
    """Return the range of each result."""
    if isinstance(op, core.Constant):
        number = op.value.numpy.astype(float)
        return (Range(number, number),)
    if isinstance(op, core.Input):
        low, high = UNIT if op.role in (Role.spike, Role.probability) else inputs
        return (Range(np.full(op.shape, float(low)), np.full(op.shape, float(high))),)
    operands = [found[value.name] for value in op.inputs]
    if type(op) in STATE_RULES:
        return STATE_RULES[type(op)](op, **{n: found[v.name] for n, v in op.operand_values})
    rule = RULES.get(type(op))
    return (rule(op, *operands) if rule is not None else None,)
