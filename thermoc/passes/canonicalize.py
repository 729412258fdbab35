"""Canonicalize a graph: fold constants, merge equal ops, drop dead ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from thermoc.ir.dialects import core
from thermoc.ir.graph import Graph, replaced
from thermoc.ir.ops import Op
from thermoc.ir.parameters import fits
from thermoc.ir.reference import evaluate
from thermoc.ir.values import Array, Value
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Log


@dataclass(frozen=True, kw_only=True)
class Canonicalize(Pass):
    """Fold pure ops of constants, drop ops that change nothing, merge equal ops, drop what no output needs.

    Equal delays hold equal states, so they merge too; no two inputs share a name and no two ops a noise.
    Folding uses the reference interpreter. Inputs stay, used or not: they are the network's interface.
    """

    name: ClassVar[str] = "canonicalize"
    folds: ClassVar[bool] = True

    def run(self, graph: Graph, log: Log) -> Graph:
        return drop_dead(_folded_and_merged(graph))


def _folded_and_merged(graph: Graph) -> Graph:
    """One sweep in dataflow order, so that what one fold makes constant the next op sees."""
    constants: dict[str, core.Constant] = {}
    unique: dict[Any, Op] = {}
    renames: dict[str, Value] = {}
    replacements: dict[int, list[Op]] = {}
    position = {id(op): index for index, op in enumerate(graph.ops)}
    for original in graph.order:
        op = replaced(renames, original)
        same = _identity(op)
        if same is not None:
            # Through the renames, for the operand itself may have been dropped.
            renames[op.results[0].name] = renames.get(same.name, same)
            continue
        remaining: list[Op] = []
        for item in _folded(op, constants):
            # Outputs have no results, and two of one value are two outputs.
            twin = unique.setdefault(_key(item), item) if item.results else item
            if twin is not item:
                renames.update(zip((value.name for value in item.results), twin.results))
                continue
            if isinstance(item, core.Constant):
                constants[item.y.name] = item
            remaining.append(item)
        replacements[position[id(original)]] = remaining
    # Ops keep the order they were written in, which is that of the printed text, whatever order they were folded in.
    return graph.with_ops(replaced(renames, op) for index in sorted(replacements) for op in replacements[index])


def _key(op: Op) -> Any:
    fields = [(name, getattr(op, name)) for name in (*op.operand_specs, *op.attr_specs)]
    return (op.opname, tuple(fields), tuple(value.type for value in op.results))


def _folded(op: Op, constants: dict[str, core.Constant]) -> list[Op]:
    """Return constants in place of a pure op whose operands are all constant, else the op."""
    sources = [constants[value.name] for value in op.inputs if value.name in constants]
    if not sources or len(sources) < len(op.inputs) or not op.pure() or isinstance(op, core.Output):
        return [op]
    size = sum(source.value.numpy.size for source in sources)
    if not all(fits(value, size) for value in op.results):
        return [op]
    arrays = evaluate(op, {source.y: source.value.numpy for source in sources})
    # No constant is infinite: log 0, which a model may mean, stays computed.
    if not all(np.isfinite(array).all() for array in arrays):
        return [op]
    return [
        core.Constant(value=Array(array), role=value.role, y=value, location=op.location)
        for value, array in zip(op.results, arrays, strict=True)
    ]


def _identity(op: Op) -> Value | None:
    """Return the operand that the op returns unchanged, if it is such an op."""
    rule = IDENTITIES.get(type(op))
    return op.inputs[0] if rule is not None and op.inputs[0].type == op.results[0].type and rule(op) else None


IDENTITIES: dict[type[Op], Callable[[Any], bool]] = {
    core.Reshape: lambda op: True,
    core.Flatten: lambda op: True,
    core.Broadcast: lambda op: True,
    core.Cast: lambda op: True,
    core.Slice: lambda op: True,
    core.Transpose: lambda op: op.axes == tuple(range(len(op.axes))),
    core.Concat: lambda op: len(op.xs) == 1,
}
"""When an op whose result has its operand's type changes nothing; any other op is taken to change something."""


def drop_dead(graph: Graph) -> Graph:
    """Return the graph without ops that no output needs; inputs stay."""
    live: set[str] = set()
    stack: list[Op] = [*graph.of(core.Output)]
    while stack:
        for value in stack.pop().inputs:
            if value.name not in live:
                producer = graph.producers[value.name]
                live.update(result.name for result in producer.results)
                stack.append(producer)
    return graph.with_ops(
        op for op in graph.ops if isinstance(op, (core.Input, core.Output)) or any(v.name in live for v in op.results)
    )
