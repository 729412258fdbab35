"""Why an op has no node: what it means beyond what NIR's says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from thermoc.frontends.nir.ops import (
    PRODUCT,
    SUM,
    UNIT_FIELDS,
    NodeSite,
    factor,
    is_same,
    joined,
    no_node,
    number,
    summed,
    uneven,
)
from thermoc.ir.dialects import core, spiking
from thermoc.ir.ops import Op
from thermoc.ir.values import Value
from thermoc.support.errors import Finding, ThermocError

ENDS = (core.Input, core.Output, core.Probe)
PLAIN = (core.Affine, core.Conv, core.Pool, core.Flatten, core.Reshape, core.Delay)
KNOWN = frozenset({*ENDS, *PLAIN, SUM, PRODUCT, spiking.Scale, spiking.Threshold, *UNIT_FIELDS})


def refusals(site: NodeSite) -> list[Finding]:
    """Return what is wrong with every op of a graph (T509)."""
    findings: list[Finding] = []
    for op in site.graph.ops:
        try:
            if not isinstance(op, core.Constant):
                _whole(site, op)
        except ThermocError as problem:
            findings += problem.findings
    return findings


def _whole(site: NodeSite, op: Any) -> None:
    """Raise T509 where an op has no node."""
    if type(op) not in KNOWN:
        raise no_node(op, "its nodes are linear maps, pooling, delays and NIR's own units")
    for value in op.results[1:]:
        if site.graph.consumers.get(value.name):
            raise no_node(op, f"its result {value} is read; a node has one output, the first result")
    for name, spec in op.operand_specs.items():
        operand = getattr(op, name)
        if spec.uniform and operand is not None:
            number(site, op, name)
        elif isinstance(operand, Value) and type(op) is not PRODUCT and isinstance(site.source(operand), core.Constant):
            raise no_node(op, f"{name} is a constant, which no node gives")
    for problem in _linear(site, op):
        raise problem


def _linear(site: NodeSite, op: Op) -> Iterator[ThermocError]:
    if isinstance(op, core.Affine) and len(op.x.shape) != 1:
        yield no_node(op, f"x has shape {list(op.x.shape)}; NIR's Affine takes a vector")
    if isinstance(op, core.Delay) and np.any(number(site, op, "initial")):
        yield no_node(op, "initial is not 0, what NIR's Delay starts with")
    if isinstance(op, core.Pool) and (op.kind == "max" or len(op.x.shape) != 3):
        yield no_node(op, f"it takes the {op.kind} over {len(op.x.shape) - 1} axes; NIR has sums and means over two")
    if isinstance(op, (core.Pool, core.Conv)) and uneven(op) and not is_same(op):
        yield no_node(op, f"padding {op.padding} is not the same on both sides")
    if isinstance(op, core.Reshape):
        joined(op)
    if type(op) is PRODUCT:
        factor(site, op)
    if type(op) is SUM:
        parts = summed(site, op.results[0])
        # Edges are a set: a value that is added to itself would be read back once.
        if len(set(parts)) != len(parts) or any(value.shape != op.results[0].shape for value in parts):
            yield no_node(op, "it adds a value to itself, or one of another shape; edges that meet add different ones")
