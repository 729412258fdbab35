"""Broadcasts written out, for kernels that know only equal shapes and single elements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from thermoc.ir.dialects import core, langevin, sampling
from thermoc.ir.graph import Graph, fresh_names
from thermoc.ir.ops import Op
from thermoc.ir.types import Shape
from thermoc.ir.values import Value
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Log


@dataclass(frozen=True, kw_only=True)
class ExplicitBroadcast(Pass):
    """Put a ``core.broadcast`` before each elementwise operand that has neither the result's shape nor one element."""

    name: ClassVar[str] = "explicit-broadcast"

    def run(self, graph: Graph, log: Log) -> Graph:
        names = fresh_names(graph)
        ops: list[Op] = []
        for op in graph.ops:
            changes: dict[str, Any] = {}
            for name, value in op.operand_values:
                if not _loose(op, name):
                    continue
                shape, kind = op.results[0].shape, value.inferred
                if kind.size != 1 and kind.shape != shape:
                    changes[name] = _broadcast(value, shape, names(f"{value.name}.whole"), ops, op)
            ops.append(op.with_(**changes) if changes else op)
        return graph.with_ops(ops)


def _loose(op: Op, name: str) -> bool:
    spec = op.operand_specs[name.split("[")[0]]
    starts, sums = name == "initial", not any(result.shape for result in op.result_specs.values())
    apart = starts or sums or spec.constant or isinstance(op, sampling.GibbsSweeps | langevin.PairForce)
    return spec.shape.startswith("~") and not apart


def _broadcast(value: Value, shape: Shape, name: str, ops: list[Op], op: Op) -> Value:
    whole = Value(name, value.inferred.with_(shape=shape))
    ops.append(core.Broadcast(x=value, shape=shape, y=whole, location=op.location))
    return whole
