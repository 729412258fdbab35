"""Turns a lowered graph into the files of a Lava package: which process each op is, and what is connected to what."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from thermoc.backends.lava.bounds import Bounds
from thermoc.backends.lava.host_processes import STEPS, host_processes, of_host, wire, write
from thermoc.backends.lava.processes import MAKERS, MOVED, PORTS, WIRED
from thermoc.backends.lava.writer import PackageWriter
from thermoc.ir.dialects import core, loihi
from thermoc.ir.element_indices import MOVES
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.values import Value
from thermoc.support.arrays import npz_bytes
from thermoc.support.errors import Finding, ThermocError, error

PACKAGE = Path(__file__).parent / "package"
SHARED = ("run.py", "group.py", "arrays.py", "wiring.py", "arithmetic.py", "host.py")
SIGNALS = {
    loihi.LoihiDense: ("x",),
    loihi.LoihiSparse: ("x",),
    loihi.LoihiConv: ("x",),
    loihi.LoihiDendrite: ("x",),
    loihi.LoihiLif: ("a",),
    loihi.LoihiGraded: ("a",),
    loihi.LoihiLut: ("a",),
    loihi.LoihiSigma: ("a",),
    loihi.LoihiDelta: ("x",),
    loihi.LoihiSigmaDelta: ("a",),
    loihi.LoihiFermiDirac: ("a", "T"),
    loihi.LoihiCategorical: ("a", "T"),
    loihi.LoihiBoltzmann: ("a", "T"),
    loihi.LoihiMemory: ("a", "sigma"),
    loihi.LoihiRelaxation: ("a", "sigma"),
    loihi.LoihiHeat: ("heat",),
    loihi.LoihiHeatNode: ("heat",),
    core.Concat: ("xs",),
} | dict.fromkeys(MOVES, ("x",))
"""Operands that change from tick to tick; the others are parameters."""
SYNAPSES = (loihi.LoihiDense, loihi.LoihiSparse, loihi.LoihiConv)
"""Ops that delay what they send by a tick."""


def files(graph: Graph, about: dict[str, Any], *, stock_only: bool = False) -> dict[str, bytes]:
    """Return the content of each file of the package, but ``golden.npz``, for a graph of integers.

    about: what else the manifest says. Errors: T301 for ops that are the host's, and (stock_only) for
    processes that are not Lava's own.
    """
    refuse(graph)
    # An encode clips to its bits, which bounds all that the package computes with.
    largest = {name: 2 ** (border["bits"] - 1) - 1 for name, border in about["borders"]["encode"].items()}
    writer = PackageWriter(graph=graph, bounds=Bounds.of(graph, largest), idle=stock_only)
    for name, op in graph.inputs.items():
        _source(writer, name, op.y)
    processes = host_processes(graph)
    inside = of_host(processes)
    on_loihi = [op for op in graph.order if type(op) in MAKERS and op.results[0].name not in inside]
    for process in processes.values():
        write(writer, process)
    for op in on_loihi:
        if not isinstance(op, MOVED):
            MAKERS[type(op)](writer, op)
    for value in _steady(graph, on_loihi):
        _steady_source(writer, value)
    for op in on_loihi:
        if isinstance(op, MOVED):  # their lines name the ports of all others
            MAKERS[type(op)](writer, op)
    for op in on_loihi:
        _wire(writer, op)
    for process in processes.values():
        wire(writer, process)
    # Sinks come last: Lava runs what hangs together with them.
    sinks = [_sink(writer, name, op.x) for name, op in graph.outputs.items()]
    if stock_only:
        _only_stock(writer)
    writer.procs |= {"hub", "sink"}
    contents = {"build.py": build_text(writer, sinks).encode(), "weights.npz": npz_bytes(writer.arrays, compress=True)}
    contents |= {name: (PACKAGE / name).read_bytes() for name in SHARED}
    contents |= {
        f"procs/{name}/process.py": (PACKAGE / "procs" / name / "process.py").read_bytes() for name in writer.procs
    }
    manifest = about | {
        "network": graph.name,
        "graph": graph.hash,
        "inputs": {name: list(op.shape) for name, op in graph.inputs.items()},
        "outputs": {name: list(op.x.shape) for name, op in graph.outputs.items()},
        "parts": writer.kinds,
        "states": [vars(stated) for stated in writer.states],
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(contents.items())},
    }
    return contents | {"manifest.json": (json.dumps(manifest, indent=1) + "\n").encode()}


def _source(writer: PackageWriter, name: str, value: Value) -> None:
    process = writer.name(f"{name}_source")
    writer.proc(process, "source", "Source", value, file=f'job["files"]["in.{name}"]')
    writer.outs[value.name] = [f"{process}.s_out"]
    writer.kinds[process] = "host: source"


def _steady(graph: Graph, on_loihi: Sequence[Op]) -> list[Value]:
    """Return the constants that arrive at a unit or a synapse as if something sent them."""
    signals = [getattr(op, SIGNALS[type(op)][0]) for op in on_loihi] + [op.x for op in graph.outputs.values()]
    flat = [value for signal in signals for value in (signal if isinstance(signal, tuple) else (signal,))]
    return [value for value in dict.fromkeys(flat) if isinstance(graph.producers[value.name], core.Constant)]


def _steady_source(writer: PackageWriter, value: Value) -> None:
    process, array = writer.name(f"{value.name}_source"), writer.number(value)
    assert array is not None
    row = f"wiring.repeated(job, {writer.literal(process, 'row', array)}, {array.size}).reshape(1, -1)"
    writer.proc(process, "source", "Source", value, file="None", rows=row)
    writer.outs[value.name] = [f"{process}.s_out"]
    writer.kinds[process] = "host: source"


def refuse_by_name(graph: Graph, reasons: Mapping[str, str]) -> None:
    """Raise T301 for every op that neither the chip nor the host beside it holds, with its reason."""
    refused = [
        Finding(
            code="T301",
            what=f"target 'lava' cannot hold {op.opname} ({op.results[0]})",
            where=op.location,
            notes=(reasons[op.opname],),
            hint="thermoc targets shows which targets hold it",
        )
        for op in graph.ops
        if op.opname in reasons
    ]
    if refused:
        raise ThermocError(refused)


def refuse(graph: Graph) -> None:
    """Raise T301 for every op that Loihi does not have, or where the graph has none of Loihi's."""
    units = [op for op in graph.ops if op.opname.startswith("loihi.")]
    if all(isinstance(op, loihi.LoihiEncode | loihi.LoihiDecode) for op in units):
        host_ops = ", ".join(sorted({op.opname for op in graph.ops if not isinstance(op, core.Input | core.Output)}))
        hint = "a unit, or a linear map before one, is what Loihi holds; exe.run lets the host compute the network"
        notes = [f"the host has {host_ops or 'no op'}"]
        raise error("T301", "nothing of this network is Loihi's", notes=notes, hint=hint)
    processes = host_processes(graph)
    inside = of_host(processes) | processes.keys()
    supported = {*MAKERS, core.Input, core.Output, core.Probe, core.Constant}
    known = (*STEPS, core.Constant, core.Tick, loihi.LoihiDecode, loihi.LoihiEncode)
    misplaced = [
        Finding(
            code="T301",
            what=f"{op.opname} is the host's, and stands where Loihi's units are",
            where=op.location,
            notes=("between a loihi.decode and a loihi.encode the host computes core ops without a state",),
        )
        for op in graph.ops
        if (not isinstance(op, known) if op.results and op.results[0].name in inside else type(op) not in supported)
    ]
    if misplaced:
        raise ThermocError(misplaced)


