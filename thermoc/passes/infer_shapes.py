"""Types for every value, from those that are given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from thermoc.ir.graph import Graph
from thermoc.ir.infer import retyped
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Log


@dataclass(frozen=True, kw_only=True)
class InferShapes(Pass):
    """Fill in the types that follow from others, along the dataflow, through cycles. Errors: T203 for what is left."""

    name: ClassVar[str] = "infer-shapes"
    untyped: ClassVar[bool] = True

    def run(self, graph: Graph, log: Log) -> Graph:
        return retyped(graph)
