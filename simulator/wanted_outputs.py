"""A program for some of its outputs, kept, summed or averaged: the rows that only others need are left out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from thermoc.simulator.feed_forward_split import Rows, operands_of, program_of
from thermoc.simulator.instructions import ports, recording
from thermoc.simulator.instructions.declaration import Trait
from thermoc.simulator.instructions.registry import opcodes
from thermoc.simulator.program import Bank, Program, ProgramPort, once_a_program

OUTPUTS = (ports.OUTPUT.opcode, ports.INT_OUTPUT.opcode)
_ALWAYS = opcodes(Trait.WRITES, Trait.STEPS, Trait.PORT)
"""A program serves all inputs and states that it describes, whoever reads them."""


class Wanted(NamedTuple):
    """Names of the outputs that are kept, summed over the ticks, and taken the moments of."""

    outputs: frozenset[str]
    totals: frozenset[str] = frozenset()
    moments: frozenset[str] = frozenset()


def with_outputs(program: Program, wanted: Wanted | None) -> Program:
    """Return the program of what is wanted (None: all outputs), whose states are those of the whole, place by place."""
    if wanted is None or wanted == Wanted(frozenset(port.name for port in program.outputs)):
        return program
    constants = _known(program)
    if wanted not in constants:
        constants[wanted] = _written(program, wanted)
    # what is known of a program holds for all that differ from it in numbers alone
    return constants[wanted].with_numbers(program.floats, program.ints, program.states)


@once_a_program
def effort(program: Program) -> int:
    """Return the number of elements that the rows of a tick of one sample touch."""
    slots = program.code[:, 1:5]
    return int(np.where(slots >= 0, program.slots[slots, 2], 0).sum())


@once_a_program
def _known(program: Program) -> dict[Wanted, Program]:
    return {}


def _written(program: Program, wanted: Wanted) -> Program:
    outputs = _side_by_side(program, wanted.outputs)
    totals = _side_by_side(program, wanted.totals)
    moments = _side_by_side(
        program,
        wanted.moments,
        width=lambda port: 2 * port.size + 1,
        used=sum(port.size for port in totals if not port.integer),
    )
    trimmed = replace(program, outputs=outputs, totals=totals, moments=moments)
    source = {(port.integer, port.offset, port.size): port.name for port in program.outputs}
    places = {port.name: port for port in outputs}, {port.name: port for port in totals}, {p.name: p for p in moments}
    rows = Rows()
    for row in program.code.tolist():
        if row[0] not in OUTPUTS:
            rows.append(row)
            continue
        slot, integer = row[2], row[0] == ports.INT_OUTPUT.opcode
        name = source[integer, ports.OUTPUT.values(row)["offset"], int(program.slots[slot, 2])]
        kinds = ports.INT_OUTPUT if integer else ports.OUTPUT, recording.INT_TOTAL if integer else recording.TOTAL
        for instruction, place in zip((*kinds, recording.MOMENTS), places):
            if name in place:
                offset = place[name].offset
                offset = offset if instruction in (ports.OUTPUT, ports.INT_OUTPUT) else trimmed.tails[integer] - offset
                rows.append(instruction.row(-1, (slot,), offset=offset))
    return program_of(trimmed, live(program, rows))


def _side_by_side(
    program: Program,
    names: frozenset[str],
    width: Callable[[ProgramPort], int] = lambda port: port.size,
    used: int = 0,
) -> tuple[ProgramPort, ...]:
    """Return the named outputs, each behind those before it of its kind."""
    ends, placed = {False: used, True: 0}, list[ProgramPort]()
    for port in program.outputs:
        if port.name in names:
            placed.append(replace(port, offset=ends[port.integer]))
            ends[port.integer] += width(port)
    return tuple(placed)


def live(program: Program, rows: Rows) -> Rows:
    """Return the rows that an output, an input or a state needs."""
    states = np.flatnonzero(program.slots[:, 0] >= Bank.FLOAT_STATE).tolist()
    needed, live_rows = {-1, *states}, Rows()  # -1: rows without a result are there for what they do
    # backwards: a slot is written before it is read (``bounds``), so that one pass meets all readers first
    for row in reversed(rows):
        if row[1] in needed or row[0] in _ALWAYS:
            needed.update(operands_of(row))
            live_rows.append(row)
    return live_rows[::-1]
