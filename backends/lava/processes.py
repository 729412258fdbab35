"""Lava processes of each op: one of Lava's own where it does Loihi's arithmetic, else one of ours.

Lava's own are taken wherever they can be: Intel's lava-loihi has models of them for the chip, ours are Python alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.lava.bounds import ONCE, WORD
from thermoc.backends.lava.writer import PackageWriter, Stated
from thermoc.ir.dialects import core, loihi
from thermoc.ir.element_indices import MOVES, indices, moved
from thermoc.ir.ops import Op
from thermoc.ir.values import Value

BYTE = 127
"""Lava's Conv keeps its window, stride, padding, dilation and groups in 8 bits."""


# --------------------------------------------------------------------------------------------------------- synapses


def _synapse(writer: PackageWriter, op: Any, function: str, weights: str, delays: NDArray | None, **attrs: Any) -> None:
    """Write a synapse: Lava's where its sums fit the 32 bits in which Lava adds, else ours."""
    process = writer.names[op.y.name]
    common = {"weight_exp": op.weight_exp, "message_bits": op.message_bits, "name": f'"{process}"'}
    rows = "None"
    if delays is not None:
        writer.arrays[f"{process}.delays"] = delays.astype(np.int32)
        rows = f'w["{process}.delays"]'
    if writer.bounds.sum(writer.graph, op) < WORD:
        how = {"delays": rows, "weight_bits": op.weight_bits, "sign_mode": f'"{op.sign_mode}"', "longest": op.longest}
        writer.call(process, f"wiring.{function}", "job", weights, **how, **common)
        writer.kinds[process] = "stock" if function == "dense" or not op.longest else "custom: synapse"
    else:
        common = {"wraps": False} | common
        writer.call(process, "wiring.synapse", "job", f"wiring.by_delay({weights}, {rows}, {op.longest})", **common)
        writer.kinds[process] = "custom: synapse"
    writer.procs.add("synapse")
    _buffer(writer, op, process)


def _dense(writer: PackageWriter, op: loihi.LoihiDense) -> None:
    process, weight = writer.name(op.y.name), writer.number(op.weight)
    assert weight is not None
    writer.arrays[f"{process}.weight"] = weight.astype(np.int32)
    _synapse(writer, op, "dense", f'w["{process}.weight"]', writer.number(op.delays))


def _sparse(writer: PackageWriter, op: loihi.LoihiSparse) -> None:
    process = writer.name(op.y.name)
    for name in ("values", "columns", "offsets"):
        array = writer.number(getattr(op, name))
        assert array is not None
        writer.arrays[f"{process}.{name}"] = array.astype(np.int32)
    entries = ", ".join(f'w["{process}.{name}"]' for name in ("values", "columns", "offsets"))
    _synapse(writer, op, "sparse", f"wiring.rows({entries}, {op.x.size})", writer.number(op.delays))


def _conv(writer: PackageWriter, op: loihi.LoihiConv) -> None:
    process, weight = writer.name(op.y.name), writer.number(op.weight)
    assert weight is not None
    writer.arrays[f"{process}.weight"] = weight.astype(np.int32)
    window = {name: getattr(op, name) for name in ("stride", "padding", "dilation", "groups")}
    # Lava's Conv pads both ends alike.
    even = all(before == after for before, after in op.padding)
    numbers = (*op.stride, *op.dilation, *(before for before, _ in op.padding), *op.weight.shape[2:], op.groups)
    stock = even and max(numbers) <= BYTE and op.weight_exp >= 0 and writer.bounds.sum(writer.graph, op) < WORD
    how = {"weight_exp": op.weight_exp, "message_bits": op.message_bits, "stock": stock, "name": f'"{process}"'}
    writer.call(process, "wiring.conv", "job", f'w["{process}.weight"]', shape=op.x.shape, **window, **how)
    writer.kinds[process] = "stock" if stock else "custom: synapse"
    writer.procs.add("synapse")
    _buffer(writer, op, process)


