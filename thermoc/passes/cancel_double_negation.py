"""Cancel signs that are turned twice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from thermoc.ir.dialects.core import Neg
from thermoc.ir.graph import Graph
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Log


@dataclass(frozen=True, kw_only=True)
class CancelDoubleNegation(Pass):
    """Replace -(-x) by x."""

    name: ClassVar[str] = "cancel-double-negation"

    def run(self, graph: Graph, log: Log) -> Graph:
        inner = {op.y.name: op.x for op in graph.of(Neg)}
        twice = {op.y.name: inner[op.x.name] for op in graph.of(Neg) if op.x.name in inner}
        return graph.with_ops(op.renamed(lambda value: twice.get(value.name, value)) for op in graph.ops)
