"""Writes a Lava package while its graph is walked: lines of build.py, arrays, states."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.lava.bounds import Bounds
from thermoc.ir.dialects import core
from thermoc.ir.element_indices import indices
from thermoc.ir.graph import Graph
from thermoc.ir.values import Value

RESERVED = {"job", "w", "many", "wiring", "np", "build", "outputs", "phase", "time_step", "name"}
"""Names that ``build.py`` or Lava uses itself."""


@dataclass(frozen=True, kw_only=True)
class Stated:
    """A state of the network: the process and variable that hold it, and its shape for one sample."""

    state: str
    process: str
    variable: str
    shape: tuple[int, ...]


@dataclass
class PackageWriter:
    """What has been written of a package."""

    graph: Graph
    bounds: Bounds
    idle: bool = False
    """A unit without state may speak before its lag is over: nobody listens yet."""
    names: dict[str, str] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)
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

    def literal(self, process: str, name: str, array: NDArray) -> str:
        """Return how build.py writes a parameter: a number, or where it stands in weights.npz."""
        if array.size == 1 or (array.size and (array == array.flat[0]).all()):
            return str(int(array.flat[0]))
        self.arrays[f"{process}.{name}"] = array.astype(np.int32)
        return f'w["{process}.{name}"]'

    def number(self, value: Value | None) -> NDArray | None:
        """Return the array behind a value that is a constant."""
        source = None if value is None else self.graph.producers[value.name]
        return source.value.numpy if isinstance(source, core.Constant) else None

    def call(self, process: str, function: str, *positional: str, **attrs: Any) -> None:
        """Write the line that makes a process."""
        arguments = [
            *positional,
            *(f"{key}={item if isinstance(item, str) else repr(item)}" for key, item in attrs.items()),
        ]
        line = f"{process} = {function}({', '.join(arguments)})"
        self.lines += (
            [line] if len(line) < 112 else [f"{process} = {function}(", *(f"    {item}," for item in arguments), ")"]
        )

    def proc(self, process: str, folder: str, cls: str, units: Value, **attrs: Any) -> None:
        """Write the line that makes one of our own processes."""
        self.procs.add(folder)
        self.kinds[process] = f"custom: {folder}"
        self.call(process, cls, shape=f"({units.size} * many,)", **attrs, name=f'"{process}"')

    def ports(self, value: Value) -> list[str]:
        """Return the ports that add up to a value, each once: Lava connects two ports once."""
        outs = self.outs[value.name]
        return [
            self.route(f"{value.name}.again", out, np.arange(value.size), value.size) if out in outs[:number] else out
            for number, out in enumerate(outs)
        ]

    def connect(self, value: Value, target: str, *, shape: tuple[int, ...] | None = None, into: bool = False) -> None:
        """Write the lines that bring a value to a port, or into a synapse; spread over a larger ``shape``."""
        for out in self.ports(value):
            if shape is not None and value.type is not None and value.type.shape != shape:
                out = self.spread(value, out, shape)
            self.wires.append(f"{target}.into({out})" if into else f"{out}.connect({target})")

    def spread(self, value: Value, out: str, shape: tuple[int, ...]) -> str:
        """Return a port with the value's elements broadcast to a shape."""
        index = np.broadcast_to(indices(value.shape), shape).reshape(-1)
        return self.route(f"{value.name}.spread", out, index, value.size)

    def route(self, wanted: str, out: str, index: NDArray, units: int) -> str:
        """Return a port with the elements of another in another order."""
        name = self.name(wanted)
        self.procs.add("route")
        self.kinds[name] = "custom: route"
        self.arrays[f"{name}.index"] = index.astype(np.int32)
        self.wires.append(f'{name} = wiring.route(job, {out}, w["{name}.index"], {units}, "{name}")')
        return name
