"""The pass that writes maxima and minima between units of Loihi as differences that are rectified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from thermoc.ir.dialects import core
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Log
from thermoc.passes.loihi.regions import regions
from thermoc.passes.rewriting import Expression, Rewriter, rewrite


@dataclass(frozen=True, kw_only=True)
class Extrema(Pass):
    """Write max(a, b) as b + max(a - b, 0), min(a, b) as a - max(a - b, 0), where they stand between units of Loihi:
    its graded units are silent below 0, and their sums are synapses. Errors: T205 (an op has no form on Loihi).
    """

    name: ClassVar[str] = "extrema"

    def run(self, graph: Graph, log: Log) -> Graph:
        between = regions(graph).on_loihi if graph.of(core.Maximum) or graph.of(core.Minimum) else frozenset[str]()
        written = {name for name in between if _is_extremum(graph.producers[name], graph)}
        for name in sorted(written):
            log.changed(f"%{name}", old=graph.producers[name].opname, new="a rectified difference", bound="none: equal")
        forms = {core.Maximum: _maximum, core.Minimum: _minimum}
        return rewrite(graph, forms, keep=lambda op: op.results[0].name not in written)


def _is_extremum(op: Op, graph: Graph) -> bool:
    if not isinstance(op, core.Maximum | core.Minimum):
        return False
    return isinstance(op, core.Minimum) or not any(_zero(graph.producers[value.name]) for value in op.inputs)


def _zero(op: Op) -> bool:
    return isinstance(op, core.Constant) and not op.value.numpy.any()


def _maximum(op: Any, w: Rewriter) -> Expression:
    # A constant is added as a bias, and takes no synapse.
    a, b = (op.a, op.b) if w.known(op.a) is None else (op.b, op.a)
    return w.maximum(w[a] - b, 0.0) + b


def _minimum(op: Any, w: Rewriter) -> Expression:
    a, b = (op.a, op.b) if w.known(op.b) is None else (op.b, op.a)
    return w[a] - w.maximum(w[a] - b, 0.0)
