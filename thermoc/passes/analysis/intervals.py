"""Interval analysis: the range of every value of a graph, from the range of its inputs.

Every value starts unbounded, or at what its op can give whatever goes in (a p-bit, a hyperbolic tangent, a share), and
each round narrows what follows from it, states and cycles included: the ranges hold after any number of rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from thermoc.ir.dialects import core
from thermoc.ir.graph import Graph
from thermoc.ir.op_table import OpTable
from thermoc.ir.ops import RISING, Op
from thermoc.ir.types import Role
from thermoc.passes.analysis.interval_rules import RULES, Range, rising
from thermoc.passes.analysis.interval_states import STATE_RULES, UNBOUNDED, UNBOUNDED_RESULTS

__all__ = ["INTERVALS", "RULES", "Range", "bounded", "culprit", "intervals", "ranges"]

ROUNDS = 16
SHARE = (0.0, 1.0)
"""The range of inputs that are spikes or probabilities, whatever range the others have."""
Operands = Mapping[str, Range]
Rule = Callable[[Any, Operands, tuple[float, float]], tuple[Range | None, ...]]
"""(op, ranges of its operands by name, range of the inputs) -> the range of each result, None where it has no bound."""


def ranges(graph: Graph, inputs: tuple[float, float]) -> Mapping[str, Range]:
    """Return the range of every value that is bounded, by name; inputs lie in the range given, spikes in [0, 1]."""
    return {name: range_ for name, range_ in intervals(graph, inputs).items() if bounded(range_)}


def intervals(graph: Graph, inputs: tuple[float, float]) -> dict[str, Range]:
    """Return the range of every value by name, infinite where it has no bound. Errors: T220 for an unknown op."""
    narrowest = {
        value.name: Range(np.full(value.shape, -np.inf), np.full(value.shape, np.inf))
        for op in graph.ops
        for value in op.results
    }
    # A cycle may narrow for ever, by less each round: what is left after some rounds holds all the same.
    for _ in range(ROUNDS):
        changed = [_narrow(op, narrowest, inputs) for op in graph.order]
        if not any(changed):
            break
    return narrowest


def bounded(interval: Range) -> bool:
    """Whether every element lies between finite numbers."""
    return bool(np.isfinite(interval.low).all() and np.isfinite(interval.high).all())


def culprit(graph: Graph, intervals: Mapping[str, Range], name: str) -> tuple[Op, str]:
    """Return the op on account of which a value has no bound, and why: the first on the way back to the inputs."""
    visited: set[str] = set()
    while True:
        op = graph.producers[name]
        visited |= {value.name for value in op.results}
        sources = [v.name for v in op.inputs if v.name in intervals and v.name not in visited]
        unbounded = [source for source in sources if not bounded(intervals[source])]
        why = INTERVALS.reason(op) or UNBOUNDED_RESULTS.get(type(op))
        if why or not unbounded:
            return op, why or "what enters it has bounds, and its result has none"
        name = unbounded[0]


def _narrow(op: Op, narrowest: dict[str, Range], inputs: tuple[float, float]) -> bool:
    """Narrow the ranges of an op's results; return whether any moved."""
    rule = INTERVALS.find(op)
    if rule is None:
        return False
    changed = False
    with np.errstate(all="ignore"):
        results = rule(op, {name: narrowest[value.name] for name, value in op.operand_values}, inputs)
    for value, result in zip(op.results, results):
        if result is None:
            continue
        old = narrowest[value.name]
        # Rounds only narrow: both ranges hold, so their intersection does. NaN, of infinities that met, says nothing.
        low = np.fmax(old.low, np.where(np.isnan(result.low), -np.inf, result.low))
        high = np.fmin(old.high, np.where(np.isnan(result.high), np.inf, result.high))
        if (low > old.low).any() or (high < old.high).any():
            narrowest[value.name], changed = Range(low, high), True
    return changed


def _constant(op: core.Constant, operands: Operands, inputs: tuple[float, float]) -> tuple[Range]:
    numbers = op.value.numpy.astype(float)
    return (Range(numbers, numbers),)


def _input(op: core.Input, operands: Operands, inputs: tuple[float, float]) -> tuple[Range]:
    low, high = SHARE if op.role in (Role.spike, Role.probability) else inputs
    return (Range(np.full(op.shape, float(low)), np.full(op.shape, float(high))),)


def _in_order(rule: Callable[..., Range | None]) -> Rule:
    return lambda op, operands, inputs: (rule(op, *operands.values()),)


def _by_name(rule: Callable[..., tuple[Range | None, ...]]) -> Rule:
    return lambda op, operands, inputs: rule(op, **operands)


INTERVALS: OpTable[Rule] = OpTable(
    what="an interval rule",
    name="intervals",
    where="thermoc/passes/analysis/interval_rules.py (RULES), or interval_states.py (STATE_RULES, UNBOUNDED)",
    entries={
        core.Constant: _constant,
        core.Input: _input,
        **{cls: _in_order(rule) for cls, rule in RULES.items()},
        **{cls: _by_name(rule) for cls, rule in STATE_RULES.items()},
    },
    refused=UNBOUNDED,
    follows={RISING: _in_order(rising)},
)
"""Ops by the ranges of their results."""
