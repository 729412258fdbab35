"""Turns a lowered graph into the files of a Lava package: which process each op is, and what is connected to what."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from thermoc.backends.lava.bounds import Bounds
from thermoc.backends.lava.parts import INSIDE, MOVED, PARTS, PORTS
from thermoc.backends.lava.writer import Writer
from thermoc.ir.dialects import core, loihi
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.places import MOVES
from thermoc.ir.values import Value
from thermoc.support.arrays import npz_bytes
from thermoc.support.errors import Finding, ThermocError, error

PACKAGE = Path(__file__).parent / "package"
SHARED = ("run.py", "arrays.py", "wiring.py", "arithmetic.py")
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
SYNAPSES = (loihi.Dense, loihi.Sparse, loihi.Conv)
"""Ops that delay what they send by a tick."""


def files(graph: Graph, about: dict[str, Any], *, stock_only: bool = False) -> dict[str, bytes]:
    """Return the content of each file of the package, but ``golden.npz``, for a graph of integers.

    about: what else the manifest says. Errors: T301 for ops that are the host's, and (stock_only) for
    parts that are not Lava's own.
    """
    refuse(graph)
    known = {name: 2 ** (border["bits"] - 1) - 1 for name, border in about["borders"]["encode"].items()}
    writer = Writer(graph=graph, bounds=Bounds.of(graph, known), idle=stock_only)
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
    if stock_only:
        _only_stock(writer)
    writer.procs.add("hub")
    made = {"build.py": build_text(writer, ends).encode(), "weights.npz": npz_bytes(writer.arrays, compress=True)}
    made |= {name: (PACKAGE / name).read_bytes() for name in SHARED}
    made |= {
        f"procs/{name}/process.py": (PACKAGE / "procs" / name / "process.py").read_bytes() for name in writer.procs
    }
    manifest = about | {
        "network": graph.name,
        "graph": graph.hash,
        "inputs": {name: list(op.shape) for name, op in graph.inputs.items()},
        "outputs": {name: list(op.x.shape) for name, op in graph.outputs.items()},
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


def _only_stock(writer: Writer) -> None:
    """Raise T301 for each part of a package that is not one of Lava's own processes."""
    found = [
        Finding(
            code="T301",
            what=f"{name} is no process of Lava's own",
            notes=(f"it is {kind.removeprefix('custom: ')}, and stock_only was asked for",),
            hint="leave stock_only out",
        )
        for name, kind in writer.kinds.items()
        if kind.startswith("custom")
    ]
    if found:
        raise ThermocError(found)


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
            writer.connect(value, f"{part}.{PORTS.get(name, 'a_in')}", shape=op.results[0].shape)
