"""Processes of the host between two parts of Loihi: the steps that Lava's Python computes, and what it is given."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from thermoc.backends.lava.writer import PackageWriter
from thermoc.ir.dialects import core, loihi
from thermoc.ir.element_indices import MOVES
from thermoc.ir.graph import Graph
from thermoc.ir.host_device import between, host_ops_behind
from thermoc.ir.ops import Op
from thermoc.ir.types import DType
from thermoc.support.array_types import IntArray

ELEMENTWISE = (
    *(core.Neg, core.Abs, core.Sign, core.Exp, core.Expm1, core.Log, core.Sqrt, core.Sin, core.Cos, core.Tanh),
    *(core.Floor, core.Add, core.Sub, core.Mul, core.Div, core.Pow, core.Minimum, core.Maximum, core.Less),
    *(core.LessEqual, core.Greater, core.GreaterEqual, core.Equal, core.And, core.Or, core.Not, core.Select),
)
STEPS = (*ELEMENTWISE, *MOVES, core.Cast, core.Concat, core.Reduce, core.Matmul)
"""What ``package/host.py`` computes."""
ATTRS = ("dtype", "shape", "axes", "axis", "kind", "starts", "stops", "steps")
"""Of an op, what its step depends on."""


@dataclass(frozen=True, kw_only=True)
class HostProcess:
    """An encode, the ops behind it in the order of a tick, and the decodes by which it is given what Loihi says."""

    encode: loihi.LoihiEncode
    ops: tuple[Op, ...]
    decodes: tuple[loihi.LoihiDecode, ...]

    @property
    def inputs(self) -> int:
        """How many integers it is given."""
        return sum(op.x.size for op in self.decodes)

    def places(self) -> Iterable[tuple[loihi.LoihiDecode, IntArray]]:
        """Yield each decode, and of what it is given the index where it stands among all, -1 elsewhere."""
        start = 0
        for op in self.decodes:
            index = np.full(self.inputs, -1)
            index[start : start + op.x.size] = np.arange(op.x.size)
            start += op.x.size
            yield op, index


def host_processes(graph: Graph) -> dict[str, HostProcess]:
    """Return the processes of a graph by the message that each says."""
    processes: dict[str, HostProcess] = {}
    for encode in between(graph)[0]:
        downstream = set(host_ops_behind(graph, encode))
        ordered = tuple(op for op in graph.order if op in downstream)
        decodes = tuple(op for op in ordered if isinstance(op, loihi.LoihiDecode))
        processes[encode.y.name] = HostProcess(encode=encode, ops=ordered, decodes=decodes)
    return processes


def of_host(processes: dict[str, HostProcess]) -> frozenset[str]:
    """Return the names of the values that are computed in processes of the host, their messages apart."""
    return frozenset(value.name for process in processes.values() for op in process.ops for value in op.results)


def write(writer: PackageWriter, process: HostProcess) -> None:
    """Write the line that makes a process of the host."""
    name = writer.name(process.encode.y.name)
    writer.outs[process.encode.y.name] = [f"{name}.s_out"]
    constants: dict[str, str] = {}
    steps: list[dict[str, Any]] = []
    for op in process.ops:
        if isinstance(op, core.Constant):
            writer.arrays[f"{name}.{op.y.name}"] = op.value.numpy
            constants[op.y.name] = f'w["{name}.{op.y.name}"]'
        elif not isinstance(op, loihi.LoihiDecode | core.Tick):
            steps.append(_step(op, process))
    messages = [(op.y.name, op.y.shape, op.scale) for op in process.decodes]
    literals = ", ".join(f'"{key}": {where}' for key, where in constants.items())
    numbers = {
        "inputs": str(process.inputs),
        "given": repr(messages),
        "steps": repr(steps),
        "constants": f"{{{literals}}}",
    }
    rule = {"result": f'"{_named(process.encode.x.name, process)}"', "scale": repr(process.encode.scale)}
    writer.proc(name, "host", "Host", process.encode.y, **numbers, **rule, bits=process.encode.bits, job="job")
    writer.kinds[name] = "host: between"


def _step(op: Op, process: HostProcess) -> dict[str, Any]:
    attrs = {key: _plain(getattr(op, key)) for key in op.attr_specs if key in ATTRS}
    inputs = [_named(value.name, process) for value in op.inputs]
    return {"op": op.opname.partition(".")[2], "attrs": attrs, "inputs": inputs, "result": op.results[0].name}


def _named(name: str, process: HostProcess) -> str:
    """Return the name under which a step reads a value: all clocks of a process are one."""
    return "tick" if any(isinstance(op, core.Tick) and op.results[0].name == name for op in process.ops) else name


def _plain(attr: Any) -> Any:
    return str(attr.numpy) if isinstance(attr, DType) else attr


def wire(writer: PackageWriter, process: HostProcess) -> None:
    """Write the lines that bring a process what it is given: side by side, at one port."""
    name = writer.names[process.encode.y.name]
    for number, (op, index) in enumerate(process.places()):
        for out in writer.ports(op.x):
            routed = writer.route(f"{process.encode.y.name}.given.{number}", out, index, op.x.size)
            writer.wires.append(f"{routed}.connect({name}.a_in)")
