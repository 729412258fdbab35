"""Write broadcasts out, for kernels that know only equal shapes and single elements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from thermoc.ir.dialects import core, langevin, sampling
from thermoc.ir.graph import Graph, fresh_names
from thermoc.ir.ops import Op
from thermoc.ir.types import Shape
from thermoc.ir.values import Value
from thermoc.passes.base import Pass, Property
from thermoc.passes.change_log import Log
from thermoc.support.errors import Finding


def _implicit(op: Op) -> list[str]:
    """Return the operands that are spread to the result's shape; one element is read alike by all."""
    shape = op.results[0].shape if op.results else ()
    read = [(name, value.inferred) for name, value in op.operand_values if _spreads(op, name)]
    return [name for name, kind in read if kind.size != 1 and kind.shape != shape]


def _findings(graph: Graph) -> list[Finding]:
    spread = ((op, name) for op in graph.ops for name in _implicit(op))
    what = "{0.opname} ({0.results[0]}): operand {1} has another shape than the result"
    return [Finding(code="T201", what=what.format(op, name), where=op.location) for op, name in spread]


EXPLICIT = Property("elementwise operands of the result's shape", _findings)

SPREAD_BY_KERNEL = (sampling.GibbsSweeps, langevin.PairForce)
"""Ops whose kernels read operands shorter than their results; to write them out would cost a copy a tick."""


@dataclass(frozen=True, kw_only=True)
class ExplicitBroadcast(Pass):
    """Put a ``core.broadcast`` before each elementwise operand that has neither the result's shape nor one element."""

    name: ClassVar[str] = "explicit-broadcast"

    @property
    def gives(self) -> tuple[Property, ...]:
        return (EXPLICIT,)

    def run(self, graph: Graph, log: Log) -> Graph:
        names = fresh_names(graph)
        ops: list[Op] = []
        for op in graph.ops:
            changes: dict[str, Any] = {}
            for name in _implicit(op):
                value = dict(op.operand_values)[name]
                changes[name] = _broadcast(value, op.results[0].shape, names(f"{value.name}.whole"), ops, op)
            ops.append(op.with_(**changes) if changes else op)
        return graph.with_ops(ops)


def _spreads(op: Op, name: str) -> bool:
    """Tell whether an operand broadcasts to the op's first result at each tick.

    Starts of states are spread once by whoever makes the state, sums have no shape to spread to, and constants keep
    the shape that their op asks for.
    """
    # The operands of a variadic one are named xs[0], xs[1]; their spec stands under the name alone.
    spec = op.operand_specs[name.split("[")[0]]
    sums = not any(result.shape for result in op.result_specs.values())
    stays = name == "initial" or sums or spec.constant or isinstance(op, SPREAD_BY_KERNEL)
    return spec.shape.startswith("~") and not stays


def _broadcast(value: Value, shape: Shape, name: str, ops: list[Op], op: Op) -> Value:
    spread = Value(name, value.inferred.with_(shape=shape))
    ops.append(core.Broadcast(x=value, shape=shape, y=spread, location=op.location))
    return spread
