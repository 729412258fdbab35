"""Splits a lowered graph at its borders: what the host does before the chip, what the chip does, what follows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from thermoc.backends.lava.emit import chip_ops, signals
from thermoc.ir.dialects.core import Input, Output
from thermoc.ir.graph import Graph
from thermoc.ir.ops import CLOCKED, STATEFUL, STOCHASTIC, Op
from thermoc.ir.values import Value


@dataclass(frozen=True, kw_only=True)
class Split:
    """before: a graph whose outputs are ``sources``; after: one with ``sinks`` among its inputs. Values by name."""

    before: Graph
    after: Graph
    sources: dict[str, Value]
    sinks: dict[str, Value]

    @property
    def steady(self) -> bool:
        """True where what comes before the chip is the same in every tick, if the inputs are."""
        return not any(op.traits & {STATEFUL, STOCHASTIC, CLOCKED} for op in self.before.ops)


def split(graph: Graph) -> Split:
    """Return the parts of a graph."""
    chip = chip_ops(graph)
    made = {value.name for op in chip for value in op.results}
    taken = {value.name: value for op in chip for value in signals(op) if value.name not in made}
    sources = {name: value for name, value in taken.items() if not _parameter(graph, value)}
    given = {value.name for op in graph.ops if op not in chip for value in op.inputs if value.name in made}
    sinks = {value.name: value for op in chip for value in op.results if value.name in given}
    ends = [Output(name=name, x=value) for name, value in sources.items()]
    before = graph.with_ops([*_behind(graph, sources.values(), ()), *ends])
    starts = [_input(value) for value in sinks.values()]
    outputs = graph.of(Output)
    after = graph.with_ops([*starts, *_behind(graph, [op.x for op in outputs], made), *outputs])
    return Split(before=before, after=after, sources=sources, sinks=sinks)


def _parameter(graph: Graph, value: Value) -> bool:
    """Tell whether a value is a number that the unit itself holds: a constant temperature or noise."""
    return graph.producers[value.name].opname == "core.constant"


def _input(value: Value) -> Input:
    assert value.type is not None
    kind = value.type
    return Input(name=value.name, shape=kind.shape, dtype=kind.dtype, role=kind.role, y=value)


def _behind(graph: Graph, values: Iterable[Value], stop: Iterable[str]) -> list[Op]:
    """Return the ops that some values depend on, in the graph's order, not looking behind the names of ``stop``."""
    stopped, needed, stack = set(stop), set(), [value.name for value in values]
    while stack:
        name = stack.pop()
        op = graph.producers.get(name)
        if name in stopped or op is None or id(op) in needed:
            continue
        needed.add(id(op))
        stack += [value.name for value in op.inputs]
    return [op for op in graph.ops if id(op) in needed]
