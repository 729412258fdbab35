"""Which values share a NeuronGroup: those that elementwise ops join unit by unit, with one op of dynamics at most."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.brian2.expressions import ELEMENTWISE
from thermoc.ir.dialects import core
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.places import MOVES, Places, moved
from thermoc.ir.types import Shape, Type
from thermoc.ir.values import Value


@dataclass(frozen=True, kw_only=True)
class Seat:
    """Where the elements of a value are: ``places`` in the value named ``root``, or all of it in order (None)."""

    root: str
    places: Places | None = None

    def seen_through(self, outer: Seat) -> Seat:
        """Return the seat of a value that is seated in a copy of this one."""
        if self.places is None or outer.places is None:
            return Seat(root=self.root, places=outer.places if self.places is None else self.places)
        return Seat(root=self.root, places=self.places[outer.places])

    def into(self, size: int, shape: Shape, wide: Shape) -> Places:
        """Return the places of the value, of this shape, broadcast to a wider one; the root has ``size`` elements."""
        held = np.arange(size) if self.places is None else self.places
        return np.broadcast_to(held.reshape(shape), wide).reshape(-1)


class Seats:
    """The graph's values by where they are held."""

    def __init__(self, graph: Graph, is_unit: Callable[[Op], bool], carried: Mapping[str, str]):
        self.graph, self._is_unit = graph, is_unit
        self.carried = carried
        self._seats: dict[str, Seat] = {}
        self._above: dict[str, str] = {}
        self._own: dict[str, bool] = {}
        self._unit: dict[str, Op] = {}
        self._join()

    def seat(self, value: Value) -> Seat:
        """Return where a value is, seen through ops that only move elements."""
        if value.name not in self._seats:
            op = self.graph.producers[value.name]
            if type(op) in MOVES:
                base, index = self.seat(op.x), moved(op).reshape(-1)  # type: ignore[attr-defined]
                whole = index if base.places is None else base.places[index]
                same = len(whole) == self.size(base.root) and np.array_equal(whole, np.arange(len(whole)))
                self._seats[value.name] = Seat(root=base.root, places=None if same else whole)
            else:
                self._seats[value.name] = Seat(root=value.name)
        return self._seats[value.name]

    def size(self, root: str) -> int:
        """Return how many elements of a sample a root holds."""
        return self.types[root].size

    @cached_property
    def types(self) -> Mapping[str, Type]:
        """The types of the values."""
        return {value.name: value.inferred for op in self.graph.ops for value in op.results}

    def numbers(self, value: Value) -> NDArray | None:
        """Return what a value is where it is a constant, in its own shape."""
        seat = self.seat(value)
        source = self.graph.producers[seat.root]
        if not isinstance(source, core.Constant):
            return None
        flat = source.value.numpy.reshape(-1)
        return (flat if seat.places is None else flat[seat.places]).reshape(value.shape)

    def batched(self, root: str) -> bool:
        """True where samples differ."""
        return self._own.get(root, root not in self.graph.uniform)

    def title(self, head: str) -> str:
        """Return what a population is called: an output's name, else the plainest of its values' names."""
        outputs = {self.seat(op.x).root: name for name, op in reversed(self.graph.outputs.items())}
        members = [name for name in self.types if self.population(name) == head] or [head]
        shown = [outputs[name] for name in members if name in outputs]
        if head in self._unit and not shown:
            return head.split(".")[0]
        return shown[0] if shown else min(members, key=lambda name: (name[-1:].isdigit(), "." in name))

    def put_beside(self, root: str, other: str) -> None:
        """Add a value that is not the graph's to the population of another."""
        self._above[root] = other

    def put_alone(self, root: str, *, batched: bool) -> None:
        """Add a value that is not the graph's as a population of its own."""
        self._own[root] = batched

    def population(self, root: str) -> str:
        """Return the representative of the values that share the root's group."""
        while self._above.get(root, root) != root:
            root = self._above[root]
        return root

    def _join(self) -> None:
        for op in self.graph.order:
            if self._is_unit(op):
                first, *others = (value.name for value in op.results)
                if first in self.carried:
                    self._above[first] = self.carried[first]
                else:
                    self._unit[first] = op
                for other in others:
                    self._above[other] = first
        for op in self.graph.order:
            if type(op) in ELEMENTWISE or self._is_unit(op) or isinstance(op, core.Delay):
                values = (op.x,) if isinstance(op, core.Delay) else op.inputs
                for value in values:
                    if self.together(value, op.results[0]):
                        self._union(self.seat(value).root, op.results[0].name)

    def together(self, value: Value, result: Value) -> bool:
        """True where the elements of a value stand beside those of a result, one to one."""
        seat, wide = self.seat(value), result.shape
        if isinstance(self.graph.producers[seat.root], core.Constant) or self.size(seat.root) != result.size:
            return False
        if self.batched(seat.root) != self.batched(result.name):
            return False
        index = seat.into(self.size(seat.root), value.shape, wide)
        return np.array_equal(index, np.arange(len(index)))

    def _union(self, a: str, b: str) -> None:
        a, b = self.population(a), self.population(b)
        if a == b or (a in self._unit and b in self._unit):
            return
        if b in self._unit:
            a, b = b, a
        self._above[b] = a
