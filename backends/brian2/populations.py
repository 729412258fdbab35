"""Which values share a NeuronGroup: those that elementwise ops join unit by unit, with one op of dynamics at most."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.brian2.expressions import ELEMENTWISE
from thermoc.ir.dialects import core, dynamics
from thermoc.ir.element_indices import MOVES, ElementIndices, moved
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.types import Shape, Type
from thermoc.ir.values import Value


@dataclass(frozen=True, kw_only=True)
class View:
    """Where the elements of a value are: ``places`` in the value named ``root``, or all of it in order (None)."""

    root: str
    places: ElementIndices | None = None

    def seen_through(self, outer: View) -> View:
        """Return the view of a value that ``outer`` shows of a copy of this one."""
        if self.places is None or outer.places is None:
            return View(root=self.root, places=outer.places if self.places is None else self.places)
        return View(root=self.root, places=self.places[outer.places])

    def into(self, size: int, shape: Shape, wide: Shape) -> ElementIndices:
        """Return the places of the value, of this shape, broadcast to a wider one; the root has ``size`` elements."""
        indices = np.arange(size) if self.places is None else self.places
        return np.broadcast_to(indices.reshape(shape), wide).reshape(-1)


def row_of(x: Value, k: int) -> str:
    """Return what variable k of units by equations is called."""
    return f"{x.name}.{k}"


class Views:
    """The graph's values by where they are held."""

    def __init__(self, graph: Graph, is_unit: Callable[[Op], bool], carried: Mapping[str, str]):
        self.graph, self._is_unit = graph, is_unit
        self.carried = carried
        self._views: dict[str, View] = {}
        self._above: dict[str, str] = {}
        self._own: dict[str, bool] = {}
        self._unit: dict[str, Op] = {}
        self._join()

    def view(self, value: Value) -> View:
        """Return where a value is, seen through ops that only move elements."""
        if value.name not in self._views:
            op = self.graph.producers[value.name]
            if type(op) in MOVES:
                base, index = self.view(op.x), moved(op).reshape(-1)  # type: ignore[attr-defined]
                base, index = self._variable(base, index)
                indices = index if base.places is None else base.places[index]
                same = len(indices) == self.size(base.root) and np.array_equal(indices, np.arange(len(indices)))
                self._views[value.name] = View(root=base.root, places=None if same else indices)
            else:
                self._views[value.name] = View(root=value.name)
        return self._views[value.name]

    def _variable(self, base: View, index: ElementIndices) -> tuple[View, ElementIndices]:
        """Return the variable of which these elements are, where they are of units by equations."""
        op = self.graph.producers.get(base.root)
        if not isinstance(op, dynamics.Ode) or base.root != op.x.name:
            return base, index
        row, size = int(index[0]) // op.s.size, op.s.size
        return View(root=row_of(op.x, row)), index - row * size

    def size(self, root: str) -> int:
        """Return how many elements of a sample a root holds."""
        return self.types[root].size

    @cached_property
    def types(self) -> Mapping[str, Type]:
        """The types of the values."""
        of_values = {value.name: value.inferred for op in self.graph.ops for value in op.results}
        units = (op for op in self.graph.ops if isinstance(op, dynamics.Ode))
        rows = {row_of(op.x, k): op.s.inferred for op in units for k in range(len(op.variables))}
        return of_values | {name: Type(kind.shape, kind.dtype) for name, kind in rows.items()}

    def numbers(self, value: Value) -> NDArray | None:
        """Return what a value is where it is a constant, in its own shape."""
        view = self.view(value)
        source = self.graph.producers.get(view.root)
        if not isinstance(source, core.Constant):
            return None
        flat = source.value.numpy.reshape(-1)
        return (flat if view.places is None else flat[view.places]).reshape(value.shape)

    def batched(self, root: str) -> bool:
        """True where samples differ."""
        return self._own.get(root, root not in self.graph.uniform)

    def title(self, head: str) -> str:
        """Return what a population is called: an output's name, else the plainest of its values' names."""
        outputs = {self.view(op.x).root: name for name, op in reversed(self.graph.outputs.items())}
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
                first, *further = (value.name for value in op.results)
                if first in self.carried:
                    self._above[first] = self.carried[first]
                else:
                    self._unit[first] = op
                if isinstance(op, dynamics.Ode):
                    further = [row_of(op.x, k) for k in range(len(op.variables))]
                    self._own |= dict.fromkeys(further, first not in self.graph.uniform)
                for result in further:
                    self._above[result] = first
        for op in self.graph.order:
            if type(op) in ELEMENTWISE or self._is_unit(op) or isinstance(op, core.Delay):
                values = (op.x,) if isinstance(op, core.Delay) else op.inputs
                for value in values:
                    if self.together(value, op.results[0]):
                        self._union(self.view(value).root, op.results[0].name)

    def together(self, value: Value, result: Value) -> bool:
        """True where the elements of a value stand beside those of a result, one to one."""
        view, wide = self.view(value), result.shape
        if isinstance(self.graph.producers.get(view.root), core.Stored) or self.size(view.root) != result.size:
            return False
        # A group has either one unit for all samples or one for each.
        if self.batched(view.root) != self.batched(result.name):
            return False
        index = view.into(self.size(view.root), value.shape, wide)
        return np.array_equal(index, np.arange(len(index)))

    def _union(self, a: str, b: str) -> None:
        a, b = self.population(a), self.population(b)
        # A NeuronGroup has one threshold, one reset and one method.
        if a == b or (a in self._unit and b in self._unit):
            return
        if b in self._unit:
            a, b = b, a
        self._above[b] = a
