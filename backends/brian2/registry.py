"""Groups and their variables: who holds a value, and how a unit of a group reads it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.brian2 import expressions, units
from thermoc.backends.brian2.model import Group
from thermoc.backends.brian2.names import Names
from thermoc.backends.brian2.parameters import ArrayElements
from thermoc.backends.brian2.populations import Views
from thermoc.ir.dialects import core
from thermoc.ir.element_indices import ElementIndices
from thermoc.ir.graph import Graph
from thermoc.ir.types import DType, Shape, Type
from thermoc.ir.values import Value
from thermoc.support.errors import ThermocError, error

NOISE = ("sample0", "tick0", "key0", "key1")


@dataclass(frozen=True, kw_only=True)
class Operand:
    """What a statement reads: a text (of a value ``apart``, where it shows one), or the value ``beside`` it."""

    text: str = ""
    beside: str = ""
    apart: str = ""


class Registry:
    """The groups of one graph. Values are named by their roots: what they are seen through moves of elements."""

    def __init__(self, graph: Graph):
        self.graph, self.views, self.names = graph, Views(graph, units.is_unit, units.carried(graph)), Names()
        self.types: dict[str, Type] = dict(self.views.types)
        self.groups: dict[str, Group] = {}
        self.kept: set[str] = set()
        self._named: dict[str, str] = {}
        for op in filter(units.is_unit, graph.ops):  # a bare name, such as trace, may be a function of SymPy's
            for value, state in units.integrals(op):
                suffix = f"_{state}"
                self._named[value.name] = self.names.variable(value.name.removesuffix(f".{state}") + suffix)

    def named(self, root: str, name: str) -> None:
        """Let a value be called as its user calls it, where that name is free."""
        self._named.setdefault(root, self.names.variable(name))

    def name(self, root: str) -> str:
        """Return the identifier of a value."""
        if root not in self._named:
            self._named[root] = self.names.variable(root)
        return self._named[root]

    def group(self, root: str) -> Group:
        """Return the group of the population in which a value is."""
        head = self.views.population(root)
        if head not in self.groups:
            name = self.views.title(head)
            self.groups[head] = self.new_group(name, self.types[root].size, self.views.batched(head))
        return self.groups[head]

    def new_group(self, name: str, size: int, batched: bool) -> Group:
        """Return a new group. Errors: T301 where it would be empty."""
        if size == 0:
            raise error("T301", f"target 'brian2' cannot hold {name!r}, which has no elements", hint="leave it out")
        return Group(name=self.names.object(name), size=size, batched=batched)

    def beside(self, root: str, other: str) -> None:
        """Add a value of our own that stands beside another, unit by unit."""
        self.types[root] = self.types[other].with_(dtype=DType.f64)
        self.views.put_beside(root, other)

    def aside(self, name: str, size: int, batched: bool) -> tuple[Group, str]:
        """Return a new group and the name of a value of our own in it."""
        root = f"{name}.each"
        self.types[root] = Type((size,))
        self.views.put_alone(root, batched=batched)
        self.groups[root] = self.new_group(name, size, batched)
        return self.groups[root], root

    def place(self, root: str) -> str:
        """Declare a value as a variable of its group; return its identifier."""
        self.kept.add(root)
        name, group = self.name(root), self.group(root)
        truth = self.types[root].dtype is DType.bool
        group.variables.setdefault(name, "boolean" if truth else "1")
        source = self.graph.producers.get(root)
        if isinstance(source, core.Constant):
            group.initial[name] = source.value.numpy.reshape(-1)
        elif isinstance(source, core.Parameter):
            group.initial[name] = ArrayElements(array=source.name, places=np.arange(source.value.numpy.size))
        return name

    def fixed(self, name: str, array: NDArray, group: Group) -> str:
        """Declare constants of a group, one a unit; return their identifier."""
        flat = np.asarray(array).reshape(-1)
        for equal in group.fixed:
            initial = group.initial[equal]
            # NumPy finds True equal to 1, but Brian2 declares booleans and numbers apart.
            if isinstance(initial, np.ndarray) and np.array_equal(initial, flat) and initial.dtype == flat.dtype:
                return equal
        return self._fixed(name, flat, group, truth=flat.dtype == bool)

    def _fixed(self, name: str, numbers: NDArray | ArrayElements, group: Group, *, truth: bool) -> str:
        constant = self.names.variable(name)
        group.variables[constant] = ("boolean" if truth else "1") + " (constant)"
        group.initial[constant] = numbers
        group.fixed.add(constant)
        return constant

    def _replaceable(self, name: str, elements: ArrayElements, group: Group, *, truth: bool) -> str:
        """Declare elements of a parameter as constants of a group, one a unit; return their identifier."""
        for equal in group.fixed:
            if elements.equals(group.initial[equal]):
                return equal
        return self._fixed(name, elements, group, truth=truth)

    def noisy(self, group: Group) -> None:
        """Declare what places a group in the noise."""
        for name in NOISE:
            group.variables.setdefault(name, "1 (shared, constant)")

    def link(self, root: str, index: ElementIndices, group: Group) -> str:
        """Let a group see a value of another at these places; return the identifier."""
        variable, source = self.place(root), self.group(root)
        plain = source is not group and source.batched == group.batched and self._whole(index, source)
        for name, (linked_group, shown, link_index) in group.links.items():
            same = linked_group is source and shown == variable and (link_index is None) == plain
            if same and (link_index is None or np.array_equal(link_index, index)):
                return name
        # In its own group the variable's name is taken by the variable itself.
        clashes = source is group or variable in group.links
        name = self.names.variable(f"{root}_at") if clashes else variable
        group.links[name] = (source, variable, None if plain else index)
        return name

    @staticmethod
    def _whole(index: ElementIndices, group: Group) -> bool:
        return len(index) == group.size and np.array_equal(index, np.arange(group.size))

    def operand(self, value: Value, wide: Shape, group: Group, shape: Shape | None = None) -> Operand:
        """Return how the units of a group read a value broadcast to ``wide``; ``shape`` is the value's, if given."""
        shape = self.types[value.name].shape if shape is None else shape
        size = self.types[self.views.view(value).root].size
        return self.gathered(value, self.views.view(value).into(size, shape, wide), group, seen=True)

    def gathered(self, value: Value, index: ElementIndices, group: Group, *, seen: bool = False) -> Operand:
        """Return how the units of a group read value[index]; ``seen``: index counts the elements of its root."""
        view = self.views.view(value)
        indices = index if seen or view.places is None else view.places[index]
        source = self.graph.producers.get(view.root)
        if isinstance(source, core.Constant):
            flat = source.value.numpy.reshape(-1)[indices]
            if (flat == flat[0]).all():
                return Operand(text=expressions.number(flat[0].item()))
            return Operand(text=self.fixed(value.name, flat, group))
        if isinstance(source, core.Parameter):
            elements = ArrayElements(array=source.name, places=indices)
            truth = source.value.numpy.dtype == bool
            return Operand(text=self._replaceable(value.name, elements, group, truth=truth))
        if self.group(view.root) is group and self._whole(indices, group):
            return Operand(beside=view.root)
        return Operand(text=self.link(view.root, indices, group), apart=view.root)

    def start(self, op: object, initial: Value, wide: Shape) -> float | NDArray:
        """Return where a state starts. Errors: T301 where that is computed at run time."""
        numbers = self.views.numbers(initial)
        if numbers is None:
            raise refusal(op, "its initial value is computed at run time", "give initial as a constant")
        flat = numbers.reshape(-1)
        return flat[0].item() if (flat == flat[0]).all() else np.broadcast_to(numbers, wide).reshape(-1)


def refusal(op: object, note: str, hint: str) -> ThermocError:
    """Return T301 for an op whose form Brian2 cannot hold."""
    what = f"target 'brian2' cannot hold {op.opname} ({op.results[0]})"  # type: ignore[attr-defined]
    return error("T301", what, where=op.location, notes=[note], hint=hint)  # type: ignore[attr-defined]
