"""Where values of the graph are among the tensors of the file.

A value that is the same for every sample has the shape of one sample; any other has the batch axis in front. NumPy's
rule then aligns the two kinds as they are, and only varying values of lower rank need axes after the batch.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.onnx.interface import Interface, Mode
from thermoc.backends.onnx.writer import NodeWriter
from thermoc.ir.graph import Graph
from thermoc.ir.types import Shape
from thermoc.ir.values import Value

CONTROLS: dict[str, tuple[type, int | None]] = {
    "ticks": (np.int64, None),
    "batch": (np.int64, None),
    "seed": (np.uint64, 0),
    "first_sample": (np.int64, 0),
    "first_tick": (np.int64, 0),
    "tick": (np.int64, 0),
}
"""Scalar inputs: format and default; one without a default must be given."""


@dataclass(kw_only=True)
class Scope:
    """What op writers see: the writer, the tensor of each value, and what the whole graph shares."""

    graph: Graph
    interface: Interface
    writer: NodeWriter
    iteration: str = ""
    """The number of the loop's tick, in a loop."""
    tensors: dict[str, str] = field(default_factory=dict)
    states: dict[str, str] = field(default_factory=dict)
    """The tensor that holds each state at the start of the tick, by the name of the delay's result."""
    controls: dict[str, str] = field(default_factory=dict)
    """The scalar inputs in use: name to tensor."""
    defaults: dict[str, NDArray] = field(default_factory=dict)
    """What optional inputs hold where they are left out."""

    def __getitem__(self, value: Value) -> str:
        """Return the tensor of a value."""
        return self.tensors[value.name]

    def varies(self, value: Value) -> bool:
        """Tell whether a value has the batch axis."""
        return value.name not in self.graph.uniform

    def lead(self, value: Value) -> int:
        """Return how many axes of its tensor come before those of one sample."""
        return int(self.varies(value))

    def control(self, name: str) -> str:
        """Return the scalar input of this name, making the file take it."""
        if name not in self.controls:
            dtype, default = CONTROLS[name]
            self.controls[name] = self.writer.names(name)
            if default is not None:
                self.defaults[self.controls[name]] = np.asarray(default, dtype)
        return self.controls[name]

    @cached_property
    def batch(self) -> str:
        """The number of samples, a vector of one: an input's length, or asked for where there is no input."""
        if not self.interface.inputs:
            return self.writer("Unsqueeze", self.control("batch"), self.writer.integers(0))
        axis = int(self.interface.mode is Mode.run)
        return self.writer("Shape", self.interface.inputs[0].tensor, start=axis, end=axis + 1)

    @cached_property
    def ticks(self) -> str:
        """The number of ticks of a run, a scalar."""
        if not self.interface.inputs:
            return self.control("ticks")
        length = self.writer("Shape", self.interface.inputs[0].tensor, start=0, end=1)
        return self.writer("Squeeze", length, self.writer.integers(0))

    @cached_property
    def tick(self) -> str:
        """The number of the tick, an int64 scalar."""
        if self.interface.mode is Mode.step:
            return self.control("tick")
        return self.writer("Add", self.control("first_tick"), self.iteration)

    def elements(self, shape: Shape) -> str:
        """Return the uint64 numbers sample * units + unit of (batch, *shape), which tell noise where it is."""
        w, units = self.writer, self.writer.constant(int(np.prod(shape)), np.int64)
        first = self.control("first_sample")
        stop = w("Add", first, w("Squeeze", self.batch, w.integers(0)))
        # In int64, for Range has no unsigned form.
        numbers = w("Range", w("Mul", first, units), w("Mul", stop, units), w.constant(1, np.int64))
        return w("Cast", w("Reshape", numbers, w.integers(-1, *shape)), to=np.dtype(np.uint64))

    def aligned(self, *values: Value) -> list[str]:
        """Return the values' tensors with axes inserted after the batch, so that samples broadcast."""
        rank = max(len(value.shape) for value in values)
        return [self.raised(value, rank) for value in values]

    def raised(self, value: Value, rank: int) -> str:
        """Return the value's tensor with axes inserted after the batch, so that a sample has ``rank`` of them."""
        missing = rank - len(value.shape)
        # A uniform tensor has no batch axis in front, so broadcasting itself adds its missing axes on the left.
        if not missing or not self.varies(value):
            return self[value]
        return self.writer("Unsqueeze", self[value], self.writer.integers(*range(1, missing + 1)))

    def batched(self, value: Value) -> str:
        """Return the value's tensor with the batch axis, repeated over it if need be."""
        return self[value] if self.varies(value) else self.repeated(self[value], value.shape)

    def repeated(self, tensor: str, shape: Shape) -> str:
        """Return a tensor that broadcasts into (batch, *shape) at full size."""
        return self.writer("Expand", tensor, self.writer("Concat", self.batch, self.writer.integers(*shape), axis=0))
