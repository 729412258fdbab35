"""Groups and their variables: who holds a value, and how a unit of a group reads it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.brian2 import expressions, units
from thermoc.backends.brian2.model import Group
from thermoc.backends.brian2.names import Names
from thermoc.backends.brian2.populations import Seats
from thermoc.ir.dialects import core
from thermoc.ir.graph import Graph
from thermoc.ir.places import Places
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
        self.graph, self.seats, self.names = graph, Seats(graph, units.is_unit, units.carried(graph)), Names()
        self.types: dict[str, Type] = dict(self.seats.types)
        self.groups: dict[str, Group] = {}
        self.kept: set[str] = set()
        self._named: dict[str, str] = {}
        for op in filter(units.is_unit, graph.ops):  # a bare name, such as trace, may be a function of SymPy's
            for value, state in units.integrals(op):
                end = f"_{state}"
                self._named[value.name] = self.names.variable(value.name.removesuffix(f".{state}") + end)

    def name(self, root: str) -> str:
        """Return the identifier of a value."""
        if root not in self._named:
            self._named[root] = self.names.variable(root)
        return self._named[root]

    def group(self, root: str) -> Group:
        """Return the group of the population in which a value is."""
        head = self.seats.population(root)
        if head not in self.groups:
            name = self.seats.title(head)
            self.groups[head] = self.new_group(name, self.types[root].size, self.seats.batched(head))
        return self.groups[head]

    def new_group(self, name: str, size: int, batched: bool) -> Group:
        """Return a new group. Errors: T301 where it would be empty."""
        if size == 0:
            raise error("T301", f"target 'brian2' cannot hold {name!r}, which has no elements", hint="leave it out")
        return Group(name=self.names.object(name), size=size, batched=batched)

    def beside(self, root: str, other: str) -> None:
        """Add a value of our own that stands beside another, unit by unit."""
        self.types[root] = self.types[other].with_(dtype=DType.f64)
        self.seats.put_beside(root, other)

    def aside(self, name: str, size: int, batched: bool) -> tuple[Group, str]:
        """Return a new group and the name of a value of our own in it."""
        root = f"{name}.each"
        self.types[root] = Type((size,))
        self.seats.put_alone(root, batched=batched)
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
        return name

    def fixed(self, name: str, array: NDArray, group: Group) -> str:
        """Declare constants of a group, one a unit; return their identifier."""
        flat = np.asarray(array).reshape(-1)
        for held in group.fixed:
            if np.array_equal(group.initial[held], flat) and np.asarray(group.initial[held]).dtype == flat.dtype:
                return held
        made = self.names.variable(name)
        group.variables[made] = ("boolean" if flat.dtype == bool else "1") + " (constant)"
        group.initial[made] = flat
        group.fixed.add(made)
        return made

    def noisy(self, group: Group) -> None:
        """Declare what places a group in the noise."""
        for name in NOISE:
            group.variables.setdefault(name, "1 (shared, constant)")

    def link(self, root: str, index: Places, group: Group) -> str:
        """Let a group see a value of another at these places; return the identifier."""
        variable, source = self.place(root), self.group(root)
        plain = source is not group and source.batched == group.batched and self._whole(index, source)
        for name, (other, shown, held) in group.links.items():
            same = other is source and shown == variable and (held is None) == plain
            if same and (held is None or np.array_equal(held, index)):
                return name
        taken = source is group or variable in group.links
        name = self.names.variable(f"{root}_at") if taken else variable
        group.links[name] = (source, variable, None if plain else index)
        return name

    @staticmethod
    def _whole(index: Places, group: Group) -> bool:
        return len(index) == group.size and np.array_equal(index, np.arange(group.size))

    def operand(self, value: Value, wide: Shape, group: Group, shape: Shape | None = None) -> Operand:
        """Return how the units of a group read a value broadcast to ``wide``; ``shape`` is the value's, if given."""
        shape = self.types[value.name].shape if shape is None else shape
        size = self.types[self.seats.seat(value).root].size
        return self.gathered(value, self.seats.seat(value).into(size, shape, wide), group, seen=True)

    def gathered(self, value: Value, index: Places, group: Group, *, seen: bool = False) -> Operand:
        """Return how the units of a group read value[index]; ``seen``: index counts the elements of its root."""
        seat = self.seats.seat(value)
        whole = index if seen or seat.places is None else seat.places[index]
        source = self.graph.producers.get(seat.root)
        if isinstance(source, core.Constant):
            flat = source.value.numpy.reshape(-1)[whole]
            if (flat == flat[0]).all():
                return Operand(text=expressions.number(flat[0].item()))
            return Operand(text=self.fixed(value.name, flat, group))
        if self.group(seat.root) is group and self._whole(whole, group):
            return Operand(beside=seat.root)
        return Operand(text=self.link(seat.root, whole, group), apart=seat.root)

    def start(self, op: object, initial: Value, wide: Shape) -> float | NDArray:
        """Return where a state starts. Errors: T301 where that is computed at run time."""
        numbers = self.seats.numbers(initial)
        if numbers is None:
            raise refusal(op, "its initial value is computed at run time", "give initial as a constant")
        flat = numbers.reshape(-1)
        return flat[0].item() if (flat == flat[0]).all() else np.broadcast_to(numbers, wide).reshape(-1)


def refusal(op: object, note: str, hint: str) -> ThermocError:
    """Return T301 for an op whose form Brian2 cannot hold."""
    what = f"target 'brian2' cannot hold {op.opname} ({op.results[0]})"  # type: ignore[attr-defined]
    return error("T301", what, where=op.location, notes=[note], hint=hint)  # type: ignore[attr-defined]