def _buffer(writer: PackageWriter, op: Any, process: str) -> None:
    writer.outs[op.y.name] = [f"{process}.out"]
    shape = op.states()["buffer"]
    writer.states.append(Stated(state=f"{op.y.name}.buffer", process=process, variable="buffer", shape=shape))


# ------------------------------------------------------------------------------------------------------------ units


def _unit(writer: PackageWriter, op: Op, ports: Mapping[str, str], *states: str) -> str:
    """Return the name of a unit's process; note its ports and states."""
    process = writer.name(op.results[0].name)
    for value, port in zip(op.results, ports.values()):
        writer.outs[value.name] = [f"{process}.{port}"]
    for name in states:
        shape = op.states()[name]
        writer.states.append(Stated(state=f"{op.results[0].name}.{name}", process=process, variable=name, shape=shape))
    return process


def _parameter(writer: PackageWriter, process: str, name: str, value: Value, units: Value) -> str:
    """Return how build.py writes a parameter of every unit."""
    array = writer.number(value)
    assert array is not None
    array = np.broadcast_to(array, units.shape).reshape(-1)
    return f"wiring.repeated(job, {writer.literal(process, name, array)}, {len(array)})"


def _lif(writer: PackageWriter, op: loihi.LoihiLif) -> None:
    process = _unit(writer, op, {"s": "s_out", "v": "v_out", "u": "u_out"}, "u", "v")
    read = any(writer.graph.consumers.get(value.name) for value in (op.v, op.u))
    bias = writer.number(op.bias_mant)
    assert bias is not None
    # Lava's LIF wraps a current once, and its states have no port.
    fits = writer.bounds[op.a] <= ONCE and not read  # Lava's LIF has no port for its states
    prompt = not op.lag or (writer.idle and op.du == 4095 and op.dv == 4096)
    # Lava's LIF fires above its threshold, not at it, and is reset to zero.
    stock = fits and op.compare == "greater" and op.reset == "zero" and prompt
    writer.kinds[process] = "stock" if stock else "custom: lif"
    writer.procs.add("lif")
    numbers = {}
    for name, value in (("u", op.u_initial), ("v", op.v_initial), ("bias_mant", op.bias_mant)):
        array = writer.number(value)
        assert array is not None
        numbers[name] = writer.literal(process, name, np.broadcast_to(array, op.s.shape).reshape(-1))
    rule = {name: getattr(op, name) for name in ("bias_exp", "du", "dv", "vth", "compare", "reset", "lag")}
    writer.call(
        process, "wiring.lif", "job", str(op.s.size), **numbers, **_quoted(rule), stock=stock, name=f'"{process}"'
    )


def _quoted(attrs: Mapping[str, Any]) -> dict[str, str]:
    return {name: repr(item).replace("'", '"') for name, item in attrs.items()}


def _graded(writer: PackageWriter, op: loihi.LoihiGraded) -> None:
    process = _unit(writer, op, {"y": "s_out"})
    bias = _parameter(writer, process, "bias", op.bias, op.y)
    writer.proc(process, "graded", "Graded", op.y, bias=bias, vth=op.vth, shift=op.shift, both_signs=op.rule == "abs")


def _lut(writer: PackageWriter, op: loihi.LoihiLut) -> None:
    process, table = _unit(writer, op, {"y": "s_out"}), writer.number(op.table)
    assert table is not None
    writer.arrays[f"{process}.table"] = table.astype(np.int32)
    bias = _parameter(writer, process, "bias", op.bias, op.y)
    writer.proc(process, "lut", "Lut", op.y, bias=bias, table=f'w["{process}.table"]', shift=op.shift)


def _sigma(writer: PackageWriter, op: loihi.LoihiSigma) -> None:
    process = _unit(writer, op, {"y": "s_out"}, "sigma")
    writer.kinds[process] = "stock"
    writer.call(process, "wiring.sigma", "job", str(op.y.size), name=f'"{process}"')


