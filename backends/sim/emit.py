"""A lowered graph as a program."""

from __future__ import annotations

import numpy as np

from thermoc.backends.sim.opcodes import WRITERS
from thermoc.backends.sim.writer import Writer, kind
from thermoc.ir.dialects.core import Constant, Delay
from thermoc.ir.graph import Graph
from thermoc.ir.types import DType
from thermoc.simulator import Bank, Opcode, Port, Program, State
from thermoc.simulator.opcodes import ROW


def emit(graph: Graph) -> Program:
    """Return the program of a graph that holds the target's ops alone. Errors: T301."""
    real = _real(graph)
    writer = Writer(graph, real)
    inputs = _ports({name: kind(op.y) for name, op in graph.inputs.items()})
    outputs = _ports({name: kind(op.x) for name, op in graph.outputs.items()})
    states = _states(graph, writer)
    writer.ports = {"core.input": {p.name: p for p in inputs}, "core.output": {p.name: p for p in outputs}}
    writer.rings = {state.name.rsplit(".", 1)[0]: state for state in states}
    for op in graph.order:
        if not isinstance(op, Constant):
            WRITERS[type(op)](op, writer)
    for op in graph.of(Delay):
        state, float_ = writer.rings[op.y.name], kind(op.x).dtype.is_float
        opcode = Opcode.WRITE if float_ else Opcode.INT_WRITE
        writer.row(opcode, -1, (writer.slot(op.x),), (state.offset, state.ticks))
    return Program(
        name=graph.name,
        dt=graph.dt,
        precision=real.name,
        code=np.array(writer.code, np.int64).reshape(-1, ROW),
        slots=np.array(writer.slots, np.int64).reshape(-1, 3),
        floats=np.concatenate([*writer.constants[Bank.FLOAT_CONSTANT], np.empty(0, real)]),
        ints=np.concatenate([*writer.constants[Bank.INT_CONSTANT], np.empty(0, np.int64)]),
        table=np.concatenate([*writer.tables, np.empty(0, np.int64)]),
        work=(writer.used[Bank.FLOAT_WORK], writer.used[Bank.INT_WORK]),
        inputs=inputs,
        outputs=outputs,
        states=states,
    )


def _real(graph: Graph) -> np.dtype:
    floats = {kind(value).dtype for op in graph.ops for value in op.results if kind(value).dtype.is_float}
    return (floats.pop() if floats else DType.f64).numpy


def _ports(types) -> tuple[Port, ...]:
    used, ports = {False: 0, True: 0}, []
    for name, type_ in types.items():
        port = Port(name=name, shape=type_.shape, dtype=type_.dtype.numpy.name, offset=used[not type_.dtype.is_float])
        used[port.integer] += port.size
        ports.append(port)
    return tuple(ports)


def _states(graph: Graph, writer: Writer) -> tuple[State, ...]:
    used, states = {False: 0, True: 0}, []
    for op in graph.of(Delay):
        type_ = kind(op.y)
        first = np.broadcast_to(writer.numbers(op, "initial"), (op.ticks, *type_.shape))
        state = State(
            name=f"{op.y.name}.buffer",
            shape=type_.shape,
            dtype=type_.dtype.numpy.name,
            ticks=op.ticks,
            offset=used[not type_.dtype.is_float],
            initial=np.ascontiguousarray(first, type_.dtype.numpy),
        )
        used[state.integer] += state.size
        states.append(state)
    return tuple(states)
