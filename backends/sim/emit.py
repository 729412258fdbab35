"""A lowered graph as a program."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.sim.rows import loihi as loihi_rows
from thermoc.backends.sim.rows.spiking import listed
from thermoc.backends.sim.rows.table import WRITERS
from thermoc.backends.sim.rows.writer import ProgramWriter
from thermoc.ir.dialects.core import Constant, Delay
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.parameters import ParameterCone
from thermoc.ir.types import DType
from thermoc.ir.values import Value
from thermoc.simulator import Bank, Program, ProgramPort, ProgramState
from thermoc.simulator.instructions.declaration import ROW
from thermoc.simulator.instructions.ports import INT_WRITE, WRITE, WRITE_LIST
from thermoc.simulator.program import Form


def emit(graph: Graph) -> Program:
    """Return the program of a graph that holds the target's ops alone. Errors: T301."""
    cone = ParameterCone(graph)
    real = _real(graph, cone)
    writer = ProgramWriter(graph, real, cone)
    computed = {id(op) for op in cone.ops}
    inputs = _ports({name: op.y.inferred for name, op in graph.inputs.items()})
    outputs = _ports({name: op.x.inferred for name, op in graph.outputs.items()})
    writer.listed = listed(graph)
    states = _states(graph, writer)
    writer.ports = {"core.input": {p.name: p for p in inputs}, "core.output": {p.name: p for p in outputs}}
    writer.states = {state.name: state for state in states}
    for op in graph.order:
        if not isinstance(op, Constant) and id(op) not in computed:
            WRITERS[type(op)](op, writer)
    # States that others read in place change only after all have read them.
    for op in graph.order:
        if type(op) in loihi_rows.LAST:
            loihi_rows.LAST[type(op)](op, writer)
    # Delays come last: every value of the tick is there by then.
    for op in graph.of(Delay):
        state = writer.states[f"{op.y.name}.buffer"]
        lists = op.y.name in writer.listed
        instruction = WRITE_LIST if lists else WRITE if op.x.dtype.is_float else INT_WRITE
        slot = writer.list_slot(op.x) if lists else writer.slot(op.x)
        writer.row(instruction, -1, (slot,), offset=state.offset, ticks=state.ticks)
    return Program(
        name=graph.name,
        dt=graph.dt,
        precision=real.name,
        code=np.array(writer.code, np.int64).reshape(-1, ROW),
        slots=np.array(writer.slots, np.int64).reshape(-1, 3),
        floats=_joined(writer.constants[Bank.FLOAT_CONSTANT], real),
        ints=_joined(writer.constants[Bank.INT_CONSTANT], np.dtype(np.int64)),
        table=_joined(writer.tables, np.dtype(np.int32)),
        work=(writer.used[Bank.FLOAT_WORK], writer.used[Bank.INT_WORK]),
        inputs=inputs,
        outputs=outputs,
        states=states,
        parameters=tuple(writer.parameters),
    )


def _joined(parts: list[NDArray], dtype: np.dtype) -> NDArray:
    """Return parts end to end; the list is empty then, so that what is large is held once."""
    joined = np.concatenate([*parts, np.empty(0, dtype)])
    parts.clear()
    return joined


def starts(graph: Graph, cone: ParameterCone) -> dict[str, str]:
    """Return the states that start at what is computed of parameters, and the name of it."""
    ops = ((op, getattr(op, "initial", None)) for op in graph.ops)
    return {
        f"{op.results[0].name}.{name}": initial.name
        for op, initial in ops
        if isinstance(initial, Value) and initial.name in cone.border
        for name in op.states()
        if name != "held"
    }


def _real(graph: Graph, cone: ParameterCone) -> np.dtype:
    # One format for all floats is what set-precision leaves, but for what is computed before the first tick.
    values = (value for op in graph.ops for value in op.results if value.name not in cone.inner)
    floats = {value.dtype for value in values if value.dtype.is_float}
    return (floats.pop() if floats else DType.f64).numpy


def _ports(types) -> tuple[ProgramPort, ...]:
    used, ports = {False: 0, True: 0}, []
    for name, type_ in types.items():
        port = ProgramPort(
            name=name, shape=type_.shape, dtype=type_.dtype.numpy.name, offset=used[not type_.dtype.is_float]
        )
        used[port.integer] += port.size
        ports.append(port)
    return tuple(ports)


def _states(graph: Graph, writer: ProgramWriter) -> tuple[ProgramState, ...]:
    """Return delays as rings, of lists where their values are listed, and what other ops keep in place."""
    used, states = {False: 0, True: 0}, []

    def add(name: str, op: Op, first: NDArray | float, ticks: int, form: Form) -> None:
        type_ = op.results[0].inferred
        values = np.broadcast_to(first, (ticks, *type_.shape))
        initial = np.ascontiguousarray(values, type_.dtype.numpy)
        dtype = type_.dtype.numpy.name
        state = ProgramState(
            name=f"{op.results[0].name}.{name}",
            shape=type_.shape,
            dtype=dtype,
            ticks=ticks,
            offset=0,
            initial=initial,
            form=form,
        )
        states.append(replace(state, offset=used[state.integer]))
        used[state.integer] += state.size

    for op in graph.ops:
        if isinstance(op, Delay):
            form = Form.LISTS if op.y.name in writer.listed else Form.RING
            add("buffer", op, writer.numbers(op, "initial"), op.ticks, form)
            continue
        for name in op.states():
            if op.opname.startswith("loihi."):
                add(name, op, loihi_rows.start(op, name, writer), *loihi_rows.form(op, name))
            elif name == "held":
                add(name, op, 0.0, 1, Form.COUNTS)
            else:
                add(name, op, writer.numbers(op, "initial"), 1, Form.PLACE)
    return tuple(states)
