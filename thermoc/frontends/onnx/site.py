"""A graph on its way from an ONNX model: what is built, which node is read, and how a node is refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.frontends.onnx.tensor import Shape, Tensor, carrier, known, sample_shape
from thermoc.ir.builder import Builder
from thermoc.ir.dialects.core import Input
from thermoc.ir.functions import call
from thermoc.ir.handle import Handle
from thermoc.ir.ops import STOCHASTIC, OperandSpec
from thermoc.ir.types import DType
from thermoc.support.errors import Finding, Location, ThermocError, error
from thermoc.support.loading import cut

MOST_OPS = 100_000
"""Ops that a model may be unrolled into."""
MOST_ELEMENTS = 2**28
"""Elements of one tensor: 2 GiB as float64."""


@dataclass(kw_only=True)
class Site:
    """The file, the builder, and the node being read."""

    source: str
    builder: Builder
    node: str = ""
    kind: str = ""
    sort: str = "node"
    """What the place is: a node, an input, an output."""
    repairs: list[Finding] = field(default_factory=list)
    _constants: dict[int, tuple[Tensor, Handle]] = field(default_factory=dict)
    _varying: set[str] = field(default_factory=set)
    _seen: int = 0

    def enter(self, node: str, kind: str, sort: str = "node") -> None:
        """Let what is built and refused from here on stand at a node of the file."""
        self.node, self.kind, self.sort = node, kind, sort
        self.builder.place = Location.of_node(Path(self.source).name, f"{sort} {cut(node, 80)!r}")
        if len(self.builder.ops) > MOST_OPS:
            notes = [f"it becomes more than {MOST_OPS} ops"]
            raise error("T504", f"{self.source} asks for too much", where=self.place, notes=notes)

    @property
    def place(self) -> Location:
        """The node in the file."""
        return Location.of_node(self.source, f"{self.sort} {cut(self.node, 80)!r}")

    def refuse(self, why: str, *notes: str, code: str = "T508", hint: str = "") -> ThermocError:
        """Return the error of a node that is not read, and why."""
        return error(code, f"{self.kind}: {why}", where=self.place, notes=notes, hint=hint)

    def assume(self, what: str, *notes: str) -> None:
        """Note, once, what was assumed."""
        if all(finding.what != what for finding in self.repairs):
            self.repairs.append(Finding(code="W501", what=what, where=self.place, notes=notes))

    # ----------------------------------------------------------------------------------------------------- values

    def value(self, tensor: Tensor) -> Handle:
        """Return the tensor's value in the network; known numbers become a constant. Errors: T508."""
        if tensor.handle is not None:
            return tensor.handle
        if id(tensor) not in self._constants:
            self._constants[id(tensor)] = (tensor, self._constant(tensor))
        return self._constants[id(tensor)][1]

    def _constant(self, tensor: Tensor) -> Handle:
        numbers = tensor.numbers
        if tensor.other is not None or numbers is None:
            raise self.refuse("its numbers depend on the length of the batch, which a network does not know")
        format_ = carrier(tensor.elem)
        if format_ is None:
            raise self.refuse(f"a network has no numbers of type {tensor.elem.name}")
        array = np.asarray(numbers).astype(format_.numpy)
        finite = np.isfinite(array)
        if array.dtype.kind == "b" or finite.all():
            return self.plain(array)
        # Constants of a graph are finite, so what is not is computed: log 0, -log 0 and the root of -1.
        value = self.plain(np.where(finite, array, 0).astype(array.dtype))
        for where, make in (
            (np.isneginf(array), lambda: call("core.log", self.plain(np.zeros((), array.dtype)))),
            (np.isposinf(array), lambda: -call("core.log", self.plain(np.zeros((), array.dtype)))),
            (np.isnan(array), lambda: call("core.sqrt", self.plain(-np.ones((), array.dtype)))),
        ):
            if where.any():
                value = call("core.select", self.plain(where), make(), value)
        return value

    def plain(self, array: NDArray) -> Handle:
        """Return a constant of finite numbers."""
        dtype = DType.of(array.dtype) or DType.f64
        kind = {"b": "bool", "i": "int"}.get(array.dtype.kind, "float")
        return self.builder.constant(array, OperandSpec(shape="*s", kind=kind), dtype, self.builder.place, self.kind)

    def uniform(self, handle: Handle) -> bool:
        """Tell whether a value is the same for every sample: it depends on no input."""
        for op in self.builder.ops[self._seen :]:
            if isinstance(op, Input) or STOCHASTIC in op.traits or any(v.name in self._varying for v in op.inputs):
                self._varying.update(value.name for value in op.results)
        self._seen = len(self.builder.ops)
        return handle.value.name not in self._varying

    def tensor(self, handle: Handle, shape: Shape, elem: Any) -> Tensor:
        """Return a value as a tensor of these axes, repeated to them where it is smaller. Errors: T504."""
        expected = sample_shape(shape)
        self.check_size(expected)
        if handle.shape != expected:
            handle = call("core.broadcast", handle, shape=expected)
        return Tensor(elem=np.dtype(elem), shape=tuple(int(n) for n in shape), handle=handle)

    def check_size(self, shape: Shape) -> None:
        """Refuse a tensor that no memory holds. Errors: T504."""
        if np.prod([float(length) for length in shape] or [1.0]) > MOST_ELEMENTS:
            notes = [f"it has shape {list(shape)}", f"the limit is {MOST_ELEMENTS} elements"]
            raise self.refuse("a tensor is too large", *notes, code="T504")

    def numbers(self, tensor: Tensor | None, what: str) -> NDArray:
        """Return known numbers. Errors: T508 where they are computed, or depend on the batch."""
        if tensor is None or tensor.numbers is None:
            hint = "tc.load(..., fixed={name: array}) gives an input's numbers at load"
            raise self.refuse(f"{what} must be known when the model is read, and is computed", hint=hint)
        if tensor.other is not None:
            raise self.refuse(f"{what} depends on the length of the batch, which a network does not know")
        return tensor.numbers

    def integers(self, tensor: Tensor | None, what: str) -> tuple[int, ...]:
        """Return known integers; ``BATCH`` may be among them. Errors: T508."""
        if tensor is None or tensor.numbers is None:
            return tuple(int(n) for n in self.numbers(tensor, what).reshape(-1))
        if tensor.numbers.dtype.kind not in "iu":
            raise self.refuse(f"{what} are {tensor.elem.name}, not integers")
        return tuple(int(n) for n in tensor.numbers.reshape(-1))


def of_python(number: Any, like: Tensor) -> Tensor:
    """Return a number as a known tensor of another's type."""
    return known(np.asarray(number, like.elem))
