"""Whether torch can run a graph, and whether a gradient reaches each of its trainable parameters."""

from __future__ import annotations

from collections.abc import Iterator

from thermoc.ir.dialects.core import Output
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.values import Value
from thermoc.learning.gradient_table import GRADIENTS, GradientRule
from thermoc.support.errors import Finding, ThermocError

ON_CHIP = "loihi"
"""The dialect that torch cannot run: its meaning is in integers that wrap."""


def check_gradients(graph: Graph, rounding: str) -> None:
    """Raise T221 for ops that torch cannot run, and for trainable parameters that no output has a gradient in."""
    stuck = [op for op in graph.ops if op.opname.partition(".")[0] == ON_CHIP]
    findings = [
        Finding(code="T221", what=f"{op.opname} has no form in torch", where=op.location, notes=(GRADIENTS.reason(op),))
        for op in stuck
    ]
    for name, parameter in graph.parameters.items():
        if not parameter.trainable or not parameter.y.dtype.is_float or findings:
            continue
        blocked = _blocked(graph, parameter, rounding)
        if blocked is not None:
            findings.append(_finding(name, blocked))
    if findings:
        raise ThermocError(findings)


def _finding(name: str, blocked: dict[Op, str]) -> Finding:
    notes = tuple(f"{op.opname} (%{op.results[0].name}): {reason}" for op, reason in blocked.items())
    return Finding(
        code="T221",
        what=f"no output has a gradient in parameter {name!r}",
        where=next(iter(blocked)).location if blocked else None,
        notes=notes or ("no output depends on it",),
        hint="make it a constant or tc.parameter(..., trainable=False), or let it act on an output by other ops",
    )


def _blocked(graph: Graph, start: Op, rounding: str) -> dict[Op, str] | None:
    """Return the ops that a gradient on its way to a parameter ends at, with reasons; None where it arrives."""
    blocked: dict[Op, str] = {}
    stack, visited = list(start.results), {value.name for value in start.results}
    while stack:
        value = stack.pop()
        for op in graph.consumers.get(value.name, ()):
            if isinstance(op, Output):
                return None
            reason = _reason(op, value, rounding)
            if reason:
                blocked[op] = reason
                continue
            fresh = [result for result in _floats(op) if result.name not in visited]
            visited.update(result.name for result in fresh)
            stack += fresh
    return blocked


def _reason(op: Op, value: Value, rounding: str) -> str:
    """Return why no gradient goes through an op to one of its operands, "" where one does."""
    gradient: GradientRule | None = GRADIENTS.find(op)
    if gradient is None:
        return GRADIENTS.reason(op)
    names = {name.partition("[")[0] for name, operand in op.operand_values if operand.name == value.name}
    if names <= set(gradient.without):
        return f"none goes through its operand {', '.join(sorted(names))}"
    if op.opname == "core.floor" and rounding == "zero":
        return 'rounding="zero" gives it no slope'
    return "" if any(True for _ in _floats(op)) else "its results are whole numbers"


def _floats(op: Op) -> Iterator[Value]:
    return (value for value in op.results if value.dtype.is_float)
