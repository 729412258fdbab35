"""What each op is in Lava: one of its own processes where that does the chip's arithmetic, else one of ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.lava.bounds import ONCE, WORD
from thermoc.backends.lava.writer import Stated, Writer
from thermoc.ir.dialects import core, loihi
from thermoc.ir.ops import Op
from thermoc.ir.places import MOVES, moved, places
from thermoc.ir.values import Value

BYTE = 127
"""Lava's Conv keeps its window, stride, padding, dilation and groups in 8 bits."""


# --------------------------------------------------------------------------------------------------------- synapses


def _synapse(writer: Writer, op: Any, function: str, weights: str, delays: NDArray | None, **attrs: Any) -> None:
    """Write a synapse: Lava's where its sums fit the 32 bits in which Lava adds, else ours."""
    part = writer.names[op.y.name]
    common = {"weight_exp": op.weight_exp, "message_bits": op.message_bits, "name": f'"{part}"'}
    kept = "None"
    if delays is not None:
        writer.arrays[f"{part}.delays"] = delays.astype(np.int32)
        kept = f'w["{part}.delays"]'
    if writer.bounds.sum(writer.graph, op) < WORD:
        how = {"delays": kept, "weight_bits": op.weight_bits, "sign_mode": f'"{op.sign_mode}"', "longest": op.longest}
        writer.call(part, f"wiring.{function}", "job", weights, **how, **common)
        writer.kinds[part] = "stock" if function == "dense" or not op.longest else "custom: synapse"
    else:
        held = {"wraps": False} | common
        writer.call(part, "wiring.synapse", "job", f"wiring.by_delay({weights}, {kept}, {op.longest})", **held)
        writer.kinds[part] = "custom: synapse"
    writer.procs.add("synapse")
    _buffer(writer, op, part)


def _dense(writer: Writer, op: loihi.Dense) -> None:
    part, weight = writer.name(op.y.name), writer.number(op.weight)
    assert weight is not None
    writer.arrays[f"{part}.weight"] = weight.astype(np.int32)
    _synapse(writer, op, "dense", f'w["{part}.weight"]', writer.number(op.delays))


def _sparse(writer: Writer, op: loihi.Sparse) -> None:
    part = writer.name(op.y.name)
    for name in ("values", "columns", "offsets"):
        array = writer.number(getattr(op, name))
        assert array is not None
        writer.arrays[f"{part}.{name}"] = array.astype(np.int32)
    entries = ", ".join(f'w["{part}.{name}"]' for name in ("values", "columns", "offsets"))
    _synapse(writer, op, "sparse", f"wiring.rows({entries}, {op.x.size})", writer.number(op.delays))


def _conv(writer: Writer, op: loihi.Conv) -> None:
    part, weight = writer.name(op.y.name), writer.number(op.weight)
    assert weight is not None
    writer.arrays[f"{part}.weight"] = weight.astype(np.int32)
    window = {name: getattr(op, name) for name in ("stride", "padding", "dilation", "groups")}
    even = all(before == after for before, after in op.padding)
    numbers = (*op.stride, *op.dilation, *(before for before, _ in op.padding), *op.weight.shape[2:], op.groups)
    stock = even and max(numbers) <= BYTE and op.weight_exp >= 0 and writer.bounds.sum(writer.graph, op) < WORD
    how = {"weight_exp": op.weight_exp, "message_bits": op.message_bits, "stock": stock, "name": f'"{part}"'}
    writer.call(part, "wiring.conv", "job", f'w["{part}.weight"]', shape=op.x.shape, **window, **how)
    writer.kinds[part] = "stock" if stock else "custom: synapse"
    writer.procs.add("synapse")
    _buffer(writer, op, part)


def _buffer(writer: Writer, op: Any, part: str) -> None:
    writer.outs[op.y.name] = [f"{part}.out"]
    shape = op.states()["buffer"]
    writer.states.append(Stated(state=f"{op.y.name}.buffer", process=part, variable="buffer", shape=shape))


# ------------------------------------------------------------------------------------------------------------ units


def _unit(writer: Writer, op: Op, ports: Mapping[str, str], *states: str) -> str:
    """Return the name of a unit's part; note its ports and states."""
    part = writer.name(op.results[0].name)
    for value, port in zip(op.results, ports.values()):
        writer.outs[value.name] = [f"{part}.{port}"]
    for name in states:
        shape = op.states()[name]
        writer.states.append(Stated(state=f"{op.results[0].name}.{name}", process=part, variable=name, shape=shape))
    return part


