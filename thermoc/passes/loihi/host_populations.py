"""Processes of the host between two parts of Loihi: for each value that Loihi reads of them, the ops behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from thermoc.ir.dialects import core
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.values import Value
from thermoc.passes.expand.table import EXPANSIONS
from thermoc.passes.loihi import linear_maps as maps
from thermoc.passes.loihi.drives import Drives, LinearDrive, Term
from thermoc.passes.loihi.population_types import HostPopulation
from thermoc.passes.loihi.regions import Regions
from thermoc.passes.rewriting import rewrite


def host_populations(graph: Graph, regions: Regions, drives: Drives) -> Iterator[HostPopulation]:
    """Yield a process for each value that the host computes between parts of Loihi and that an op of Loihi reads."""
    read = {
        value.name: value
        for op in graph.ops
        if regions.holds(op)
        for value in op.inputs
        if value.name in regions.between
    }
    for value in read.values():
        ops, inputs = _behind(graph, regions, value)
        for source in inputs:
            # A sum has no unit that could say it; one of its own hands it on.
            if not _says_itself(drives.of(source), source):
                drives.relayed(source)
        terms = tuple(Term(source=source.name, map=maps.identity(source.size)) for source in inputs)
        drive = LinearDrive(terms=terms, bias=np.zeros(value.size))
        op = graph.producers[value.name]
        yield HostPopulation(
            name=value.name,
            op=op,
            shape=value.shape,
            drive=drive,
            ops=tuple(ops),
            written_out=_written_out(graph, ops, inputs, value),
            value=value,
        )


def _behind(graph: Graph, regions: Regions, value: Value) -> tuple[list[Op], list[Value]]:
    """Return the host's ops behind a value in the order of a tick, and what they are given."""
    required, inputs, stack = set[str](), dict[str, Value](), [value]
    while stack:
        name = stack.pop().name
        if name in required:
            continue
        required.add(name)
        for source in graph.producers[name].inputs:
            if source.name in regions.between:
                stack.append(source)
            elif not isinstance(graph.producers[source.name], core.Constant):
                inputs[source.name] = source
    return [op for op in graph.order if any(result.name in required for result in op.results)], list(inputs.values())


def of_process(graph: Graph, ops: Iterable[Op], given: Iterable[Value], value: Value) -> Graph:
    """Return the ops of a process as a graph: inputs ``given.NAME`` of what it is given, the output ``said``."""
    ops = list(ops)
    read = {source.name for op in ops for source in op.inputs}
    constants = [op for op in graph.of(core.Constant) if op.y.name in read]
    inputs = [core.Input(name=f"given.{v.name}", shape=v.shape, dtype=v.dtype, role=v.role, y=v) for v in given]
    return graph.with_ops([*inputs, *constants, *ops, core.Output(name="said", x=value)])


def _written_out(graph: Graph, ops: list[Op], given: list[Value], value: Value) -> tuple[Op, ...]:
    """Return ops in core ops, with the constants they read."""
    compound = {cls: form for cls, form in EXPANSIONS.items() if not cls.opname.startswith("core.")}
    written = rewrite(of_process(graph, ops, given, value), compound)
    return tuple(op for op in written.order if op.results and not isinstance(op, core.Input))


def _says_itself(drive: LinearDrive, value: Value) -> bool:
    return len(drive.terms) == 1 and drive.terms[0].source == value.name and not drive.terms[0].delay
