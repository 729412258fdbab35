"""Only ops the target holds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from thermoc.ir.graph import Graph
from thermoc.ir.parameters import ParameterCone
from thermoc.ir.target import TargetDescription
from thermoc.passes.base import Pass, Property
from thermoc.passes.change_log import Log
from thermoc.passes.expand.table import EXPANSIONS
from thermoc.passes.rewriting import rewrite
from thermoc.support.errors import Finding, ThermocError


def _before(graph: Graph, target: TargetDescription) -> frozenset[int]:
    """Return the ids of the ops that the reference computes before the first tick."""
    return frozenset(map(id, ParameterCone(graph).ops)) if target.folds else frozenset()


def held_by(target: TargetDescription) -> Property:
    """Every op is one the target holds."""

    def broken(graph: Graph) -> list[Finding]:
        before = _before(graph, target)
        return [
            Finding(
                code="T301",
                what=f"target {target.name!r} cannot hold {op.opname}" + (f" ({op.results[0]})" if op.results else ""),
                where=op.location,
                notes=(target.refused.get(op.opname, "it has no form there and no expansion into ops that do"),),
                hint="thermoc targets shows which targets hold it",
            )
            for op in graph.ops
            if op.opname not in target.ops and id(op) not in before
        ]

    return Property(f"ops of target {target.name}", broken)


@dataclass(frozen=True, kw_only=True)
class Legalize(Pass):
    """Write ops the target lacks in terms of ops it holds, then refuse what is left. Errors: T301 for each op."""

    name: ClassVar[str] = "legalize"

    target: TargetDescription = field(repr=False)

    @property
    def gives(self) -> tuple[Property, ...]:
        return (held_by(self.target),)

    def run(self, graph: Graph, log: Log) -> Graph:
        # A target that refuses an op by name has a reason to state, which an expansion would hide.
        missing = {
            cls: expand
            for cls, expand in EXPANSIONS.items()
            if cls.opname not in self.target.ops and cls.opname not in self.target.refused
        }
        before = _before(graph, self.target)
        graph = rewrite(graph, missing, keep=lambda op: id(op) in before)
        # Checked here, as the user's error: the check of promises after a pass would blame the pass.
        problems = held_by(self.target).broken(graph)
        if problems:
            raise ThermocError(problems)
        return graph