def _delta(writer: PackageWriter, op: loihi.LoihiDelta) -> None:
    process = _unit(writer, op, {"y": "s_out"}, "act", "residue", "error")
    writer.kinds[process] = "stock"
    rule = {name: getattr(op, name) for name in ("vth", "spike_exp", "state_exp", "cum_error")}
    if op.spike_exp or op.state_exp:
        writer.procs.add("route")  # for numbers, whose exponents Lava leaves out
    writer.call(process, "wiring.delta", "job", str(op.y.size), **rule, name=f'"{process}"')


def _sigma_delta(writer: PackageWriter, op: loihi.LoihiSigmaDelta) -> None:
    process, bias = _unit(writer, op, {"y": "s_out"}, "sigma", "act", "residue", "error"), writer.number(op.bias)
    assert bias is not None
    writer.kinds[process] = "stock"
    rule = {name: getattr(op, name) for name in ("vth", "spike_exp", "state_exp", "cum_error")}
    if op.spike_exp or op.state_exp:
        writer.procs.add("route")  # for numbers, whose exponents Lava leaves out
    operands = {"bias": writer.literal(process, "bias", np.broadcast_to(bias, op.y.shape).reshape(-1))}
    activation = f'"{op.activation}"'
    writer.call(
        process,
        "wiring.sigma_delta",
        "job",
        str(op.y.size),
        **operands,
        activation=activation,
        **rule,
        name=f'"{process}"',
    )


def _noisy(writer: PackageWriter, op: Any, process: str, *operands: str) -> dict[str, Any]:
    """Return what the stochastic units share: their lag, stream and job, and operands that may come by a port."""
    attrs: dict[str, Any] = {"lag": op.lag, "stream": op.stream, "job": "job"}
    units = op.results[0]
    for name in operands:
        value = getattr(op, name)
        constant = writer.number(value) is not None
        attrs[name] = _parameter(writer, process, name, value, units) if constant else "None"
    return attrs


def _fermi_dirac(writer: PackageWriter, op: loihi.LoihiFermiDirac) -> None:
    process = _unit(writer, op, {"s": "s_out"}, "s")
    attrs = _noisy(writer, op, process, "T") | {"low": -1 if op.levels == "spin" else 0}
    for name in ("bias", "turn", "initial"):
        attrs[name] = _parameter(writer, process, name, getattr(op, name), op.s)
    writer.proc(process, "fermi_dirac", "FermiDirac", op.s, turns=op.turns, sweeps=op.sweeps, **attrs)


def _categorical(writer: PackageWriter, op: loihi.LoihiCategorical) -> None:
    process = _unit(writer, op, {"s": "s_out"})
    attrs = _noisy(writer, op, process, "T") | {"bias": _parameter(writer, process, "bias", op.bias, op.s)}
    writer.proc(process, "categorical", "Categorical", op.s, group=op.s.shape[-1], **attrs)


def _boltzmann(writer: PackageWriter, op: loihi.LoihiBoltzmann) -> None:
    process = _unit(writer, op, {"p": "s_out"})
    T = "None" if writer.number(op.T) is None else _parameter(writer, process, "T", op.T, op.p)
    attrs = {name: _parameter(writer, process, name, getattr(op, name), op.p) for name in ("bias", "initial")}
    rule = {"group": op.p.shape[-1], "fraction": op.fraction, "lag": op.lag}
    writer.proc(process, "boltzmann", "Boltzmann", op.p, T=T, **attrs, **rule, job="job")


def _memory(writer: PackageWriter, op: loihi.LoihiMemory) -> None:
    process = _unit(writer, op, {"m": "s_out"}, "m")
    attrs = _noisy(writer, op, process, "sigma") | {"initial": _parameter(writer, process, "initial", op.initial, op.m)}
    writer.proc(process, "memory", "Memory", op.m, gain=op.gain, dm=op.dm, **attrs)