def _parameter(writer: Writer, part: str, name: str, value: Value, units: Value) -> str:
    """Return how build.py writes a parameter of every unit."""
    array = writer.number(value)
    assert array is not None
    array = np.broadcast_to(array, units.shape).reshape(-1)
    return f"wiring.repeated(job, {writer.literal(part, name, array)}, {len(array)})"


def _lif(writer: Writer, op: loihi.Lif) -> None:
    part = _unit(writer, op, {"s": "s_out", "v": "v_out", "u": "u_out"}, "u", "v")
    read = any(writer.graph.consumers.get(value.name) for value in (op.v, op.u))
    bias = writer.number(op.bias_mant)
    assert bias is not None
    fits = writer.bounds[op.a] <= ONCE and not read
    prompt = not op.lag or (writer.idle and op.du == 4095 and op.dv == 4096)
    stock = fits and op.compare == "greater" and op.reset == "zero" and prompt
    writer.kinds[part] = "stock" if stock else "custom: lif"
    writer.procs.add("lif")
    numbers = {}
    for name, value in (("u", op.u_initial), ("v", op.v_initial), ("bias_mant", op.bias_mant)):
        array = writer.number(value)
        assert array is not None
        numbers[name] = writer.literal(part, name, np.broadcast_to(array, op.s.shape).reshape(-1))
    rule = {name: getattr(op, name) for name in ("bias_exp", "du", "dv", "vth", "compare", "reset", "lag")}
    writer.call(part, "wiring.lif", "job", str(op.s.size), **numbers, **_quoted(rule), stock=stock, name=f'"{part}"')


def _quoted(attrs: Mapping[str, Any]) -> dict[str, str]:
    return {name: repr(item).replace("'", '"') for name, item in attrs.items()}


def _graded(writer: Writer, op: loihi.Graded) -> None:
    part = _unit(writer, op, {"y": "s_out"})
    bias = _parameter(writer, part, "bias", op.bias, op.y)
    writer.proc(part, "graded", "Graded", op.y, bias=bias, vth=op.vth, shift=op.shift, both_signs=op.rule == "abs")


def _lut(writer: Writer, op: loihi.Lut) -> None:
    part, table = _unit(writer, op, {"y": "s_out"}), writer.number(op.table)
    assert table is not None
    writer.arrays[f"{part}.table"] = table.astype(np.int32)
    bias = _parameter(writer, part, "bias", op.bias, op.y)
    writer.proc(part, "lut", "Lut", op.y, bias=bias, table=f'w["{part}.table"]', shift=op.shift)


def _sigma(writer: Writer, op: loihi.Sigma) -> None:
    part = _unit(writer, op, {"y": "s_out"}, "sigma")
    writer.kinds[part] = "stock"
    writer.call(part, "wiring.sigma", "job", str(op.y.size), name=f'"{part}"')


def _delta(writer: Writer, op: loihi.Delta) -> None:
    part = _unit(writer, op, {"y": "s_out"}, "act", "residue", "error")
    writer.kinds[part] = "stock"
    rule = {name: getattr(op, name) for name in ("vth", "spike_exp", "state_exp", "cum_error")}
    if op.spike_exp or op.state_exp:
        writer.procs.add("route")  # for numbers, whose exponents Lava leaves out
    writer.call(part, "wiring.delta", "job", str(op.y.size), **rule, name=f'"{part}"')


def _sigma_delta(writer: Writer, op: loihi.SigmaDelta) -> None:
    part, bias = _unit(writer, op, {"y": "s_out"}, "sigma", "act", "residue", "error"), writer.number(op.bias)
    assert bias is not None
    writer.kinds[part] = "stock"
    rule = {name: getattr(op, name) for name in ("vth", "spike_exp", "state_exp", "cum_error")}
    if op.spike_exp or op.state_exp:
        writer.procs.add("route")  # for numbers, whose exponents Lava leaves out
    given = {"bias": writer.literal(part, "bias", np.broadcast_to(bias, op.y.shape).reshape(-1))}
    activation = f'"{op.activation}"'
    writer.call(
        part, "wiring.sigma_delta", "job", str(op.y.size), **given, activation=activation, **rule, name=f'"{part}"'
    )


