"""Write a network, read one from a file, save one: inputs, outputs, constants and cycles by name."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable, Mapping
from typing import Any, cast

import numpy as np
from numpy.typing import ArrayLike

from thermoc.frontends import formats
from thermoc.ir.builder import Builder
from thermoc.ir.dialects.core import Input, Output, Parameter, Probe
from thermoc.ir.functions import CURRENT, current
from thermoc.ir.graph import Graph
from thermoc.ir.handle import Handle
from thermoc.ir.ops import OperandSpec
from thermoc.ir.parameters import checked
from thermoc.ir.serial import load_graph, save_graph
from thermoc.ir.types import DType, Role, Shape
from thermoc.ir.values import Array
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import Finding, ThermocError, caller, error
from thermoc.support.suggestions import near
from thermoc.support.tables import html_table


class Network:
    """A network: either being written inside ``with``, or finished. ``dt`` is the time of a tick (network's unit).

    Without an output it stays open on leaving ``with``: it can be entered again, and using it is T101.
    Errors on leaving ``with``: T1xx, every finding at once.
    """

    def __init__(self, name: str, dt: float = 1.0):
        self._builder: Builder | None = Builder(*_checked(name, dt))
        self._graph: Graph | None = None
        self.repairs: tuple[Finding, ...] = ()
        """What the reader of its file repaired or assumed (W501)."""
        self.ticks: int | None = None
        """For how long its file says to run it, where it says so."""

    @classmethod
    def of(cls, graph: Graph, repairs: tuple[Finding, ...] = (), ticks: int | None = None) -> Network:
        """Return the finished network of a graph."""
        network = cls(graph.name, graph.dt)
        network._builder, network._graph, network.repairs, network.ticks = None, graph, repairs, ticks
        return network

    def __enter__(self) -> Network:
        if self._builder is None:
            raise error("T111", "this network is finished", where=caller(), hint="write a new one")
        self._token = CURRENT.set(self._builder)
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        # After an exception too: what is written next must not go into this network.
        CURRENT.reset(self._token)
        builder = self._builder
        if kind is not None or builder is None:
            return
        try:
            self._graph, self._builder = builder.graph(), None
        except ThermocError as problem:
            lacks_output = not any(isinstance(op, Output) for op in builder.ops)
            # A network without an output stays open; any other finding is a mistake to be reported now.
            if not lacks_output or [finding.code for finding in problem.findings] != ["T101"]:
                raise

    @property
    def graph(self) -> Graph:
        """The graph; ``print`` shows text that parses back.

        Errors: T111 while it is being written, T101 where it has no output.
        """
        if self._graph is not None:
            return self._graph
        if self._builder is None or CURRENT.get() is self._builder:
            raise error("T111", "this network is not finished", where=caller(), hint="leave its with block first")
        return self._builder.graph()

    @property
    def name(self) -> str:
        """The network's name."""
        return self.graph.name if self._graph is not None else self._builder.name if self._builder else ""

    @property
    def parameters(self) -> Mapping[str, AnyArray]:
        """Initial values of the parameters by name; they cannot be written to."""
        return {name: op.value.numpy for name, op in self.graph.parameters.items()}

    def with_parameters(self, parameters: Mapping[str, ArrayLike]) -> Network:
        """Return the network with other initial values of some parameters. Errors: T418, T105, T108."""
        return Network.of(checked(self.graph, parameters), self.repairs)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a file, whole or not at all: ``.thermo`` or ``.nir``, by its suffix.

        Artefacts of targets (``.onnx``, ...) are written by ``tc.compile(net, target).save(path)``. Errors: T505, T506
        (no such format of networks), T509, T510.
        """
        if formats.suffix(path) == ".thermo":
            save_graph(self.graph, path)
        else:
            formats.write(self.graph, path)

    def __repr__(self) -> str:
        return f"Network({self.name!r})"

    def _repr_html_(self) -> str:
        if self._graph is None:
            return html_table(f"network {self.name}, being written", [])
        ends = {"input": self.graph.inputs, "output": self.graph.outputs}
        rows = [
            {"kind": kind, "name": name, "type": str(getattr(op, "x" if kind == "output" else "y").type)}
            for kind, ops in ends.items()
            for name, op in ops.items()
        ]
        rows += [{"kind": "state", "name": name, "type": str(list(size))} for name, size in self.graph.states.items()]
        return html_table(f"network {self.name}: {len(self.graph.ops)} ops, dt = {self.graph.dt:g}", rows)


def _checked(name: Any, dt: Any) -> tuple[str, float]:
    if not isinstance(name, str):
        raise error("T111", "a network's name is a text", where=caller(), notes=[f"it is {name!r}"])
    try:
        return name, float(dt)
    except (TypeError, ValueError):
        hint = "the time of a tick, in the unit that the network's times have"
        raise error("T105", "dt is a number", where=caller(), notes=[f"dt = {dt!r}"], hint=hint) from None


def graph_of(network: Network | Graph) -> Graph:
    """Return a network's graph, or the graph that it is already. Errors: T111 for anything else."""
    graph: object = network.graph if isinstance(network, Network) else network
    if not isinstance(graph, Graph):
        path = isinstance(graph, str | os.PathLike)
        hint = f"tc.load({str(graph)!r}) reads one from a file" if path else "pass what tc.Network(...) or tc.load gave"
        notes = [f"it was given {graph!r}" if path else f"it was given {type(graph).__name__}"]
        raise error("T111", "a network is expected, or its graph", where=caller(), notes=notes, hint=hint)
    return graph


def load(path: str | os.PathLike[str], *, format: str | None = None, **options: Any) -> Network:
    """Return the network in a file: ``.thermo``, ``.nir``, ``.onnx``, lava-dl's ``.net``, ..., by its suffix.

    format: the format by its name, where the suffix does not tell it (``thermoc formats`` lists them). options: those
    of the format's reader (docs/formats.md), e.g. ``dt`` of ``.nir``. ``repairs`` of the network tells what the reader
    repaired or assumed. Errors: T501 to T508, T111 for an option the reader does not have.
    """
    if format in (None, "thermo") and formats.suffix(path) == ".thermo" and not options:
        return Network.of(load_graph(path))
    return Network.of(*formats.read(path, format=format, **options))


def from_torch(module: Any, example: Any, **options: Any) -> Network:
    """Return the network of a ``torch.nn.Module``, by ``torch.export``; of snnTorch's and Norse's modules, by NIR.

    example: a tensor, or a tuple of them, as ``forward`` takes. options: ``batch`` (the axis that is the batch; 0),
    ``parameters`` (keep the module's as the network's; True), ``name``, ``dt`` (docs/torch-in.md). Errors: T303, T507
    (an operator that is not read, control flow that depends on data), T508 (it does not run on the example), T510.
    """
    from thermoc.frontends.torch.read import from_module

    return Network.of(*from_module(module, example, **options))


def from_brian2(network: Any, *, namespace: Mapping[str, Any] | None = None) -> Network:
    """Return a ``brian2.Network`` that has not run, as a network of the same equations, schedule and numbers (SI).

    namespace: what names in its equations stand for; by default what is known where this is called. Its monitors are
    the outputs, under their names; a tick is a step of its fastest clock, ``dt`` in seconds (docs/brian2-in.md).
    Errors: T508 (an object that cannot be read, by its name), T524 (Brian2 itself refuses it), T525 (it has run), T107,
    T204, T504, T506, T510.
    """
    from thermoc.frontends.brian2.read import from_network

    frame = inspect.currentframe()
    around = frame.f_back if frame is not None else None
    variables = namespace if namespace is not None else {**around.f_globals, **around.f_locals} if around else {}
    return Network.of(*from_network(network, namespace=variables))


def input(name: str, shape: Shape = (), *, dtype: str = "f64", role: str = "signal") -> Handle:
    """Add a named input of this shape (without the batch axis) and return its value."""
    attrs = {"name": name, "shape": _shape(shape), "dtype": _choice(DType, dtype), "role": _choice(Role, role)}
    return current("input").add(Input, {}, attrs, name)[0]


def output(name: str, value: Handle) -> None:
    """Hand a value out under a name."""
    current("output").add(Output, {"x": value}, {"name": name})


def probe(name: str, value: Handle) -> None:
    """Let a value be recorded under a name by runs that ask for it; it costs nothing in those that do not."""
    current("probe").add(Probe, {"x": value}, {"name": name})


def constant(value: ArrayLike, *, role: str = "signal", name: str | None = None) -> Handle:
    """Add an array of numbers known now; floats become f64, integers i64. Errors: T111 for what is no such array."""
    spec = OperandSpec(shape="?", kind=_kind(value), role=_choice(Role, role))
    return current("constant").constant(value, spec, DType.f64, caller(), "core.constant", name)


def parameter(
    name: str, value: ArrayLike, *, trainable: bool = True, role: str = "signal", dtype: str | None = None
) -> Handle:
    """Add a named array that can be replaced without compiling again; ``value`` is the initial one.

    It gives the bits of a constant of these numbers. dtype: default f64 for floats, i64 for integers. trainable:
    whether learning may change it. Errors: T102 for a name that is taken, T104, T111 for what is no array of numbers.
    """
    builder, target = current("parameter"), None if dtype is None else _choice(DType, dtype)
    spec = OperandSpec(shape="?", kind=_kind(value if target is None else np.empty(0, target.numpy)))
    array = builder.array(value, spec, target or DType.f64, caller(), f"parameter {name!r}")
    converted = array if target is None else array.astype(target.numpy)
    attrs = {"name": name, "value": Array(converted), "trainable": trainable, "role": _choice(Role, role)}
    return builder.add(Parameter, {}, attrs, name)[0]


def _kind(value: ArrayLike) -> str:
    try:
        kind = np.asarray(value).dtype.kind
    except ValueError:  # ragged lists: refused where they are made an array
        kind = "f"
    return "int" if kind in "iu" else "bool" if kind == "b" else "float"


def placeholder(shape: Shape = (), *, dtype: str = "f64", role: str = "signal") -> Handle:
    """Return a value to be defined later by ``connect``: how a cycle is written."""
    return current("placeholder").placeholder(_shape(shape), _choice(DType, dtype), _choice(Role, role))


def connect(placeholder: Handle, value: Handle) -> None:
    """Let ``value`` stand wherever ``placeholder`` was used. Errors: T103, T111."""
    current("connect").connect(placeholder, value)


def _shape(shape: Any) -> Shape:
    several = isinstance(shape, Iterable)
    lengths: tuple[Any, ...] = tuple(cast("Iterable[Any]", shape)) if several else (shape,)
    if not all(isinstance(n, (int, np.integer)) and n >= 0 for n in lengths):
        raise error("T103", "a shape is a tuple of lengths >= 0", where=caller(), notes=[f"it is {shape!r}"])
    return tuple(int(n) for n in lengths)


def _choice(enum: Any, text: str) -> Any:
    try:
        return enum(text)
    except ValueError:
        notes, hint = ["there are " + ", ".join(enum)], near(text, enum)
        raise error("T104", f"{text!r} is no {enum.__name__.lower()}", where=caller(), notes=notes, hint=hint) from None
