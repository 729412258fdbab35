"""A lowered graph becomes an ONNX file: layers, a whole run, or a step (see ``interface.Mode``)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

import thermoc
from thermoc.backends.onnx.artefact import OnnxArtefact, OnnxContent, model, properties, with_probes
from thermoc.backends.onnx.interface import Interface, Mode, StatePort, interface_of
from thermoc.backends.onnx.lower import Options
from thermoc.backends.onnx.ops import WRITTEN, advanced
from thermoc.backends.onnx.refusals import known, refuse
from thermoc.backends.onnx.scope import CONTROLS, Scope
from thermoc.backends.onnx.stored import store
from thermoc.backends.onnx.target import TARGET
from thermoc.backends.onnx.writer import NamedTensor, NodeWriter
from thermoc.ir.dialects.core import Delay, Input, Output
from thermoc.ir.graph import Graph, NameSource
from thermoc.ir.types import DType
from thermoc.support.errors import error

SEED_CONVENTION = (
    "Philox4x32-10; key: low and high word of seed; counter: element, tick, draw, stream; "
    "element = (first_sample + sample) * units + unit, tick = first_tick + place in the run"
)
UNITS = {"k_B": 1, "energy": "reduced", "temperature": "reduced (energy)", "time": "the network's unit of dt"}


def emit(lowered: Graph, options: Options, probes: Collection[str] = ()) -> OnnxArtefact:
    """Return the file of a lowered graph; of its probes it gives those that are named.

    Errors: T301 (what no node can say), T304 (too large for a file).
    """
    graph = with_probes(lowered, probes)
    refuse(graph)
    names = NameSource()
    interface = interface_of(graph, names, step=options.step)
    scope = Scope(graph=graph, interface=interface, writer=NodeWriter(names))
    for op, port in zip(graph.of(Delay), interface.states):
        # An initializer under the name of an input is its default, so a caller may leave states out.
        scope.defaults[port.tensor] = _initial(graph, op)
    outputs = _run(scope) if interface.mode is Mode.run else _once(scope)
    scope.writer.finish(outputs)
    _refuse_large(graph, scope)
    interface = replace(interface, controls=scope.controls)
    proto = model(
        _content(scope), version=thermoc.__version__, doc=_doc(graph, interface), metadata=_metadata(graph, interface)
    )
    store(proto, graph, interface)
    return OnnxArtefact(
        model=proto,
        interface=interface,
        graph=lowered,
        options=options,
    )


def _once(scope: Scope) -> dict[str, str]:
    """Write one tick; return the tensor behind each output."""
    graph, interface = scope.graph, scope.interface
    scope.tensors = {op.y.name: port.tensor for op, port in zip(graph.of(Input), interface.inputs)}
    scope.states = _entered(scope)
    _write_ops(scope)
    outputs = {port.tensor: scope.batched(op.x) for op, port in zip(graph.of(Output), interface.outputs)}
    finals = {
        port.final: _left(scope, port, advanced(op, scope)) for op, port in zip(graph.of(Delay), interface.states)
    }
    return outputs | finals


def _run(scope: Scope) -> dict[str, str]:
    """Write a loop over the ticks, with the states carried from each to the next."""
    graph, interface, w = scope.graph, scope.interface, scope.writer
    initial, ticks = _entered(scope), scope.ticks
    number = NamedTensor(name=w.name("tick"), dtype=np.dtype(np.int64), dims=())
    go_on = NamedTensor(name=w.name("continue"), dtype=np.dtype(bool), dims=())
    carried = [_carried(scope, port) for port in interface.states]
    # A Loop hands its body the iteration, the condition and then what is carried.
    w.enter([number, go_on, *carried])
    scope.iteration = number.name
    scope.states = {op.y.name: tensor.name for op, tensor in zip(graph.of(Delay), carried)}
    scope.tensors = {
        op.y.name: w("Gather", port.tensor, number.name, axis=0) for op, port in zip(graph.of(Input), interface.inputs)
    }
    _write_ops(scope)
    after = [replace(tensor, name=advanced(op, scope)) for op, tensor in zip(graph.of(Delay), carried)]
    out = [_returned(scope, op) for op in graph.of(Output)]
    body = w.leave([number, go_on, *carried], [go_on, *after, *out])
    results = w.loop(ticks, [initial[op.y.name] for op in graph.of(Delay)], body)
    finals = {port.final: _left(scope, port, tensor) for port, tensor in zip(interface.states, results)}
    return finals | {port.tensor: tensor for port, tensor in zip(interface.outputs, results[len(carried) :])}


def _write_ops(scope: Scope) -> None:
    # ONNX wants each node behind all that it reads.
    for op in scope.graph.order:
        if op.results and not isinstance(op, Input):
            scope.writer.subject = op.results[0].name
            scope.tensors[op.results[0].name] = WRITTEN[type(op)](op, scope)


def _entered(scope: Scope) -> dict[str, str]:
    """Return each state as a tick holds it: over the whole batch, or without the batch axis where uniform."""
    w = scope.writer
    return {
        op.y.name: w("Squeeze", port.tensor, w.integers(0)) if port.uniform else scope.repeated(port.tensor, port.shape)
        for op, port in zip(scope.graph.of(Delay), scope.interface.states)
    }


def _left(scope: Scope, port: StatePort, tensor: str) -> str:
    return scope.writer("Unsqueeze", tensor, scope.writer.integers(0)) if port.uniform else tensor


def _carried(scope: Scope, port: StatePort) -> NamedTensor:
    dims = port.shape if port.uniform else port.returned
    return NamedTensor(name=scope.writer.names(f"{port.name}/carried"), dtype=DType(port.dtype).numpy, dims=dims)


def _returned(scope: Scope, op: Output) -> NamedTensor:
    kind = op.x.inferred
    return NamedTensor(name=scope.batched(op.x), dtype=kind.dtype.numpy, dims=("batch", *kind.shape))


def _content(scope: Scope) -> OnnxContent:
    interface = scope.interface
    ports = [NamedTensor(name=p.tensor, dtype=DType(p.dtype).numpy, dims=interface.dims(p)) for p in interface.inputs]
    ports += [NamedTensor(name=t, dtype=np.dtype(CONTROLS[name][0]), dims=()) for name, t in scope.controls.items()]
    ports += [NamedTensor(name=p.tensor, dtype=DType(p.dtype).numpy, dims=p.given) for p in interface.states]
    used = [p for p in interface.parameters if p.tensor in scope.defaults]
    ports += [NamedTensor(name=p.tensor, dtype=DType(p.dtype).numpy, dims=p.shape) for p in used]
    outputs = [
        NamedTensor(name=p.tensor, dtype=DType(p.dtype).numpy, dims=interface.dims(p)) for p in interface.outputs
    ]
    outputs += [NamedTensor(name=p.final, dtype=DType(p.dtype).numpy, dims=p.returned) for p in interface.states]
    return OnnxContent(
        name=scope.graph.name,
        inputs=tuple(ports),
        outputs=tuple(outputs),
        nodes=tuple(scope.writer.nodes),
        constants=scope.writer.constants | scope.defaults,
    )


def _initial(graph: Graph, op: Delay) -> NDArray:
    """Return the state before the first tick, (1, ticks, *shape)."""
    start, kind = known(graph, op.initial), op.y.inferred
    assert start is not None, "refused before"
    return np.broadcast_to(start, (1, op.ticks, *kind.shape))


def _refuse_large(graph: Graph, scope: Scope) -> None:
    arrays = (*scope.writer.constants.values(), *scope.defaults.values())
    size, limit = sum(array.nbytes for array in arrays), TARGET.limits["file"]
    if size > limit.value:
        notes = [f"its arrays take {size} {limit.unit}", f"the limit is {limit.value} ({limit.source})"]
        raise error("T304", f"network {graph.name!r} does not fit into one ONNX file", notes=notes)


def _metadata(graph: Graph, interface: Interface) -> dict[str, str]:
    units = UNITS | {"dt": graph.dt}
    values = {
        "version": thermoc.__version__,
        "graph_hash": graph.hash,
        "units": units,
        "interface": interface.to_json(),
    }
    return properties(values | {"seed_convention": SEED_CONVENTION})


def _doc(graph: Graph, interface: Interface) -> str:
    return f"{graph.name}, compiled by thermoc for {interface.mode}. The interface is in the metadata."
