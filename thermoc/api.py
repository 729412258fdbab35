"""The front door: networks, compile, run, save, load."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from thermoc import plugins
from thermoc.frontends import formats
from thermoc.ir.builder import CURRENT, Builder, Handle, current
from thermoc.ir.dialects.core import Input, Output
from thermoc.ir.feed import feed
from thermoc.ir.graph import Graph
from thermoc.ir.ops import OperandSpec
from thermoc.ir.serial import load_graph, save_graph
from thermoc.ir.types import DType, Role, Shape
from thermoc.passes.analysis.lint import lint as lint_graph
from thermoc.passes.base import Lowered, Record, run_passes
from thermoc.results import Call, Run
from thermoc.support.errors import Finding, ThermocError, caller, error
from thermoc.support.tables import html_table

if TYPE_CHECKING:
    from thermoc.backends.base import Artefact, Backend
    from thermoc.passes.report import Report


class Network:
    """A network: either being written inside ``with``, or finished. ``dt`` is the time of a tick (network's unit).

    Without an output it stays open on leaving ``with``: it can be entered again, and using it is T101.
    Errors on leaving ``with``: T1xx, every finding at once.
    """

    def __init__(self, name: str, dt: float = 1.0):
        self._builder: Builder | None = Builder(name, float(dt))
        self._graph: Graph | None = None
        self.repairs: tuple[Finding, ...] = ()
        """What the reader of its file mended or assumed (W501)."""

    @classmethod
    def of(cls, graph: Graph, repairs: tuple[Finding, ...] = ()) -> Network:
        """Return the finished network of a graph."""
        network = cls(graph.name, graph.dt)
        network._builder, network._graph, network.repairs = None, graph, repairs
        return network

    def __enter__(self) -> Network:
        if self._builder is None:
            raise error("T111", "this network is finished", where=caller(), hint="write a new one")
        self._token = CURRENT.set(self._builder)
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        CURRENT.reset(self._token)
        builder = self._builder
        if kind is not None or builder is None:
            return
        try:
            self._graph, self._builder = builder.graph(), None
        except ThermocError as problem:
            lacks_output = not any(isinstance(op, Output) for op in builder.ops)
            if not lacks_output or [finding.code for finding in problem.findings] != ["T101"]:
                raise

    @property
    def graph(self) -> Graph:
        """The graph; ``print`` shows text that parses back.

        Errors: T111 while it is being written, T101 where it has no output.
        """
        if self._graph is not None:
            return self._graph
        if self._builder is None or CURRENT.get() is self._builder or not self._builder.ops:
            raise error("T111", "this network is not finished", where=caller(), hint="leave its with block first")
        return self._builder.graph()

    @property
    def name(self) -> str:
        """The network's name."""
        return self.graph.name if self._graph is not None else self._builder.name if self._builder else ""

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


def load(path: str | os.PathLike[str], **options: Any) -> Network:
    """Return the network in a file: ``.thermo``, ``.nir`` or lava-dl's ``.net``, by its suffix.

    options: those of the format's reader (docs/formats.md), e.g. ``dt`` of ``.nir``. ``repairs`` of the network tells
    what the reader mended or assumed. Errors: T501 to T508, T111 for an option the reader does not have.
    """
    if formats.suffix(path) == ".thermo" and not options:
        return Network.of(load_graph(path))
    return Network.of(*formats.read(path, **options))


def input(name: str, shape: Shape = (), *, dtype: str = "f64", role: str = "signal") -> Handle:
    """Add a named input of this shape (without the batch axis) and return its value."""
    attrs = {"name": name, "shape": _shape(shape), "dtype": _choice(DType, dtype), "role": _choice(Role, role)}
    return current("input").add(Input, {}, attrs, name)[0]


def output(name: str, value: Handle) -> None:
    """Hand a value out under a name."""
    current("output").add(Output, {"x": value}, {"name": name})


def constant(value: ArrayLike, *, role: str = "signal", name: str | None = None) -> Handle:
    """Add an array of numbers known now; floats become f64, integers i64. Errors: T111 for what is no such array."""
    spec = OperandSpec(
        shape="?",
        kind="int"
        if np.asarray(value).dtype.kind in "iu"
        else "bool"
        if np.asarray(value).dtype.kind == "b"
        else "float",
        role=_choice(Role, role),
    )
    return current("constant").constant(value, spec, DType.f64, caller(), "core.constant", name)


def placeholder(shape: Shape = (), *, dtype: str = "f64", role: str = "signal") -> Handle:
    """Return a value to be defined later by ``connect``: how a cycle is written."""
    return current("placeholder").placeholder(_shape(shape), _choice(DType, dtype), _choice(Role, role))


def connect(placeholder: Handle, value: Handle) -> None:
    """Let ``value`` stand wherever ``placeholder`` was used. Errors: T103, T111."""
    current("connect").connect(placeholder, value)


def _shape(shape: Any) -> Shape:
    lengths = (shape,) if isinstance(shape, (int, np.integer)) else tuple(shape)
    if not all(isinstance(n, (int, np.integer)) and n >= 0 for n in lengths):
        raise error("T103", "a shape is a tuple of lengths >= 0", where=caller(), notes=[f"it is {shape!r}"])
    return tuple(int(n) for n in lengths)


def _choice(enum: Any, text: str) -> Any:
    try:
        return enum(text)
    except ValueError:
        raise error(
            "T104", f"{text!r} is no {enum.__name__.lower()}", where=caller(), notes=["there are " + ", ".join(enum)]
        ) from None


@dataclass(frozen=True, kw_only=True, repr=False)
class Executable:
    """A network compiled for a target: run it, save it, ask what was done."""

    source: Graph
    lowered: Lowered
    backend: Backend
    options: Any

    @property
    def graph(self) -> Graph:
        """The lowered graph, which the reference interpreter can run too."""
        return self.lowered.graph

    @property
    def records(self) -> tuple[Record, ...]:
        """What each pass did."""
        return self.lowered.records

    @cached_property
    def warnings(self) -> tuple[Finding, ...]:
        """What is well formed and yet does not do what it seems to: ``lint`` of the network."""
        return lint_graph(self.source)

    @cached_property
    def artefact(self) -> Artefact:
        """What the target runs."""
        return self.backend.emit(self.lowered, self.options)

    def run(
        self,
        inputs: Mapping[str, ArrayLike] | None = None,
        *,
        ticks: int | None = None,
        batch: int | None = None,
        seed: int = 0,
        first_sample: int = 0,
        first_tick: int = 0,
    ) -> Run:
        """Run from the initial state.

        inputs: arrays (batch, *shape), held over the ticks, or (ticks, batch, *shape). first_sample and first_tick
        place the run in the noise, so that a batch split over runs draws what the whole would.
        Errors: T401 to T404, T408.
        """
        from thermoc.backends.base import Place

        where = {"seed": seed, "first_sample": first_sample, "first_tick": first_tick}
        given = feed(self.graph, {} if inputs is None else inputs, ticks=ticks, batch=batch, **where)
        outcome = self.backend.run(self.artefact, given, Place(**where))
        return Run(
            network=self.source.name,
            target=self.backend.name,
            seed=seed,
            dt=self.graph.dt,
            outputs=outcome.outputs,
            states=outcome.states,
            chip=outcome.chip,
            call=Call(
                executable=self,
                inputs={name: np.asarray(array) for name, array in ({} if inputs is None else inputs).items()},
                ticks=given.ticks,
                batch=given.batch,
                place=where,
                timed=frozenset(name for name, array in given.arrays.items() if array.strides[0] != 0),
            ),
        )

    def save(self, path: str | os.PathLike[str]) -> int:
        """Write the artefact, whole or not at all; return its size in bytes. Errors: T505, T506 (a network's suffix).

        It is one file, but for Brian2: a script and the ``.npz`` beside it.
        """
        formats.check_artefact(path, self.backend.name, self.artefact.suffix)
        return self.artefact.save(path)

    def __repr__(self) -> str:
        return f"Executable({self.source.name!r} for {self.backend.name}, {len(self.graph.ops)} ops)"

    def _repr_html_(self) -> str:
        return self.report()._repr_html_()

    def report(self) -> Report:
        """Return what was done to the network; it prints."""
        from thermoc.passes.report import compilation_report

        return compilation_report(self.source, self.lowered, self.backend.name, self.warnings)


def compile(
    network: Network | Graph, target: str = "sim", *, dump_ir: str | os.PathLike[str] | None = None, **options: Any
) -> Executable:
    """Bring a network to a target.

    dump_ir: a folder for the graph's text after each pass that changed something. options: see each target's
    ``Options``. Errors: T1xx, T2xx, T3xx.
    """
    graph = network.graph if isinstance(network, Network) else network
    backend = plugins.backend(target)
    chosen = _options(backend, options)
    lowered = run_passes(graph, backend.lower(chosen, dt=graph.dt), dump_ir=None if dump_ir is None else Path(dump_ir))
    return Executable(source=graph, lowered=lowered, backend=backend, options=chosen)


def lint(network: Network | Graph) -> tuple[Finding, ...]:
    """Return warnings about a network's physics: frozen sampling, couplings that are not symmetric, unstable steps."""
    return lint_graph(network.graph if isinstance(network, Network) else network)


def _options(backend: Backend, given: Mapping[str, Any]) -> Any:
    known = [item.name for item in dataclasses.fields(backend.Options)]
    unknown = [name for name in given if name not in known]
    if unknown:
        notes, hint = [f"its options are {', '.join(known)}"], _elsewhere(unknown[0])
        raise error("T303", f"target {backend.name!r} has no option {unknown[0]!r}", notes=notes, hint=hint)
    _check_samples(given)
    return backend.Options(**given)


def _elsewhere(option: str) -> str:
    """Return which of our targets have an option, as a hint."""
    fields = {name: dataclasses.fields(plugins.backend(name).Options) for name in plugins.OURS}
    targets = [name for name, options in fields.items() if option in [item.name for item in options]]
    return f"target {' and '.join(map(repr, targets))} has it: target={targets[0]!r}" if targets else ""


def _check_samples(given: Mapping[str, Any]) -> None:
    """Refuse a range or samples of the inputs that are none, whatever the target. Errors: T303."""
    span, samples = given.get("input_range"), given.get("calibrate")
    if span is not None and not _is_range(span):
        notes, hint = [f"input_range = {span!r}"], "give (low, high); in the shell: -O 'input_range=[-1, 1]'"
        raise error("T303", "input_range must be two finite numbers, the lower first", notes=notes, hint=hint)
    if samples is not None and not isinstance(samples, Mapping):
        notes = [f"it is a {type(samples).__name__}"]
        raise error("T303", "calibrate must hold samples of inputs by name", notes=notes, hint='give {"x": array}')


def _is_range(span: Any) -> bool:
    try:
        ends = np.asarray(span)
    except ValueError:
        return False
    return (
        ends.shape == (2,) and ends.dtype.kind in "iuf" and bool(np.isfinite(ends).all()) and bool(ends[0] <= ends[1])
    )
