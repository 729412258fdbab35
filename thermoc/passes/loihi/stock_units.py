"""Populations that Lava brings none of, in terms of LIF units and noise that the host draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from thermoc.ir.dialects import core, thermo
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.values import Value
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Log
from thermoc.passes.expand.table import sample_binary
from thermoc.passes.rewriting import Rewriter, rewrite


@dataclass(frozen=True, kw_only=True)
class StockUnits(Pass):
    """Let a p-bit be a LIF unit that keeps nothing and receives T logit(u) from the host; a thermal ReLU that is only
    compared with uniform noise be its drive: u > 0, so its sign does not matter.
    """

    name: ClassVar[str] = "stock-units"

    def run(self, graph: Graph, log: Log) -> Graph:
        for op in graph.of(thermo.SampleBinary):
            log.changed(f"noise of {op.s}", old="drawn by the unit", new="drawn by the host", bound="none: one law")
        compared = frozenset(op.y.name for op in graph.of(thermo.ThermalRelu) if _compared(graph, op.y, 0))
        relu = {thermo.ThermalRelu: _drive} if compared else {}

        def keep(op: Op) -> bool:
            return isinstance(op, thermo.ThermalRelu) and op.y.name not in compared

        return rewrite(graph, {thermo.SampleBinary: sample_binary, **relu}, keep=keep)


def _drive(op: thermo.ThermalRelu, w: Rewriter) -> Value:
    """x - T: max(., 0) > c u and . > c u are the same for u > 0."""
    return w.sub(op.x, op.T)


def _compared(graph: Graph, value: Value, depth: int) -> bool:
    """Tell whether every reader asks only whether a positive multiple of the value is above uniform noise."""
    readers = graph.consumers.get(value.name, ())
    return bool(readers) and all(_asks(graph, op, value, depth) for op in readers)


def _asks(graph: Graph, op: Op, value: Value, depth: int) -> bool:
    if isinstance(op, core.Greater) and op.inputs[0].name == value.name:
        return isinstance(graph.producers[op.inputs[1].name], thermo.Uniform)
    if isinstance(op, core.Div | core.Mul) and op.inputs[0].name == value.name and depth < 2:
        factor = graph.producers[op.inputs[1].name]
        positive = isinstance(factor, core.Constant) and bool((factor.value.numpy > 0).all())
        return positive and _compared(graph, op.results[0], depth + 1)
    return False
