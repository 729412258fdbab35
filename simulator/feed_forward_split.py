"""The rows that feed no state, taken out of the recursion: they run for many ticks at once, as if ticks were samples.

A program is a head, run tick after tick, and a tail without state, noise or clock. It pays to run them apart where the
tail multiplies by a constant matrix: for many ticks together that is a product of matrices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.instructions import ports
from thermoc.simulator.instructions.declaration import OPERANDS, ROW, Trait
from thermoc.simulator.instructions.products import MATMUL, MVM
from thermoc.simulator.instructions.registry import opcodes
from thermoc.simulator.instructions.spiking import LISTED_MATMUL, SPIKE_MATMUL
from thermoc.simulator.program import Bank, Program, ProgramPort, once_a_program

LEAST_MATRIX = 2**10
"""Elements of a constant matrix from which on its product pays for the crossing."""
_INPUTS = (ports.INPUT.opcode, ports.INT_INPUT.opcode)
_WRITES = opcodes(Trait.WRITES)
_STEPS = opcodes(Trait.STEPS)
_PER_TICK = opcodes(Trait.PER_TICK)

Rows = list[list[int]]


@dataclass(frozen=True, kw_only=True)
class Halves:
    """head: what runs in the order of the ticks; its outputs cross. tail: the rest, which reads inputs and those."""

    head: Program
    tail: Program


def halves(program: Program) -> Halves | None:
    """Return the two parts of a program, or None where it does not pay to run them apart."""
    if program.totals or program.moments:
        return None  # they count ticks, which the tail would take for samples
    parts = _halves(program)
    if parts is None or program.structure is program:
        return parts
    numbers = program.floats, program.ints
    return Halves(
        head=parts.head.with_numbers(*numbers, program.states),
        tail=parts.tail.with_numbers(*numbers, parts.tail.states),
    )


@once_a_program
def _halves(program: Program) -> Halves | None:
    rows: Rows = program.code.tolist()
    states = set(np.flatnonzero(program.slots[:, 0] >= Bank.FLOAT_STATE).tolist())
    feeding = _feeding(rows, states)
    computed = feeding | {row[1] for row in rows if row[0] in _PER_TICK}
    tail = [row for row in rows if row[0] not in _WRITES and row[1] not in computed and row[0] not in _INPUTS]
    if not any(_heavy(program, row) for row in tail):
        return None
    read = {slot for row in tail for slot in operands_of(row)}
    inputs = {row[1]: row for row in rows if row[0] in _INPUTS}
    constant = np.isin(program.slots[:, 0], (Bank.FLOAT_CONSTANT, Bank.INT_CONSTANT))
    crossing = sorted(slot for slot in read if slot in computed and slot not in inputs and not constant[slot])
    head = [row for row in rows if row[0] in _WRITES or row[1] in computed]
    tail = [*(row for slot, row in inputs.items() if slot in read), *tail]
    return Halves(head=_head(program, head, crossing), tail=_tail(program, tail, crossing))


halves.known = _halves.known  # pyright: ignore[reportFunctionMemberAccess]


def _feeding(rows: Rows, states: set[int]) -> set[int]:
    """Return the slots that reach a state or a row that runs tick by tick, and those that are states (``states``)."""
    feeding = set(states)
    # backwards: a slot is written before it is read (``bounds``), so that one pass meets all readers first
    for row in reversed(rows):
        if row[0] in (*_WRITES, *_STEPS, *_PER_TICK) or row[1] in feeding:
            feeding.update(operands_of(row))
    return feeding


def operands_of(row: list[int]) -> list[int]:
    """Return the slots that a row reads."""
    return [slot for slot in row[2 : 2 + OPERANDS] if slot >= 0]


def _heavy(program: Program, row: list[int]) -> bool:
    """True for a product with a large constant matrix."""
    if row[0] == MVM.opcode:
        sizes = MVM.values(row)["sizes"]
        return math.prod(program.table[sizes : sizes + 3].tolist()) >= LEAST_MATRIX
    if row[0] not in (MATMUL.opcode, SPIKE_MATMUL.opcode, LISTED_MATMUL.opcode):
        return False
    bank, _, size = program.slots[row[3]].tolist()
    return bank == Bank.FLOAT_CONSTANT and size >= LEAST_MATRIX


def _head(program: Program, rows: Rows, crossing: list[int]) -> Program:
    crossings = _ports(program, crossing, used=(0, 0))
    ports_of_kind = {False: ports.OUTPUT, True: ports.INT_OUTPUT}
    leaving = [
        ports_of_kind[port.integer].row(-1, (slot,), offset=port.offset) for slot, port in zip(crossing, crossings)
    ]
    writes = next((row_number for row_number, row in enumerate(rows) if row[0] in _WRITES), len(rows))
    return program_of(program, [*rows[:writes], *leaving, *rows[writes:]], outputs=crossings)  # before states change


def _tail(program: Program, rows: Rows, crossing: list[int]) -> Program:
    crossings = _ports(program, crossing, used=program.widths[0])
    ports_of_kind = {False: ports.INPUT, True: ports.INT_INPUT}
    arriving = [ports_of_kind[port.integer].row(slot, offset=port.offset) for slot, port in zip(crossing, crossings)]
    return program_of(program, [*arriving, *rows], inputs=(*program.inputs, *crossings), states=())


def _ports(program: Program, slots: list[int], used: tuple[int, int]) -> tuple[ProgramPort, ...]:
    """Return the ports by which slots cross, named as no port of a user's can be."""
    crossings, row_number = [], {False: used[0], True: used[1]}
    for slot in slots:
        bank, _, size = program.slots[slot].tolist()
        integer = bank in (Bank.INT_WORK, Bank.INT_STATE)
        dtype = "int64" if integer else program.precision
        crossings.append(ProgramPort(name=f"\0{slot}", shape=(size,), dtype=dtype, offset=row_number[integer]))
        row_number[integer] += size
    return tuple(crossings)


def program_of(program: Program, rows: Rows, **changes: object) -> Program:
    """Return the program of some rows, its work closed up to what they use."""
    used = sorted({slot for row in rows for slot in (row[1], *operands_of(row)) if slot >= 0})
    slots, work = program.slots.copy(), dict.fromkeys((Bank.FLOAT_WORK, Bank.INT_WORK), 0)
    if changes.get("states") == ():  # what is a state of the head arrives as a value
        slots[slots[:, 0] == Bank.FLOAT_STATE, 0] = Bank.FLOAT_WORK
        slots[slots[:, 0] == Bank.INT_STATE, 0] = Bank.INT_WORK
    slots[~np.isin(np.arange(len(slots)), used), 1:] = 0
    for slot in used:
        bank, _, size = slots[slot].tolist()
        if bank in work:
            slots[slot, 1] = work[bank]
            work[bank] += size
    code: NDArray[np.int64] = np.array(rows, np.int64).reshape(-1, ROW)
    return replace(program, code=code, slots=slots, work=tuple(work.values()), **changes)  # type: ignore[arg-type]
