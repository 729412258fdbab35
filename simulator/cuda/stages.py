"""A program's rows in stages: rows of a stage are computed together, point by point, with no barrier between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.bounds import row_sizes
from thermoc.simulator.cuda import ports
from thermoc.simulator.cuda.arguments import asks
from thermoc.simulator.instructions.declaration import OPERANDS, Instruction, Points, RowSizes, Trait
from thermoc.simulator.instructions.lists import NO_PLACES
from thermoc.simulator.instructions.registry import INSTRUCTIONS
from thermoc.simulator.program import Bank, Program, narrow, once_a_program

EVERYWHERE = 2**62


class Elements(NamedTuple):
    """Elements of a bank, of every sample."""

    bank: int
    first: int
    size: int

    def meets(self, other: Elements) -> bool:
        """True where both have an element in common."""
        disjoint = self.first + self.size <= other.first or other.first + other.size <= self.first
        return self.bank == other.bank and not disjoint


STATES = (Elements(Bank.FLOAT_STATE, 0, EVERYWHERE), Elements(Bank.INT_STATE, 0, EVERYWHERE))


@dataclass(frozen=True, kw_only=True)
class PointRow:
    """A row as points: how many, in how many phases, and what they read and write.

    own: True where point i reads and writes elements i alone of what is in ``near``; ``far`` is read anywhere.
    result: the place that it writes, None where it has no result among the slots. places: of result and operands.
    index: places of its own in the table.
    """

    instruction: Instruction
    parameters: dict[str, int]
    sizes: RowSizes
    points: int
    phases: int
    alone: bool
    places: tuple[Elements | None, ...]
    index: NDArray[np.int64]
    near: tuple[Elements, ...]
    far: tuple[Elements, ...]
    writes: tuple[Elements, ...]

    @property
    def result(self) -> Elements | None:
        """Where its result stands."""
        return self.places[0]


@dataclass
class Stage:
    """Steps with the same points, in order; ``alone`` where it is one step that does its writing itself."""

    steps: list[PointRow] = field(default_factory=list)

    def takes(self, step: PointRow) -> bool:
        """True where a step may be computed in the same loop over points, after those that are there."""
        if not self.steps:
            return True
        if step.alone or self.steps[0].alone or step.points != self.steps[0].points:
            return False
        for before in self.steps:
            if any(a.meets(b) for a in before.writes for b in step.far):
                return False
            if any(a.meets(b) for a in before.far for b in step.writes):
                return False
            # the same elements at the same points are one thread's own; shifted against each other they are not
            near = (*before.near, *before.writes), (*step.near, *step.writes)
            if any(a.meets(b) and a != b for a in near[0] for b in near[1] if a in before.writes or b in step.writes):
                return False
        return True


@once_a_program
def stages(program: Program) -> tuple[Stage, ...]:
    """Return a program's rows in stages. Each stage needs all of the one before to be done."""
    listed = [Stage()]
    for step in steps(program):
        if not listed[-1].takes(step):
            listed.append(Stage())
        listed[-1].steps.append(step)
    return tuple(stage for stage in listed if stage.steps)


def steps(program: Program) -> Iterator[PointRow]:
    """Yield the rows of a program as steps."""
    written = set[int]()
    for row in program.code.tolist():
        instruction = INSTRUCTIONS[row[0]]
        sizes = row_sizes(program, row, written)
        assert sizes is not None
        places = tuple(_place(program, slot) for slot in row[1 : 2 + OPERANDS])
        yield _step(instruction, instruction.values(row), sizes, places)


@once_a_program
def tables(program: Program) -> NDArray:
    """Return the program's table, and behind it those of its steps, in their order."""
    indices = [step.index for stage in stages(program) for step in stage.steps]
    return narrow(np.concatenate([program.places, *indices])) if indices else program.places


def _place(program: Program, slot: int) -> Elements | None:
    return Elements(*program.slots[slot].tolist()) if slot >= 0 else None


def _step(
    instruction: Instruction, parameters: dict[str, int], sizes: RowSizes, places: tuple[Elements | None, ...]
) -> PointRow:
    points = instruction.points or Points(rule="")
    index = points.index(sizes, **parameters) if points.index else NO_PLACES
    shape = {"instruction": instruction, "parameters": parameters, "sizes": sizes, "places": places, "index": index}
    operands = [operand for operand in places[1:] if operand]
    result = (places[0],) if places[0] else ()
    if instruction.opcode in ports.COPIES:
        return _copy(shape, parameters, sizes, operands, result)
    names = asks(instruction)
    alone = instruction.rule is None and ("r" in names or not result)
    reads_states = bool({"float_states", "int_states", "ring"} & {*names})
    states = STATES if reads_states else ()
    count, phases = points.count(sizes, **parameters), points.phases(sizes, **parameters)
    whole = {"x", "y", "z"} & {*names} if instruction.rule is None else set[str]()
    near, far = list[Elements](), list[Elements](states)
    for name, operand in zip("xyz", places[1:]):
        if operand:
            # one element for all points is read by points that are not its own
            (far if name in whole or operand.size != count else near).append(operand)
    return PointRow(
        **shape,
        points=count,
        phases=phases,
        alone=alone or phases > 1,
        near=tuple(near),
        far=tuple(far),
        writes=(*result, *states),
    )


def _copy(
    shape: dict[str, object],
    parameters: dict[str, int],
    sizes: RowSizes,
    operands: Sequence[Elements],
    result: tuple[Elements, ...],
) -> PointRow:
    """Return the step of a row that leads to a port or a ring: element by element."""
    instruction = shape["instruction"]
    assert isinstance(instruction, Instruction)
    size = max(sizes.n, sizes.x)
    near, writes = tuple(operands), result
    if "ticks" in parameters:
        integer = ports.COPIES[instruction.opcode].integer
        ring = Elements(
            Bank.INT_STATE if integer else Bank.FLOAT_STATE, parameters["offset"], parameters["ticks"] * size
        )
        near, writes = (*near, ring), (*writes, ring) if Trait.WRITES in instruction.traits else writes
    return PointRow(**shape, points=size, phases=1, alone=False, near=near, far=(), writes=writes)  # type: ignore[arg-type]
