"""Turns a lowered graph into the files of a Lava package: which process each op is, and what is connected to what."""

from __future__ import annotations

import hashlib
import io
import json
import keyword
import re
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.lava.bounds import ONCE, WORD, Bounds
from thermoc.ir.dialects import core, loihi
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.places import MOVES, moved, places
from thermoc.ir.values import Value
from thermoc.support.errors import Finding, ThermocError, error

PACKAGE = Path(__file__).parent / "package"
SHARED = ("run.py", "wiring.py", "arithmetic.py")
SIGNALS = {
    loihi.Dense: ("x",),
    loihi.Sparse: ("x",),
    loihi.Conv: ("x",),
    loihi.Dendrite: ("x",),
    loihi.Lif: ("a",),
    loihi.Graded: ("a",),
    loihi.Lut: ("a",),
    loihi.Sigma: ("a",),
    loihi.Delta: ("x",),
    loihi.SigmaDelta: ("a",),
    loihi.FermiDirac: ("a", "T"),
    loihi.Categorical: ("a", "T"),
    loihi.Memory: ("a", "sigma"),
    loihi.Heat: ("heat",),
    core.Concat: ("xs",),
} | dict.fromkeys(MOVES, ("x",))
"""Operands that change from tick to tick; the others are parameters."""
BYTE = 127
"""Lava's Conv keeps its window, stride, padding, dilation and groups in 8 bits."""
SYNAPSES = (loihi.Dense, loihi.Sparse, loihi.Conv)
"""Ops that delay what they send by a tick."""


@dataclass(frozen=True, kw_only=True)
class Stated:
    """A state of the network: the process and variable that hold it, and its shape for one sample."""

    state: str
    process: str
    variable: str
    shape: tuple[int, ...]


@dataclass
class Writer:
    """What has been written of a package."""

    graph: Graph
    bounds: Bounds
    idle: bool = False
    """A unit that keeps nothing may speak before its lag is over: nobody listens yet."""
    names: dict[str, str] = field(default_factory=dict)
    parts: list[str] = field(default_factory=list)
    wires: list[str] = field(default_factory=list)
    arrays: dict[str, NDArray] = field(default_factory=dict)
    outs: dict[str, list[str]] = field(default_factory=dict)
    procs: set[str] = field(default_factory=set)
    kinds: dict[str, str] = field(default_factory=dict)
    states: list[Stated] = field(default_factory=list)

    def name(self, wanted: str) -> str:
        """Return a Python name like the wanted one, used by nothing else."""
        base = re.sub(r"\W", "_", wanted).strip("_") or "part"
        base = f"n_{base}" if base[0].isdigit() or keyword.iskeyword(base) or base in RESERVED else base
        name, count = base, 1
        while name in self.names.values():
            count += 1
            name = f"{base}_{count}"
        self.names[wanted] = name
        return name

    def literal(self, part: str, name: str, array: NDArray) -> str:
        """Return how build.py writes a parameter: a number, or where it stands in weights.npz."""
        if array.size == 1 or (array.size and (array == array.flat[0]).all()):
            return str(int(array.flat[0]))
        self.arrays[f"{part}.{name}"] = array.astype(np.int32)
        return f'w["{part}.{name}"]'

    def number(self, value: Value | None) -> NDArray | None:
        """Return the array behind a value that is a constant."""
        source = None if value is None else self.graph.producers[value.name]
        return source.value.numpy if isinstance(source, core.Constant) else None

    def call(self, part: str, function: str, *given: str, **attrs: Any) -> None:
        """Write the line that makes a part."""
        held = [*given, *(f"{key}={item if isinstance(item, str) else repr(item)}" for key, item in attrs.items())]
        line = f"{part} = {function}({', '.join(held)})"
        self.parts += [line] if len(line) < 112 else [f"{part} = {function}(", *(f"    {item}," for item in held), ")"]

    def proc(self, part: str, folder: str, cls: str, units: Value, **attrs: Any) -> None:
        """Write the line that makes one of our own processes."""
        self.procs.add(folder)
        self.kinds[part] = f"custom: {folder}"
        self.call(part, cls, shape=f"({_size(units)} * many,)", **attrs, name=f'"{part}"')

    def connect(self, value: Value, target: str, *, shape: tuple[int, ...] | None = None, into: bool = False) -> None:
        """Write the lines that bring a value to a port, or into a synapse; spread over a larger ``shape``."""
        outs = self.outs[value.name]
        for place, out in enumerate(outs):
            if out in outs[:place]:  # Lava connects two ports once
                assert value.type is not None
                out = self.route(f"{value.name}.again", out, np.arange(value.type.size), value.type.size)
            if shape is not None and value.type is not None and value.type.shape != shape:
                out = self.spread(value, out, shape)
            self.wires.append(f"{target}.into({out})" if into else f"{out}.connect({target})")

    def spread(self, value: Value, out: str, shape: tuple[int, ...]) -> str:
        """Return a port with the value's elements broadcast to a shape."""
        assert value.type is not None
        index = np.broadcast_to(places(value.type.shape), shape).reshape(-1)
        return self.route(f"{value.name}.spread", out, index, value.type.size)

    def route(self, wanted: str, out: str, index: NDArray, units: int) -> str:
        """Return a port with the elements of another in another order."""
        name = self.name(wanted)
        self.procs.add("route")
        self.kinds[name] = "custom: route"
        self.arrays[f"{name}.index"] = index.astype(np.int32)
        self.wires.append(f'{name} = wiring.route(job, {out}, w["{name}.index"], {units}, "{name}")')
        return name


