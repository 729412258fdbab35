"""Writes ONNX nodes as plain records: hoists what a loop need not repeat, merges equal nodes, drops dead ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from thermoc.ir.graph import NameSource
from thermoc.ir.values import Array

Dims = tuple[int | str, ...]


@dataclass(frozen=True, kw_only=True)
class NamedTensor:
    """A named tensor of known format; a dimension is a length, or the name of one known when it runs."""

    name: str
    dtype: np.dtype
    dims: Dims


@dataclass(frozen=True, kw_only=True)
class Body:
    """The graph inside a loop. It may read any tensor of the graph around it."""

    nodes: tuple[OnnxNode, ...]
    inputs: tuple[NamedTensor, ...]
    outputs: tuple[NamedTensor, ...]


@dataclass(frozen=True, kw_only=True)
class OnnxNode:
    """One operator of the default domain."""

    kind: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attrs: Mapping[str, Any] = field(default_factory=dict)
    body: Body | None = None

    @property
    def reads(self) -> set[str]:
        """Every tensor needed, those read from inside the body included."""
        inside = self.body.nodes if self.body else ()
        return {name for names in (self.inputs, *(node.inputs for node in inside)) for name in names}


class NodeWriter:
    """Nodes in the order they run; ``w("Add", a, b)`` writes one and returns the name of its output.

    Between ``enter`` and ``leave`` a node goes into the loop's body only if it reads something made there, so whatever
    is the same for every tick is computed once, before the loop.
    """

    def __init__(self, names: NameSource):
        self.names = names
        self.nodes: list[OnnxNode] = []
        self.constants: dict[str, NDArray] = {}
        self.subject = "graph"
        self._body: list[OnnxNode] = []
        self._inside: set[str] = set()
        self._made: dict[Any, str] = {}

    def __call__(self, kind: str, *inputs: str, **attrs: Any) -> str:
        """Write a node of one output, unless an equal one is there; return its output's name."""
        # Equal nodes give equal tensors: no operator with random numbers or a state of its own is ever written.
        key = (kind, inputs, tuple(sorted(attrs.items())))
        if key not in self._made:
            output = self.name(kind.lower())
            self._made[key] = output
            self._place(OnnxNode(kind=kind, inputs=inputs, outputs=(output,), attrs=attrs))
        return self._made[key]

    def name(self, what: str) -> str:
        """Return a fresh name that says which value it serves; the slash keeps it apart from the user's names."""
        return self.names(f"{self.subject}/{what}")

    def constant(self, data: ArrayLike, dtype: DTypeLike | None = None) -> str:
        """Return the name of an initializer with this content."""
        array = np.asarray(data, dtype)
        key = Array(array).digest
        if key not in self._made:
            self._made[key] = self.name("constant")
            self.constants[self._made[key]] = array
        return self._made[key]

    def integers(self, *numbers: int) -> str:
        """Return an int64 vector, which is how operators take axes and shapes."""
        return self.constant(numbers, np.int64)

    def _place(self, node: OnnxNode) -> None:
        inside = not self._inside.isdisjoint(node.inputs)
        (self._body if inside else self.nodes).append(node)
        if inside:
            self._inside.update(node.outputs)

    def enter(self, inputs: Iterable[NamedTensor]) -> None:
        """Begin the body of a loop over these tensors."""
        self._inside.update(tensor.name for tensor in inputs)

    def leave(self, inputs: Sequence[NamedTensor], outputs: Sequence[NamedTensor]) -> Body:
        """End the body; the outputs name the tensors it returns, each of which becomes one of its own."""
        produced: set[str] = set()
        for node in self._body:
            produced.update(node.outputs)
        owned = [self._owned(tensor, produced) for tensor in outputs]
        nodes = live(self._body, {tensor.name for tensor in owned})
        self._body, self._inside = [], set()
        return Body(nodes=tuple(nodes), inputs=tuple(inputs), outputs=tuple(owned))

    def _owned(self, tensor: NamedTensor, produced: set[str]) -> NamedTensor:
        """Return the tensor if the body makes it and has not returned it yet, else a copy."""
        if tensor.name in produced:
            produced.discard(tensor.name)
            return tensor
        copy = self.name("copy")
        self._body.append(OnnxNode(kind="Identity", inputs=(tensor.name,), outputs=(copy,)))
        return replace(tensor, name=copy)

    def loop(self, ticks: str, initial: Sequence[str], body: Body) -> list[str]:
        """Write a loop over ``ticks``; return the final states, then the outputs stacked over the ticks."""
        # The body's first output is the condition, which a Loop does not return.
        outputs = tuple(self.name("loop") for _ in body.outputs[1:])
        # The condition stays true: the number of ticks alone ends the loop.
        inputs = (ticks, self.constant(True), *initial)
        self.nodes.append(OnnxNode(kind="Loop", inputs=inputs, outputs=outputs, body=body))
        return list(outputs)

    def finish(self, outputs: Mapping[str, str]) -> None:
        """Name the output tensors by the keys, and drop what none of them needs."""
        produced = {name for node in self.nodes for name in node.outputs}
        renames: dict[str, str] = {}
        for output, tensor in outputs.items():
            # A tensor has one name: if it serves two outputs, or is no node's result, the output is a copy.
            if tensor in produced and tensor not in renames:
                renames[tensor] = output
            else:
                self.nodes.append(OnnxNode(kind="Identity", inputs=(tensor,), outputs=(output,)))
        self.nodes = live([_renamed(node, renames) for node in self.nodes], set(outputs))
        used = {name for node in self.nodes for name in node.reads}
        self.constants = {name: array for name, array in self.constants.items() if name in used}


def live(nodes: Sequence[OnnxNode], wanted: set[str]) -> list[OnnxNode]:
    """Return the nodes that the wanted tensors need, in order."""
    needed, needed_nodes = set(wanted), []
    for node in reversed(nodes):
        if not needed.isdisjoint(node.outputs):
            needed |= node.reads
            needed_nodes.append(node)
    return needed_nodes[::-1]


def _renamed(node: OnnxNode, renames: Mapping[str, str]) -> OnnxNode:
    def new(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(renames.get(name, name) for name in names)

    return replace(node, inputs=new(node.inputs), outputs=new(node.outputs))
