"""The interface of an ONNX file: its inputs, outputs and states, and what they are called in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from thermoc.backends.onnx.writer import Dims
from thermoc.ir.dialects.core import Delay, Input, Tick
from thermoc.ir.graph import Graph, NameSource
from thermoc.ir.ops import STATEFUL, STOCHASTIC
from thermoc.ir.types import Shape
from thermoc.ir.values import Value

EITHER = "one_or_batch"


class Mode(StrEnum):
    """What one call of the file does."""

    layers = "layers"
    """Inputs (batch, *shape) to outputs (batch, *shape): a network without state, noise or clock."""
    run = "run"
    """Inputs (ticks, batch, *shape) to outputs (ticks, batch, *shape): every tick, in a loop inside the file."""
    step = "step"
    """One tick: inputs and outputs (batch, *shape), the states before to the states after."""


@dataclass(frozen=True, kw_only=True)
class OnnxPort:
    """An input or an output: the network's name for it, the file's, and the type of one sample."""

    name: str
    tensor: str
    shape: Shape
    dtype: str
    role: str


@dataclass(frozen=True, kw_only=True)
class StatePort:
    """A state (batch, *shape), read from ``tensor`` (left out: the initial state) and returned as ``final``.

    shape is (ticks of the delay, *shape of the value), oldest first. A uniform state is the same for every sample: its
    first axis is 1.
    """

    name: str
    tensor: str
    final: str
    shape: Shape
    dtype: str
    role: str
    uniform: bool

    @property
    def given(self) -> Dims:
        """The dimensions it is read in: one sample's state serves the whole batch."""
        return (1 if self.uniform else EITHER, *self.shape)

    @property
    def returned(self) -> Dims:
        """The dimensions it is returned in."""
        return (1 if self.uniform else "batch", *self.shape)


@dataclass(frozen=True, kw_only=True)
class Interface:
    """Everything a caller needs. ``controls`` names the scalar inputs in use: seed, ticks, batch, first_tick, ..."""

    mode: Mode
    inputs: tuple[OnnxPort, ...]
    outputs: tuple[OnnxPort, ...]
    states: tuple[StatePort, ...]
    parameters: tuple[OnnxPort, ...] = ()
    """Optional inputs of the shape of one sample, whose initializers hold what the network was compiled with."""
    controls: Mapping[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the interface as JSON values."""
        return asdict(self)

    def dims(self, port: OnnxPort) -> Dims:
        """Return the dimensions of an input or output in the file."""
        return ("ticks", "batch", *port.shape) if self.mode is Mode.run else ("batch", *port.shape)


def interface_of(graph: Graph, names: NameSource, *, step: bool) -> Interface:
    """Return the interface of a lowered graph, claiming names in this order: inputs, outputs, parameters, states."""
    inputs = tuple(_port(op.name, op.y, names(op.name)) for op in graph.inputs.values())
    outputs = tuple(_port(op.name, op.x, names(op.name)) for op in graph.outputs.values())
    parameters = tuple(_port(op.name, op.y, names(op.name)) for op in graph.parameters.values())
    states = tuple(_state(graph, op, names) for op in graph.of(Delay))
    return Interface(mode=_mode(graph, step), inputs=inputs, outputs=outputs, states=states, parameters=parameters)


def _mode(graph: Graph, step: bool) -> Mode:
    if step:
        return Mode.step
    timeless = all(not op.traits & {STATEFUL, STOCHASTIC} and not isinstance(op, Tick) for op in graph.ops)
    # Without an input no axis says how many ticks there are: the file has to ask for them, as a run does.
    return Mode.layers if timeless and graph.of(Input) else Mode.run


def _port(name: str, value: Value, tensor: str) -> OnnxPort:
    kind = value.inferred
    return OnnxPort(name=name, tensor=tensor, shape=kind.shape, dtype=kind.dtype, role=kind.role)


def _state(graph: Graph, op: Delay, names: NameSource) -> StatePort:
    kind, name = op.y.inferred, f"{op.y.name}.buffer"
    return StatePort(
        name=name,
        tensor=names(name),
        final=names(f"{name}.final"),
        shape=(op.ticks, *kind.shape),
        dtype=kind.dtype,
        role=kind.role,
        uniform=op.y.name in graph.uniform,
    )