RESERVED = {"job", "w", "many", "wiring", "np", "build", "sinks", "phase", "time_step", "name"}


def files(graph: Graph, about: dict[str, Any], *, idle: bool = False) -> dict[str, bytes]:
    """Return the content of each file of the package, but ``golden.npz``, for a graph of integers.

    about: what else the manifest says. idle: see Writer. Errors: T301 for ops that are the host's.
    """
    refuse(graph)
    known = {name: 2 ** (border["bits"] - 1) - 1 for name, border in about["borders"]["encode"].items()}
    writer = Writer(graph=graph, bounds=Bounds.of(graph, known), idle=idle)
    for name, op in graph.inputs.items():
        _source(writer, name, op.y)
    own = [op for op in graph.order if type(op) in PARTS]
    for op in own:
        if not isinstance(op, MOVED):
            PARTS[type(op)](writer, op)
    for value in _steady(graph, own):
        _steady_source(writer, value)
    for op in own:
        if isinstance(op, MOVED):
            PARTS[type(op)](writer, op)
    for op in own:
        _wire(writer, op)
    ends = [_end(writer, name, op.x) for name, op in graph.outputs.items()]
    writer.procs.add("hub")
    made = {"build.py": build_text(writer, ends).encode(), "weights.npz": npz(writer.arrays)}
    made |= {name: (PACKAGE / name).read_bytes() for name in SHARED}
    made |= {
        f"procs/{name}/process.py": (PACKAGE / "procs" / name / "process.py").read_bytes() for name in writer.procs
    }
    manifest = about | {
        "network": graph.name,
        "graph": graph.hash,
        "inputs": {name: list(op.shape) for name, op in graph.inputs.items()},
        "outputs": {name: list(_shape(op.x)) for name, op in graph.outputs.items()},
        "parts": writer.kinds,
        "states": [vars(stated) for stated in writer.states],
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(made.items())},
    }
    return made | {"manifest.json": (json.dumps(manifest, indent=1) + "\n").encode()}


def _source(writer: Writer, name: str, value: Value) -> None:
    part = writer.name(f"{name}_source")
    writer.proc(part, "source", "Source", value, file=f'job["files"]["in.{name}"]')
    writer.outs[value.name] = [f"{part}.s_out"]
    writer.kinds[part] = "host: source"


