"""A network as work: tasks that one core can do, what they send each other, and the draft they are written in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.chip.capacities import Capacities
from thermoc.ir.dialects import core
from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.types import Role, Type
from thermoc.ir.values import Value


class TaskKind(StrEnum):
    """What a task does: a product on arrays, sums, sampling, a device's step, arithmetic, storing, the ends."""

    product = "product"
    gather = "gather"
    sample = "sample"
    step = "step"
    vector = "vector"
    store = "store"
    load = "load"
    output = "output"


THERMAL = (TaskKind.sample, TaskKind.step)
"""Tasks of banks of units that work at the temperature of their place."""


@dataclass(frozen=True, kw_only=True)
class ChipTask:
    """Work that one core does for an op: elements ``low`` to ``high`` of its result (flat).

    rows, columns: of a product's array, the ``array``-th along the inputs. times: products a tick. elements, passes:
    vector operations, where they are not one for each of the result's elements. updates: of each unit a tick. rounds:
    for coupled units, the units here that each round of a tick updates, one colour of ``colours`` after another.
    heated: the temperature follows a schedule, which heaters carry out.
    """

    op: int
    kind: TaskKind
    low: int
    high: int
    rows: int = 0
    columns: int = 0
    cells: int = 0
    array: int = 0
    times: int = 1
    passes: int = 1
    updates: int = 1
    elements: int = 0
    rounds: tuple[int, ...] = ()
    colours: int = 1
    heated: bool = False

    @property
    def size(self) -> int:
        """Number of elements."""
        return self.high - self.low


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """``bytes`` go from a task to another, ``times`` a tick; ``late`` ones are used at the end of the tick."""

    source: int
    target: int
    bytes: int
    late: bool = False
    times: int = 1

    @property
    def traffic(self) -> int:
        """Bytes a tick."""
        return self.bytes * self.times


@dataclass(frozen=True, kw_only=True)
class ChipWork:
    """Tasks in an order in which each follows what acts on it within the tick, and the transfers between them.

    graph: whose ops are served. ops: the names of those that cost something. sites: for each op at a place's
    temperature, its tasks; colours: the colour of each of its units, those of one being drawn together.
    """

    graph: Graph = field(repr=False)
    tasks: tuple[ChipTask, ...]
    transfers: tuple[Transfer, ...]
    ops: tuple[str, ...]
    sites: Mapping[str, tuple[int, ...]]
    colours: Mapping[str, NDArray[np.int64]] = field(repr=False)

    def __str__(self) -> str:
        tasks = [f"  {number}: {self._text(task)}" for number, task in enumerate(self.tasks)]
        sent = [f"  {transfer.source} -> {transfer.target}: {_text(transfer)}" for transfer in self.transfers]
        return "\n".join([f"tasks of {self.graph.name!r}", *tasks, "transfers in a tick", *sent]) + "\n"

    def _text(self, task: ChipTask) -> str:
        """Return a task as a line of text; sizes and counts that are not its kind's are left out."""
        shown = {
            "array": f"{task.rows} x {task.columns} ({task.cells} used)" if task.rows else "",
            "times": task.times if task.times > 1 else "",
            "updates": task.updates if task.updates > 1 else "",
            "rounds": len(task.rounds) or "",
            "heated": "yes" if task.heated else "",
        }
        details = "".join(f", {name} {value}" for name, value in shown.items() if value)
        return f"{task.kind} {self.ops[task.op]}[{task.low}:{task.high}]{details}"


def _text(sent: Transfer) -> str:
    often = f" {sent.times} times" if sent.times > 1 else ""
    return f"{sent.bytes} bytes{often}" + (" at the tick's end" if sent.late else "")


class ElementRange(NamedTuple):
    """Elements ``low`` to ``high`` of a value (flat), which a task leaves on its core."""

    low: int
    high: int
    task: int


Spans = list[ElementRange]


@dataclass(kw_only=True)
class Draft:
    """Work that is being written, op after op in the order of a tick.

    constants: the arrays of the graph. lies: where each value lies; one that is not named costs nothing to read.
    late: ops and the operands that they read at the end of a tick, whose tasks may come later in the order.
    """

    graph: Graph
    chip: Capacities
    constants: Mapping[str, NDArray]
    tasks: list[ChipTask] = field(default_factory=list)
    transfers: list[Transfer] = field(default_factory=list)
    ops: list[str] = field(default_factory=list)
    sites: dict[str, tuple[int, ...]] = field(default_factory=dict)
    colours: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    lies: dict[str, Spans] = field(default_factory=dict)
    late: list[tuple[Op, Value]] = field(default_factory=list)

    def add(self, kind: TaskKind, low: int, high: int, **fields: Any) -> int:
        """Add a task for the op at hand; return its number."""
        # The op at hand is the one named last: splitting names an op before it adds its tasks.
        self.tasks.append(ChipTask(op=len(self.ops) - 1, kind=kind, low=low, high=high, **fields))
        return len(self.tasks) - 1

    def send(self, source: int, target: int, size: int, **fields: Any) -> None:
        """Let a task send so many bytes to another."""
        self.transfers.append(Transfer(source=source, target=target, bytes=size, **fields))

    def read(self, task: int, value: Value, low: int, high: int, *, late: bool = False) -> None:
        """Let a task read elements low to high of a value; constants and what the host knows are there."""
        for span in self.lies.get(value.name, ()):
            overlap = min(span.high, high) - max(span.low, low)
            # A task's own elements are on its core already, and cost no message.
            if overlap > 0 and span.task != task:
                self.send(span.task, task, self.value_bytes(value, overlap), late=late)

    def value_bytes(self, value: Value, count: int) -> int:
        """Return what so many elements take: a bit for a spike, else a value of the chip."""
        return -(-count // 8) if value.role is Role.spike else count * self.chip.value_bytes

    def sum_bytes(self, count: int) -> int:
        """Return the bytes of sums of products, which take twice a value's bits."""
        # A product has the bits of both its factors, and so has a sum of products.
        return 2 * count * self.chip.value_bytes

    def work(self) -> ChipWork:
        """Return what was written."""
        return ChipWork(
            graph=self.graph,
            tasks=tuple(self.tasks),
            transfers=tuple(self.transfers),
            ops=tuple(self.ops),
            sites=self.sites,
            colours=self.colours,
        )


def draft(graph: Graph, chip: Capacities) -> Draft:
    """Return an empty draft of the work of a typed graph."""
    return Draft(graph=graph, chip=chip, constants={op.y.name: op.value.numpy for op in graph.of(core.Constant)})


def even_cuts(size: int, most: int) -> list[tuple[int, int]]:
    """Return spans of at most ``most``, as equal as can be."""
    count = max(1, -(-size // most))
    # Edges by whole-number division: parts differ by one element at most.
    edges = [size * k // count for k in range(count + 1)]
    return [(low, high) for low, high in pairwise(edges) if high > low]


def full_cuts(size: int, most: int) -> list[tuple[int, int]]:
    """Return spans of ``most`` and a last one of what is left over, as ``map-crossbars`` fills arrays."""
    return [(low, min(low + most, size)) for low in range(0, size, most)]


def elements_read(operand: Type, low: int, high: int, result: Type) -> tuple[int, int]:
    """Return the elements of an operand that elements low to high of the result need; all where shapes differ."""
    return (low, high) if operand.shape == result.shape else (0, operand.size)