def _sink(writer: PackageWriter, name: str, value: Value) -> str:
    """Return the line of an output: its sink's name, how many units it has and the ports they come from."""
    process = writer.name(f"{name}_sink")
    writer.kinds[process] = "host: sink"
    return f'{json.dumps(name)}: ("{process}", {value.size}, [{", ".join(writer.ports(value))}]),'


def _only_stock(writer: PackageWriter) -> None:
    """Raise T301 for each process of a package that is not one of Lava's own processes."""
    custom = [
        Finding(
            code="T301",
            what=f"{name} is no process of Lava's own",
            notes=(f"it is {kind.removeprefix('custom: ')}, and stock_only was asked for",),
            hint="leave stock_only out",
        )
        for name, kind in writer.kinds.items()
        if kind.startswith("custom")
    ]
    if custom:
        raise ThermocError(custom)


def build_text(writer: PackageWriter, sinks: list[str]) -> str:
    """Return ``build.py``."""
    folders = sorted(writer.procs - WIRED)
    imports = "\n".join(f"from procs.{name}.process import {_class(name)}" for name in folders)
    body = "\n".join(f"    {line}" if line else "" for line in [*writer.lines, "", *writer.wires])
    observed = "\n".join(f"        {line}" for line in sinks)
    # The title stands in a docstring, which a quotation mark or a backslash in the network's name would break.
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
    outputs = {{
{observed}
    }}
    return wiring.observed(job, outputs)
'''


def _class(folder: str) -> str:
    return "".join(word.title() for word in folder.split("_"))


def _wire(writer: PackageWriter, op: Op) -> None:
    """Write the lines that bring an op its signals."""
    process = writer.names.get(op.results[0].name)
    if isinstance(op, MOVED):
        return
    if isinstance(op, SYNAPSES):
        writer.connect(op.x, f"{process}", into=True)
        return
    for name in SIGNALS[type(op)]:
        value = getattr(op, name)
        if name not in PORTS or writer.number(value) is None:
            writer.connect(value, f"{process}.{PORTS.get(name, 'a_in')}", shape=op.results[0].shape)