def _steady(graph: Graph, own: Sequence[Op]) -> list[Value]:
    """Return the constants that arrive at a unit or a synapse as if something sent them."""
    found = [getattr(op, SIGNALS[type(op)][0]) for op in own] + [op.x for op in graph.outputs.values()]
    flat = [value for held in found for value in (held if isinstance(held, tuple) else (held,))]
    return [value for value in dict.fromkeys(flat) if isinstance(graph.producers[value.name], core.Constant)]


def _steady_source(writer: Writer, value: Value) -> None:
    part, array = writer.name(f"{value.name}_source"), writer.number(value)
    assert array is not None
    row = f"wiring.repeated(job, {writer.literal(part, 'row', array)}, {array.size}).reshape(1, -1)"
    writer.proc(part, "source", "Source", value, file="None", rows=row)
    writer.outs[value.name] = [f"{part}.s_out"]
    writer.kinds[part] = "host: source"


def refuse(graph: Graph) -> None:
    """Raise T301 for every op that has no place on the chip, or where nothing has."""
    if not any(op.opname.startswith("loihi.") for op in graph.ops):
        here = ", ".join(sorted({op.opname for op in graph.ops if not isinstance(op, core.Input | core.Output)}))
        hint = "a unit, or a linear map before one, is what the chip holds; target sim runs the network"
        notes = [f"the host has {here or 'no op'}"]
        raise error("T301", "nothing of this network is the chip's", notes=notes, hint=hint)
    held = {*PARTS, core.Input, core.Output, core.Constant}
    found = [
        Finding(
            code="T301",
            what=f"{op.opname} is the host's, and stands where the chip's units are",
            where=op.location,
            notes=("host ops come before every loihi.encode, or after every loihi.decode",),
        )
        for op in graph.ops
        if type(op) not in held
    ]
    if found:
        raise ThermocError(found)


def _end(writer: Writer, name: str, value: Value) -> str:
    part = writer.name(f"{name}_sink")
    writer.proc(part, "sink", "Sink", value, file=f'job["files"]["out.{name}"]')
    writer.kinds[part] = "host: sink"
    writer.connect(value, f"{part}.a_in")
    return part