def _noisy(writer: Writer, op: Any, part: str, *operands: str) -> dict[str, Any]:
    """Return what the stochastic units share: their lag, stream and job, and operands that may come by a port."""
    held = {"lag": op.lag, "stream": op.stream, "job": "job"}
    units = op.results[0]
    for name in operands:
        value = getattr(op, name)
        constant = writer.number(value) is not None
        held[name] = _parameter(writer, part, name, value, units) if constant else "None"
    return held


def _fermi_dirac(writer: Writer, op: loihi.FermiDirac) -> None:
    part = _unit(writer, op, {"s": "s_out"}, "s")
    held = _noisy(writer, op, part, "T") | {"low": -1 if op.levels == "spin" else 0}
    for name in ("bias", "turn", "initial"):
        held[name] = _parameter(writer, part, name, getattr(op, name), op.s)
    writer.proc(part, "fermi_dirac", "FermiDirac", op.s, turns=op.turns, sweeps=op.sweeps, **held)


def _categorical(writer: Writer, op: loihi.Categorical) -> None:
    part = _unit(writer, op, {"s": "s_out"})
    held = _noisy(writer, op, part, "T") | {"bias": _parameter(writer, part, "bias", op.bias, op.s)}
    writer.proc(part, "categorical", "Categorical", op.s, group=op.s.shape[-1], **held)


def _memory(writer: Writer, op: loihi.Memory) -> None:
    part = _unit(writer, op, {"m": "s_out"}, "m")
    held = _noisy(writer, op, part, "sigma") | {"initial": _parameter(writer, part, "initial", op.initial, op.m)}
    writer.proc(part, "memory", "Memory", op.m, gain=op.gain, dm=op.dm, **held)


def _heat(writer: Writer, op: loihi.Heat) -> None:
    part = _unit(writer, op, {"T": "s_out"}, "T")
    held = {name: _parameter(writer, part, name, getattr(op, name), op.T) for name in ("ambient", "initial")}
    rule = {name: getattr(op, name) for name in ("loss", "gain", "floor", "lag")}
    writer.proc(part, "heat", "Heat", op.T, **held, **rule, job="job")


# ------------------------------------------------------------------------------------------------------------ moves


def _dendrite(writer: Writer, op: loihi.Dendrite) -> None:
    writer.outs[op.y.name] = [out for value in op.x for out in writer.outs[value.name]]


def _move(writer: Writer, op: Any) -> None:
    index, units = moved(op).reshape(-1), op.x.size
    if len(index) == units and (index == np.arange(units)).all():
        writer.outs[op.y.name] = writer.outs[op.x.name]
        return
    writer.outs[op.y.name] = [writer.route(op.y.name, out, index, units) for out in writer.outs[op.x.name]]


def _concat(writer: Writer, op: core.Concat) -> None:
    """Bring each part to its places of the whole; what reaches one port is added, and elsewhere is 0."""
    shapes = [value.shape for value in op.xs]
    marks = np.concatenate([np.full(shape, which) for which, shape in enumerate(shapes)], axis=op.axis).reshape(-1)
    inside = np.concatenate([places(shape) for shape in shapes], axis=op.axis).reshape(-1)
    writer.outs[op.y.name] = [
        writer.route(f"{op.y.name}.{which}", out, np.where(marks == which, inside, -1), value.size)
        for which, value in enumerate(op.xs)
        for out in writer.outs[value.name]
    ]


PARTS: dict[type[Op], Callable[[Writer, Any], None]] = {
    loihi.Dense: _dense,
    loihi.Sparse: _sparse,
    loihi.Conv: _conv,
    loihi.Dendrite: _dendrite,
    loihi.Lif: _lif,
    loihi.Graded: _graded,
    loihi.Lut: _lut,
    loihi.Sigma: _sigma,
    loihi.Delta: _delta,
    loihi.SigmaDelta: _sigma_delta,
    loihi.FermiDirac: _fermi_dirac,
    loihi.Categorical: _categorical,
    loihi.Memory: _memory,
    loihi.Heat: _heat,
    core.Concat: _concat,
    **dict.fromkeys(MOVES, _move),
}
MOVED = (*MOVES, core.Concat, loihi.Dendrite)
INSIDE = {"route", "hub", "lif", "synapse"}
"""Processes that wiring.py makes."""
PORTS = {"T": "T_in", "sigma": "sigma_in"}
