"""A program for some of its outputs: the rows that only others need are left out."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from thermoc.simulator.feed_forward_split import Rows, operands_of, program_of
from thermoc.simulator.instructions import ports
from thermoc.simulator.instructions.declaration import Trait
from thermoc.simulator.instructions.registry import opcodes
from thermoc.simulator.program import Bank, Program, ProgramPort, once_a_program

OUTPUTS = (ports.OUTPUT.opcode, ports.INT_OUTPUT.opcode)
_ADVANCING = opcodes(Trait.WRITES, Trait.STEPS)


def with_outputs(program: Program, names: frozenset[str] | None) -> Program:
    """Return the program of the named outputs (None: of all), whose states are those of the whole, place by place."""
    if names is None or {port.name for port in program.outputs} <= names:
        return program
    known = _known(program)
    if names not in known:
        known[names] = _reduced(program, names)
    return known[names]


@once_a_program
def _known(program: Program) -> dict[frozenset[str], Program]:
    return {}


def _reduced(program: Program, names: frozenset[str]) -> Program:
    moved, closed_up, used = {}, list[ProgramPort](), {False: 0, True: 0}
    for port in program.outputs:
        if port.name in names:
            moved[port.integer, port.offset] = used[port.integer]
            closed_up.append(replace(port, offset=used[port.integer]))
            used[port.integer] += port.size
    column = ports.OUTPUT.column("offset")
    rows = Rows()
    for row in program.code.tolist():
        if row[0] in OUTPUTS:
            place = moved.get((row[0] == ports.INT_OUTPUT.opcode, row[column]))
            if place is None:
                continue
            row[column] = place
        rows.append(row)
    return program_of(program, live(program, rows), outputs=tuple(closed_up))


def live(program: Program, rows: Rows) -> Rows:
    """Return the rows that an output or a state needs."""
    states = np.flatnonzero(program.slots[:, 0] >= Bank.FLOAT_STATE).tolist()
    needed, kept = {-1, *states}, Rows()  # -1: rows without a result are there for what they do
    # backwards: a slot is written before it is read (``bounds``), so that one pass meets all readers first
    for row in reversed(rows):
        if row[1] in needed or row[0] in _ADVANCING:
            needed.update(operands_of(row))
            kept.append(row)
    return kept[::-1]
