"""How spiking units, and products of spikes, become rows: states in place, spikes as lists of the units that fired."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.sim.rows.writer import ProgramWriter
from thermoc.ir.dialects import core, loihi, spiking, thermo
from thermoc.ir.graph import Graph
from thermoc.ir.types import Role
from thermoc.ir.values import Value
from thermoc.simulator.instructions.moves import SCATTER
from thermoc.simulator.instructions.products import SPARSE
from thermoc.simulator.instructions.spiking import (
    CHUNK,
    GREATER_EQUAL,
    LIF_STEP,
    LONGEST_REST,
    SPARSE_COLUMNS,
    SPARSE_LIST,
    SUBTRACT,
    TRACE_STEP,
)
from thermoc.support.errors import error


def listed(graph: Graph) -> frozenset[str]:
    """Return names of the values stored as lists: spikes of integrating units, delays of them that start as such."""
    names = {op.s.name for cls in (spiking.LifStep, loihi.LoihiLif) for op in graph.of(cls)}
    delays = [op for op in graph.of(core.Delay) if _starts_as_spikes(graph, op)]
    # A delay behind a delay of spikes is a list too, so the search goes on until it finds no more.
    while fresh := {op.y.name for op in delays if op.x.name in names} - names:
        names |= fresh
    return frozenset(names)


def _starts_as_spikes(graph: Graph, op: core.Delay) -> bool:
    source = graph.producers[op.initial.name]
    return isinstance(source, core.Constant) and bool(np.isin(source.value.numpy, (0, 1)).all())


def trace_step(op: spiking.TraceStep, w: ProgramWriter) -> None:
    """In place; a product of listed spikes adds to it what it would else have passed on."""
    source, result = w.graph.producers[op.x.name], w.state_slot(op, "g")
    w.put(op.g, result)
    keep = w.slot(op.keep)
    if isinstance(source, core.SparseAffine) and absorbed(source, w):
        w.row(TRACE_STEP, result, (-1, keep))
        _by_list(source, w, result, into=True)
    else:
        w.row(TRACE_STEP, result, (w.slot(op.x), keep))


def lif_step(op: spiking.LifStep, w: ProgramWriter) -> None:
    """A list of those that fire; the membrane is read where it is kept. Errors: T304."""
    if op.held > LONGEST_REST:
        what = f"{op.opname}: target 'sim' counts {LONGEST_REST:,} ticks of rest"
        raise error("T304", what, where=op.location, notes=[f"held = {op.held:,} ticks"], hint="take a longer dt")
    source = w.graph.producers[op.x.name]
    x = source.inputs if isinstance(source, core.Add) and absorbed(source, w) else (op.x,)
    slots = [w.slot(value) for value in x]
    # The kernel adds two inputs: zeros stand in for the second.
    if len(slots) == 1:
        slots.append(w.constant(np.zeros(op.x.size)))
    w.put(op.v, w.state_slot(op, "v"))
    counters = w.states[f"{op.s.name}.held"].offset if op.held else 0
    form = GREATER_EQUAL * (op.compare == "greater_equal") + SUBTRACT * (op.reset == "subtract")
    membranes = w.states[f"{op.s.name}.v"].offset
    places = {"membranes": membranes, "counters": counters}
    w.row(LIF_STEP, w.list_slot(op.s), (*slots, _parameters(op, w)), **places, form=form, refractory=op.held)


def sparse_affine(op: core.SparseAffine, w: ProgramWriter) -> None:
    """By rows; by columns where x is made of spikes, so that units that did not fire cost nothing.

    Of p-bits about half are up: to leave out the others would cost more than their terms.
    """
    if absorbed(op, w):
        return
    if op.x.name in w.listed:
        return _by_list(op, w, w.slot(op.y), into=False)
    bias = () if op.bias is None else (w.slot(op.bias),)
    if op.x.role is Role.spike and not _of_p_bits(op.x, w.graph):
        weights, tables = _columns(op, w)
        w.row(SPARSE_COLUMNS, w.slot(op.y), (weights, w.slot(op.x), *bias), **tables, into=0)
        return None
    offsets, columns = w.table(w.numbers(op, "offsets")), w.table(w.numbers(op, "columns"))
    w.row(SPARSE, w.slot(op.y), (w.slot(op.values), w.slot(op.x), *bias), offsets=offsets, columns=columns)
    return None


def _of_p_bits(value: Value, graph: Graph) -> bool:
    source = graph.producers[value.name]
    while isinstance(source, core.Delay):
        source = graph.producers[source.x.name]
    return isinstance(source, thermo.SampleBinary)


def absorbed(op: Any, w: ProgramWriter) -> bool:
    """True for an op whose only reader does its work: a trace adds spikes up, a unit adds two inputs up."""
    readers = w.graph.consumers[op.y.name]
    if len(readers) != 1 or readers[0].inputs.count(op.y) != 1:
        return False
    if isinstance(op, core.SparseAffine):
        return isinstance(readers[0], spiking.TraceStep) and op.bias is None and op.x.name in w.listed
    same = op.a.shape == op.b.shape == op.y.shape
    return isinstance(readers[0], spiking.LifStep) and same and readers[0].x == op.y


def finite(value: Value, w: ProgramWriter) -> bool:
    """Return whether a value is known to hold finite numbers alone: a parameter may be replaced."""
    source = w.graph.producers[value.name]
    return isinstance(source, core.Constant) and bool(np.isfinite(source.value.numpy).all())


def _by_list(op: core.SparseAffine, w: ProgramWriter, result: int, *, into: bool) -> None:
    bias = () if op.bias is None else (w.slot(op.bias),)
    weights, tables = _columns(op, w)
    w.row(SPARSE_LIST, result, (weights, w.list_slot(op.x), *bias), **tables, into=into)


def _columns(op: core.SparseAffine, w: ProgramWriter) -> tuple[int, dict[str, int]]:
    """Return the slot of the weights column by column, one where all are equal, and where starts and rows stand."""
    offsets, columns = w.numbers(op, "offsets"), w.numbers(op, "columns")
    source = w.graph.producers[op.values.name]
    values = source.value.numpy if isinstance(source, core.Constant) else None
    entries = np.arange(len(columns)) if values is None else values
    # SciPy counts entries into columns, in each by the order of rows.
    from scipy.sparse import csr_array

    by_column: Any = csr_array((entries, columns, offsets), shape=(len(offsets) - 1, op.x.size)).tocsc()
    tables = {"starts": w.table(by_column.indptr), "targets": w.table(by_column.indices)}
    if values is None:
        return w.arranged(op.values, by_column.data), tables
    equal = values.size > 0 and np.ptp(values) == 0
    return w.constant(by_column.data[:1] if equal else by_column.data), tables


def _parameters(op: spiking.LifStep, w: ProgramWriter) -> int:
    """Return the slot of the parameters: one number of each where all units are alike, else CHUNK of each by chunks."""
    values = [op.keep, op.gain, op.offset, op.v_threshold, op.v_reset if op.reset == "value" else None]
    alike = all(value is None or value.size == 1 for value in values)
    size = 1 if alike else CHUNK
    width = 1 if alike else CHUNK * max(1, -(-op.v.size // CHUNK))
    table = np.arange(len(values) * width).reshape(-1, len(values), size).swapaxes(0, 1).reshape(len(values), width)
    numbers_of = [_known(value, width, w) for value in values]
    constants = [numbers for numbers in numbers_of if numbers is not None]
    if len(constants) == len(values):
        return w.constant(np.concatenate(constants)[np.argsort(table.reshape(-1))])
    parameters = w.work(op.v.inferred.with_(shape=(len(values), width)))
    for value, numbers, places in zip(values, numbers_of, table):
        numbers_slot = w.constant(numbers) if numbers is not None else w.arranged(value, _index(value, width))
        w.row(SCATTER, parameters, (numbers_slot,), at=w.table(places))
    return parameters


def _known(value: Value | None, width: int, w: ProgramWriter) -> NDArray | None:
    """Return a parameter of each unit where it is a constant; zeros where there is none."""
    if value is None:
        return np.zeros(width)
    source = w.graph.producers[value.name]
    return source.value.numpy.reshape(-1)[_index(value, width)] if isinstance(source, core.Constant) else None


def _index(value: Value, width: int) -> NDArray:
    return np.arange(width) % value.size  # one for all, or one a unit