def npz(arrays: Mapping[str, NDArray]) -> bytes:
    """Return an .npz that is the same bytes for the same arrays."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in sorted(arrays.items()):
            one = io.BytesIO()
            np.save(one, array)
            entry = zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, one.getvalue(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def build_text(writer: Writer, ends: list[str]) -> str:
    """Return ``build.py``."""
    folders = sorted(writer.procs - INSIDE)
    imports = "\n".join(f"from procs.{name}.process import {_class(name)}" for name in folders)
    body = "\n".join(f"    {line}" if line else "" for line in [*writer.parts, "", *writer.wires])
    title = "".join(letter for letter in writer.graph.name if letter.isprintable() and letter not in '"\\\\')
    return f'''"""The network {title}: its processes, and what is connected to what."""

import wiring
{imports}


def build(job, w):
    """Return a process to which all others are connected.

    job: batch (samples beside each other), precision, seed, first_sample, first_tick, files. w: weights.npz.
    """
    many = job["batch"]
{body}
    return wiring.anchored([{", ".join(ends)}])
'''


def _class(folder: str) -> str:
    return "".join(word.title() for word in folder.split("_"))


def _shape(value: Value) -> tuple[int, ...]:
    assert value.type is not None
    return value.type.shape


def _size(value: Value) -> int:
    assert value.type is not None
    return value.type.size


def _wire(writer: Writer, op: Op) -> None:
    """Write the lines that bring an op its signals."""
    part = writer.names.get(op.results[0].name)
    if isinstance(op, MOVED):
        return
    if isinstance(op, SYNAPSES):
        writer.connect(op.x, f"{part}", into=True)
        return
    for name in SIGNALS[type(op)]:
        value = getattr(op, name)
        if name not in PORTS or writer.number(value) is None:
            writer.connect(value, f"{part}.{PORTS.get(name, 'a_in')}", shape=_shape(op.results[0]))


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
    _synapse(writer, op, "sparse", f"wiring.rows({entries}, {_size(op.x)})", writer.number(op.delays))


def _conv(writer: Writer, op: loihi.Conv) -> None:
    part, weight = writer.name(op.y.name), writer.number(op.weight)
    assert weight is not None
    writer.arrays[f"{part}.weight"] = weight.astype(np.int32)
    window = {name: getattr(op, name) for name in ("stride", "padding", "dilation", "groups")}
    even = all(before == after for before, after in op.padding)
    numbers = (*op.stride, *op.dilation, *(before for before, _ in op.padding), *_shape(op.weight)[2:], op.groups)
    stock = even and max(numbers) <= BYTE and op.weight_exp >= 0 and writer.bounds.sum(writer.graph, op) < WORD
    how = {"weight_exp": op.weight_exp, "message_bits": op.message_bits, "stock": stock, "name": f'"{part}"'}
    writer.call(part, "wiring.conv", "job", f'w["{part}.weight"]', shape=_shape(op.x), **window, **how)
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
    array = np.broadcast_to(array, _shape(units)).reshape(-1)
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
        numbers[name] = writer.literal(part, name, np.broadcast_to(array, _shape(op.s)).reshape(-1))
    rule = {name: getattr(op, name) for name in ("bias_exp", "du", "dv", "vth", "compare", "reset", "lag")}
    writer.call(part, "wiring.lif", "job", str(_size(op.s)), **numbers, **_quoted(rule), stock=stock, name=f'"{part}"')


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
    writer.call(part, "wiring.sigma", "job", str(_size(op.y)), name=f'"{part}"')


def _delta(writer: Writer, op: loihi.Delta) -> None:
    part = _unit(writer, op, {"y": "s_out"}, "act", "residue", "error")
    writer.kinds[part] = "stock"
    rule = {name: getattr(op, name) for name in ("vth", "spike_exp", "state_exp", "cum_error")}
    if op.spike_exp or op.state_exp:
        writer.procs.add("route")  # for numbers, whose exponents Lava leaves out
    writer.call(part, "wiring.delta", "job", str(_size(op.y)), **rule, name=f'"{part}"')


def _sigma_delta(writer: Writer, op: loihi.SigmaDelta) -> None:
    part, bias = _unit(writer, op, {"y": "s_out"}, "sigma", "act", "residue", "error"), writer.number(op.bias)
    assert bias is not None
    writer.kinds[part] = "stock"
    rule = {name: getattr(op, name) for name in ("vth", "spike_exp", "state_exp", "cum_error")}
    if op.spike_exp or op.state_exp:
        writer.procs.add("route")  # for numbers, whose exponents Lava leaves out
    given = {"bias": writer.literal(part, "bias", np.broadcast_to(bias, _shape(op.y)).reshape(-1))}
    activation = f'"{op.activation}"'
    writer.call(
        part, "wiring.sigma_delta", "job", str(_size(op.y)), **given, activation=activation, **rule, name=f'"{part}"'
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
    writer.proc(part, "categorical", "Categorical", op.s, group=_shape(op.s)[-1], **held)


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
    index, units = moved(op).reshape(-1), _size(op.x)
    if len(index) == units and (index == np.arange(units)).all():
        writer.outs[op.y.name] = writer.outs[op.x.name]
        return
    writer.outs[op.y.name] = [writer.route(op.y.name, out, index, units) for out in writer.outs[op.x.name]]


def _concat(writer: Writer, op: core.Concat) -> None:
    """Bring each part to its places of the whole; what reaches one port is added, and elsewhere is 0."""
    shapes = [_shape(value) for value in op.xs]
    marks = np.concatenate([np.full(shape, which) for which, shape in enumerate(shapes)], axis=op.axis).reshape(-1)
    inside = np.concatenate([places(shape) for shape in shapes], axis=op.axis).reshape(-1)
    writer.outs[op.y.name] = [
        writer.route(f"{op.y.name}.{which}", out, np.where(marks == which, inside, -1), _size(value))
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
