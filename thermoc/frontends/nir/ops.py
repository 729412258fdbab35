"""What a node is made of, read off an op: its constants, factors, joined axes, and the values that it sums."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.nir.nodes import NirNode
from thermoc.frontends.nir.shapes import same_padding
from thermoc.ir.dialects import core, spiking
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.values import Value
from thermoc.support.errors import ThermocError, error

UNIT_FIELDS: dict[type[Op], tuple[str, tuple[str, ...]]] = {
    spiking.I: ("I", ("r",)),
    spiking.If: ("IF", ("r", "v_threshold", "v_reset")),
    spiking.Li: ("LI", ("tau", "r", "v_leak")),
    spiking.Lif: ("LIF", ("tau", "r", "v_leak", "v_threshold", "v_reset")),
    spiking.CubaLi: ("CubaLI", ("tau_syn", "tau_mem", "r", "v_leak", "w_in")),
    spiking.CubaLif: ("CubaLIF", ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold", "v_reset", "w_in")),
}
SUM: type[Op] = core.Add
PRODUCT: type[Op] = core.Mul


@dataclass(kw_only=True)
class NodeSite:
    """A graph on its way to nodes: the name of the node behind each value (an output's is ``output NAME``)."""

    graph: Graph
    names: dict[str, str] = field(default_factory=dict)
    nodes: dict[str, NirNode] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)

    def source(self, value: Value) -> Any:
        """Return the op behind a value."""
        return self.graph.producers[value.name]

    def name(self, op: Any) -> str:
        """Return the name of an op's node."""
        return self.names[op.results[0].name if op.results else f"output {op.name}"]


def no_node(op: Op, fact: str, hint: str = "") -> ThermocError:
    """Return the error of an op that NIR has no node for."""
    name = f" ({op.results[0]})" if op.results else ""
    return error("T509", f"NIR has no node for {op.opname}{name}", where=op.location, notes=[fact], hint=hint)


def number(site: NodeSite, op: Op, name: str) -> NDArray:
    """Return a constant operand. Errors: T509 where it is computed."""
    source = site.source(getattr(op, name))
    if not isinstance(source, core.Constant):
        raise no_node(op, f"{name} is computed by {source.opname}; a node holds numbers")
    return source.value.numpy


def factor(site: NodeSite, op: Any) -> tuple[Value, NDArray]:
    """Return (x, s) of a product with a constant. Errors: T509."""
    for x, s in ((op.a, op.b), (op.b, op.a)):
        source = site.source(s)
        if isinstance(source, core.Constant) and x.shape == op.y.shape:
            return x, source.value.numpy
    raise no_node(op, "neither factor is a constant; NIR's Scale holds one")


def joined(op: core.Reshape) -> tuple[int, int]:
    """Return the first and last axis that a reshape joins. Errors: T509."""
    before, after = op.x.shape, op.shape
    spare = len(before) - len(after)
    for first in range(len(after) if spare >= 0 else 0):
        last = first + spare
        if (*before[:first], int(np.prod(before[first : last + 1])), *before[last + 1 :]) == after:
            return first, last
    raise no_node(op, f"from {list(before)} to {list(after)}; NIR's Flatten joins neighbouring axes")


def uneven(op: core.Conv | core.Pool) -> bool:
    """Return whether padding differs on the two sides of an axis."""
    return any(a != b for a, b in op.padding)


def is_same(op: core.Conv | core.Pool) -> bool:
    """Return whether padding is what the text ``same`` says: as many places as the input has, at a stride of 1."""
    if not isinstance(op, core.Conv):
        return False
    spans = [spread * (size - 1) for spread, size in zip(op.dilation, op.weight.shape[2:])]
    return max(op.stride) == 1 and op.padding == tuple(same_padding(spans))


def summed(site: NodeSite, value: Value) -> list[Value]:
    """Return the values that a value sums, through every add; itself where it is no sum."""
    terms, stack = [], [value]
    while stack:
        term = stack.pop()
        op = site.source(term)
        if isinstance(op, SUM):
            # b first, for a stack gives back the last: addends keep the order of the sum.
            stack += [op.b, op.a]  # pyright: ignore[reportAttributeAccessIssue]
        else:
            terms.append(term)
    return terms
