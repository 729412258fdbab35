"""The type of an instruction: what a row of a program may say, and everything that follows from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

OPERANDS = 3
PARAMETERS = 6
ROW = 2 + OPERANDS + PARAMETERS
COUNTER = 2**32
"""What Philox counts in each of its four words."""


class SlotKind(StrEnum):
    """What a slot must hold. Integers are of 64 bits, and stand for i32 and bool too."""

    FLOATS = "floats"
    INTS = "integers"
    MAYBE_FLOATS = "floats or absent"
    MAYBE_INTS = "integers or absent"

    @property
    def real(self) -> bool:
        """True for floats."""
        return self in (SlotKind.FLOATS, SlotKind.MAYBE_FLOATS)

    @property
    def optional(self) -> bool:
        """True where there need be no operand."""
        return self in (SlotKind.MAYBE_FLOATS, SlotKind.MAYBE_INTS)


class Trait(StrEnum):
    """What the engine must know of an instruction beyond its sizes; ``meaning`` says it in words."""

    meaning: str

    def __new__(cls, value: str, meaning: str) -> Trait:
        """Return the trait of a name and its meaning."""
        trait = str.__new__(cls, value)
        trait._value_, trait.meaning = value, meaning
        return trait

    SCRATCH = "scratch", "its kernel needs scratch memory of the result's size for each operand"
    RANDOM = "random", "the seed matters"
    SWEEPS = "sweeps", "it goes through its units as often as its parameter `sweeps` says"
    PER_TICK = "per tick", "its result depends on the tick, a state or a list, so that ticks cannot run side by side"
    STEPS = "steps", "it advances a state and has a result"
    WRITES = "writes", "it changes a state for the next tick, after every row that reads it"
    IN_PLACE = "in place", "its result may be a state"
    ALONE = "alone", "Python runs it, row by row: its kernel is chosen by the data, or reports what went wrong"
    PORT = "port", "it leads to an input, an output or the ring of a delay, which the program describes"


@dataclass(frozen=True, kw_only=True)
class RowSizes:
    """What a size check looks at: elements of the result and of each operand, -1 where there is none.

    float_constants: of the program; float_states, int_states: of a sample. in_state: the result is a state.
    """

    n: int = -1
    x: int = -1
    y: int = -1
    z: int = -1
    table: NDArray[np.int32] | NDArray[np.int64]
    float_constants: int = 0
    float_states: int = 0
    int_states: int = 0
    in_state: bool = False

    def places(self, start: int, count: int, least: int, below: int) -> bool:
        """True where ``count`` entries of the table from ``start`` on exist and lie in [least, below)."""
        entries = self.table[start : start + count]
        # a slice beyond the end is shorter, not an error; sums of Python's integers cannot wrap, whatever a file says
        return start + count <= self.table.size and (
            count == 0 or bool(least <= entries.min() and entries.max() < below)
        )

    def offsets(self, start: int, count: int, below: int) -> bool:
        """True where ``count`` lists start at entries of the table that never fall, the end of the last included."""
        return self.places(start, count + 1, 0, below) and bool(
            (np.diff(self.table[start : start + count + 1]) >= 0).all()
        )

    def one_or_each(self, size: int, units: int) -> bool:
        """True for one number for all units, or one a unit."""
        return size in (1, units)


def fits_by_bounds(row: RowSizes, **parameters: int) -> bool:
    """The size check of rows that lead to ports and states: ``bounds`` looks at where these stand."""
    return True


def of_result(row: RowSizes, **parameters: int) -> int:
    """One point an element of the result."""
    return row.n


def of_operand(row: RowSizes, **parameters: int) -> int:
    """One point an element of the first operand."""
    return row.x


def one(row: RowSizes, **parameters: int) -> int:
    """One, whatever the row."""
    return 1


def none(row: RowSizes, **parameters: int) -> int:
    """None, whatever the row."""
    return 0


@dataclass(frozen=True, kw_only=True)
class Points:
    """An instruction as points that may be computed side by side: what one thread of a GPU does.

    rule: module and function within ``simulator.kernels``; the names of its arguments say what it is handed
    (``cuda.arguments``). It returns element i of the result, unless it asks for ``r``: then it writes there itself.
    count: points of a sample, from sizes and parameters. phases: so many times over all points, one after the other,
    each of which sees what those before it wrote. floats, ints: elements of scratch memory of a sample. index: a table
    of places made of the program's own, which the rule finds from ``index`` on.
    """

    rule: str
    count: Callable[..., int] = of_result
    phases: Callable[..., int] = one
    floats: Callable[..., int] = none
    ints: Callable[..., int] = none
    index: Callable[..., NDArray] | None = None


@dataclass(frozen=True, kw_only=True)
class Instruction:
    """One instruction, stated whole: rows of a program are (opcode, result slot, operand slots, parameters).

    equation: in terms of the result r, the operands x, y, z, and the parameters, whose meanings ``parameters`` gives in
    the order in which a row has them. fits: whether sizes and parameters agree, so that the kernel, which looks at no
    bound, stays inside its arrays. rule: of an elementwise instruction, one element in plain Python, for any device.
    kernel: of the others, module and function within ``simulator.kernels``; the names of the function's arguments say
    what it is handed (``kernels.adapter``). points: how a GPU computes it side by side; without them one thread runs
    the kernel for a sample. seconds: how long it takes to compile on a core of 2024.
    """

    opcode: int
    name: str
    equation: str
    result: SlotKind | None
    operands: tuple[SlotKind, ...] = ()
    parameters: Mapping[str, str] = field(default_factory=dict)
    fits: Callable[..., bool]
    rule: Callable[..., Any] | None = None
    kernel: str = ""
    points: Points | None = None
    seconds: float = 0.4
    traits: frozenset[Trait] = frozenset()

    def __repr__(self) -> str:
        return self.name

    def __int__(self) -> int:
        return self.opcode

    def __index__(self) -> int:
        return self.opcode

    def column(self, parameter: str) -> int:
        """Return where in a row a parameter stands."""
        return 2 + OPERANDS + list(self.parameters).index(parameter)

    def values(self, row: Sequence[int]) -> dict[str, int]:
        """Return the parameters of a row by name."""
        return dict(zip(self.parameters, row[2 + OPERANDS :]))

    def row(self, result: int, operands: Sequence[int] = (), **parameters: int) -> list[int]:
        """Return a row; result and operands are slots, -1 where there is none. Every parameter must be named."""
        if parameters.keys() != self.parameters.keys():
            raise TypeError(f"{self.name} has the parameters {[*self.parameters]}, not {[*parameters]}")
        slots = [*operands, *[-1] * (OPERANDS - len(operands))]
        numbers = [int(parameters[name]) for name in self.parameters]
        return [self.opcode, result, *slots, *numbers, *[0] * (PARAMETERS - len(numbers))]
