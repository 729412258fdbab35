"""Split a network's ops into tasks that one core can do, and say what these send each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from thermoc.backends.chip.capacities import Capacities
from thermoc.backends.chip.products import couplings_of, split_energy, split_product, weights_of
from thermoc.backends.chip.samplers import needs_units, split_units
from thermoc.backends.chip.work_types import (
    ChipWork,
    Draft,
    ElementRange,
    Spans,
    TaskKind,
    draft,
    elements_read,
    even_cuts,
)
from thermoc.ir.dialects import core, crossbar, heat, langevin, loihi, sampling, spiking, thermo
from thermoc.ir.graph import Graph
from thermoc.ir.op_table import OpTable
from thermoc.ir.ops import CLOCKED, CURVED, EXACT, Op
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Log

VIEWS = (core.Reshape, core.Flatten, core.Cast, core.Broadcast, core.Tick)
"""Ops that move no number and take no time."""
_ONE = (
    *(core.Add, core.Sub, core.Mul),
    *(core.Pool, core.Reduce, core.Affine, core.SparseAffine, core.Conv, core.Matmul, crossbar.Mvm),
    *(spiking.Decode, spiking.LifStep, spiking.Scale, spiking.Threshold, spiking.TraceStep),
    *(thermo.Observables, thermo.OrderParameter, sampling.IsingEnergy),
    *(heat.Clamp, heat.EntropyProduction, heat.Reservoir),
    *(langevin.Bonds, langevin.BondForce, langevin.PairForce, langevin.KineticEnergy),
    *(cls for cls in vars(loihi).values() if isinstance(cls, type) and issubclass(cls, Op)),
)
VECTOR_PASSES: OpTable[int] = OpTable(
    what="a number of vector operations an element",
    name="vector",
    where="backends/chip/work.py (VECTOR_PASSES)",
    entries={
        # Exponentials and quotients take more than one.
        **dict.fromkeys((core.Exp, core.Div), 2),
        thermo.FermiDirac: 3,
        **dict.fromkeys((thermo.Boltzmann, thermo.MaxwellBoltzmann), 4),
        **dict.fromkeys(_ONE, 1),
    },
    refused=dict.fromkeys(
        (core.Input, core.Output, core.Probe, core.Constant, core.Parameter, core.Delay), "memory and ports serve it"
    ),
    # What moves or compares numbers is one operation, and so is a function that is looked up in a table.
    follows={EXACT: 1, CLOCKED: 1, CURVED: 1},
    scope=lambda cls: not needs_units(cls),
)
"""Of ops that the vector unit does; those that thermal units do are not among them."""


@dataclass(frozen=True, kw_only=True)
class SplitWork(Pass):
    """Work out the tasks of each op and the transfers between them; the graph stays. Errors: T305, T306."""

    name: ClassVar[str] = "split-work"

    chip: Capacities = field(repr=False)

    def run(self, graph: Graph, log: Log) -> Graph:
        log.keep(split_work(graph, self.chip))
        return graph


def split_work(graph: Graph, chip: Capacities) -> ChipWork:
    """Return the work of a typed graph. Errors: T305 where the chip lacks what an op needs, T306."""
    writing, watched = draft(graph, chip), _watched(graph)
    for op in graph.order:
        if id(op) not in watched and not isinstance(op, core.Stored) and not _costs_nothing(writing, op):
            _split(writing, op)
    for op, value in writing.late:  # the tasks that late operands come from may stand behind their readers
        result = op.results[0]
        for low, high, task in writing.lies[result.name]:
            writing.read(task, value, *elements_read(value.inferred, low, high, result.inferred), late=True)
    return writing.work()


def _watched(graph: Graph) -> set[int]:
    """Return the ids of probes and of ops that they alone need: the simulation looks, and the chip does nothing."""
    needed = _needed(graph, [op for op in graph.of(core.Output) if not isinstance(op, core.Probe)])
    return _needed(graph, graph.of(core.Probe)) - needed


def _needed(graph: Graph, ops: Sequence[Op]) -> set[int]:
    """Return the ids of ops and of all that they need, in this tick or from ticks before."""
    visited, stack = set[int](), list(ops)
    while stack:
        op = stack.pop()
        if id(op) not in visited:
            visited.add(id(op))
            stack += [graph.producers[value.name] for value in op.inputs]
    return visited


def _costs_nothing(draft: Draft, op: Op) -> bool:
    """True for views, and for what follows from the tick alone, which the host knows; their results then lie too."""
    if isinstance(op, core.Broadcast) and len(draft.lies.get(op.x.name, ())) > 1:
        return False  # elements from several cores meet on one
    by_host = op.results and all(v.name in draft.graph.uniform for v in op.results) and not op.states()
    if not isinstance(op, VIEWS) and not by_host:
        return False
    source = op.inputs[0] if op.inputs and isinstance(op, VIEWS) else None
    if source is not None and (spans := draft.lies.get(source.name)) is not None:
        for value in op.results:
            same = source.size == value.size
            draft.lies[value.name] = spans if same else [ElementRange(0, value.size, spans[0].task)]
    return True


def _split(draft: Draft, op: Op) -> None:
    """Write the tasks of one op."""
    draft.ops.append(op.results[0].name if op.results else f"output {getattr(op, 'name', '')}")
    if needs_units(op):
        split_units(draft, op)
    elif (matrix := weights_of(draft, op)) is not None:
        split_product(draft, op, matrix)
    elif isinstance(op, sampling.IsingEnergy) and (J := couplings_of(draft, op, op.s.size)) is not None:
        split_energy(draft, op, J)
    elif isinstance(op, core.Input):
        _split_memory(draft, op, TaskKind.load)
    elif isinstance(op, core.Output):
        _split_output(draft, op)
    elif isinstance(op, core.Delay):
        _split_memory(draft, op, TaskKind.store)
    else:
        _split_arithmetic(draft, op)
    draft.late += [(op, value) for value in op.inputs if value not in op.instant_inputs]


def _split_memory(draft: Draft, op: Any, kind: TaskKind) -> None:
    """Write loads or stores of at most a buffer's quarter each, one where that is enough."""
    (value,) = op.results
    limit = max(1, draft.chip.buffer // (4 * draft.chip.value_bytes))
    # A delay of several ticks stores each of them, so its pieces are that much smaller.
    cuts = even_cuts(value.size, max(1, limit // getattr(op, "ticks", 1)))
    draft.lies[value.name] = [ElementRange(low, high, draft.add(kind, low, high)) for low, high in cuts]


def _split_output(draft: Draft, op: core.Output) -> None:
    """Write an output: it leaves the chip from where its value lies."""
    for low, high, source in draft.lies.get(op.x.name, [ElementRange(0, op.x.size, -1)]):
        task = draft.add(TaskKind.output, low, high)
        if source >= 0:
            draft.send(source, task, draft.value_bytes(op.x, high - low))


def _split_arithmetic(draft: Draft, op: Op) -> None:
    """Write vector operations: elementwise ops stay where an operand of their shape lies, others gather on one core."""
    value = op.results[0]
    largest = max(v.size for v in (*op.inputs, *op.results))
    like = next((v for v in op.inputs if v.shape == value.shape and v.name in draft.lies), None)
    cuts = [(0, value.size)]
    if like is not None and op.elementwise():
        cuts = [(low, high) for low, high, _ in draft.lies[like.name]]
    spans: Spans = []
    for low, high in cuts:
        # A reduction takes as long as its operand, not as its result.
        elements = largest if len(cuts) == 1 else high - low
        task = draft.add(TaskKind.vector, low, high, elements=elements, passes=VECTOR_PASSES[type(op)])
        spans.append(ElementRange(low, high, task))
        for v in op.instant_inputs:
            alone = len(cuts) == 1
            draft.read(task, v, *((0, v.size) if alone else elements_read(v.inferred, low, high, value.inferred)))
    for v in op.results:
        draft.lies[v.name] = spans if v.size == value.size else [ElementRange(0, v.size, spans[0].task)]