def _relaxation(writer: PackageWriter, op: loihi.LoihiRelaxation) -> None:
    process = _unit(writer, op, {"m": "s_out"}, "m", "rest")
    attrs = _noisy(writer, op, process, "sigma")
    for name in ("loss", "shift", "initial", "initial_rest"):
        attrs[name] = _parameter(writer, process, name, getattr(op, name), op.m)
    rule = {name: getattr(op, name) for name in ("lift", "spread", "floor", "every")}
    writer.proc(process, "relaxation", "Relaxation", op.m, **rule, **attrs)


def _heat(writer: PackageWriter, op: loihi.LoihiHeat) -> None:
    process = _unit(writer, op, {"T": "s_out"}, "T")
    attrs = {name: _parameter(writer, process, name, getattr(op, name), op.T) for name in ("ambient", "initial")}
    rule = {name: getattr(op, name) for name in ("loss", "gain", "floor", "lag")}
    writer.proc(process, "heat", "Heat", op.T, **attrs, **rule, job="job")


def _heat_node(writer: PackageWriter, op: loihi.LoihiHeatNode) -> None:
    process = _unit(writer, op, {"T": "s_out"}, "T", "rest")
    operands = ("capacity", "initial", "initial_rest")
    attrs = {name: _parameter(writer, process, name, getattr(op, name), op.T) for name in operands}
    writer.proc(process, "heat_node", "HeatNode", op.T, **attrs, every=op.every, lag=op.lag, job="job")


# ------------------------------------------------------------------------------------------------------------ moves


def _dendrite(writer: PackageWriter, op: loihi.LoihiDendrite) -> None:
    # Lava adds up what reaches one port, so a dendrite needs no process.
    writer.outs[op.y.name] = [out for value in op.x for out in writer.outs[value.name]]


def _move(writer: PackageWriter, op: Any) -> None:
    index, units = moved(op).reshape(-1), op.x.size
    # A move that changes no order needs no process.
    if len(index) == units and (index == np.arange(units)).all():
        writer.outs[op.y.name] = writer.outs[op.x.name]
        return
    writer.outs[op.y.name] = [writer.route(op.y.name, out, index, units) for out in writer.outs[op.x.name]]


def _concat(writer: PackageWriter, op: core.Concat) -> None:
    """Bring each value to its places of the joined one; what reaches one port is added, and elsewhere is 0."""
    shapes = [value.shape for value in op.xs]
    marks = np.concatenate([np.full(shape, which) for which, shape in enumerate(shapes)], axis=op.axis).reshape(-1)
    inside = np.concatenate([indices(shape) for shape in shapes], axis=op.axis).reshape(-1)
    writer.outs[op.y.name] = [
        writer.route(f"{op.y.name}.{which}", out, np.where(marks == which, inside, -1), value.size)
        for which, value in enumerate(op.xs)
        for out in writer.outs[value.name]
    ]


MAKERS: dict[type[Op], Callable[[PackageWriter, Any], None]] = {
    loihi.LoihiDense: _dense,
    loihi.LoihiSparse: _sparse,
    loihi.LoihiConv: _conv,
    loihi.LoihiDendrite: _dendrite,
    loihi.LoihiLif: _lif,
    loihi.LoihiGraded: _graded,
    loihi.LoihiLut: _lut,
    loihi.LoihiSigma: _sigma,
    loihi.LoihiDelta: _delta,
    loihi.LoihiSigmaDelta: _sigma_delta,
    loihi.LoihiFermiDirac: _fermi_dirac,
    loihi.LoihiCategorical: _categorical,
    loihi.LoihiBoltzmann: _boltzmann,
    loihi.LoihiMemory: _memory,
    loihi.LoihiRelaxation: _relaxation,
    loihi.LoihiHeat: _heat,
    loihi.LoihiHeatNode: _heat_node,
    core.Concat: _concat,
    **dict.fromkeys(MOVES, _move),
}
MOVED = (*MOVES, core.Concat, loihi.LoihiDendrite)
WIRED = {"route", "hub", "sink", "lif", "synapse"}
"""Processes that wiring.py makes."""
PORTS = {"T": "T_in", "sigma": "sigma_in"}
