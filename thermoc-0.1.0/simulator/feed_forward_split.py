"""The rows that feed no state, taken out of the recursion: they run for many ticks at once, as if ticks were samples.

A program is a head, run tick after tick, and a tail without state, noise or clock. It pays to part them where the tail
multiplies by a constant matrix: for many ticks together that is a product of matrices.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.opcodes import OPERANDS, ROW, Opcode
from thermoc.simulator.program import Bank, Port, Program

LEAST_MATRIX = 2**10
"""Elements of a constant matrix from which on its product pays for the crossing."""
_INPUTS = (Opcode.INPUT, Opcode.INT_INPUT)
_SYNAPSES = (Opcode.LOIHI_SYNAPSE, Opcode.LOIHI_SYNAPSE_LIST, Opcode.LOIHI_MATRIX, Opcode.LOIHI_CONV)
_WRITES = (
    *(Opcode.WRITE, Opcode.INT_WRITE, Opcode.WRITE_LIST),
    *(*_SYNAPSES, Opcode.LOIHI_MEMORY, Opcode.LOIHI_HEAT),
)
_STEPS = (
    *(Opcode.TRACE_STEP, Opcode.LIF_STEP, Opcode.LOIHI_LIF),
    *(Opcode.LOIHI_SIGMA, Opcode.LOIHI_DELTA, Opcode.LOIHI_FERMI_DIRAC),
)
_OF_THE_TICK = (  # pairs: two particles that meet are reported with their tick
    *_STEPS,
    Opcode.SPREAD,
    Opcode.LOIHI_SPREAD,
    Opcode.LOIHI_ARRIVE,
    Opcode.LOIHI_CATEGORICAL,
    Opcode.READ,
    Opcode.INT_READ,
    Opcode.READ_LIST,
    Opcode.NORMAL,
    Opcode.UNIFORM,
    Opcode.GIBBS,
    Opcode.GIBBS_WORDS,
    Opcode.GIBBS_LAYERS,
    Opcode.PAIRS,
    Opcode.TICK,
)

Rows = list[list[int]]


@dataclass(frozen=True, kw_only=True)
class Halves:
    """head: what runs in the order of the ticks; its outputs cross. tail: the rest, which reads inputs and those."""

    head: Program
    tail: Program


def split(program: Program) -> Halves | None:
    """Return the two parts of a program, or None where parting them does not pay."""
    rows: Rows = program.code.tolist()
    kept = set(np.flatnonzero(program.slots[:, 0] >= Bank.FLOAT_STATE).tolist())
    feeding = _feeding(rows, kept)
    made = feeding | {row[1] for row in rows if row[0] in _OF_THE_TICK}
    tail = [row for row in rows if row[0] not in _WRITES and row[1] not in made and row[0] not in _INPUTS]
    if not any(_heavy(program, row) for row in tail):
        return None
    read = {slot for row in tail for slot in _operands(row)}
    inputs = {row[1]: row for row in rows if row[0] in _INPUTS}
    constant = np.isin(program.slots[:, 0], (Bank.FLOAT_CONSTANT, Bank.INT_CONSTANT))
    crossing = sorted(slot for slot in read if slot in made and slot not in inputs and not constant[slot])
    head = [row for row in rows if row[0] in _WRITES or row[1] in made]
    tail = [*(row for slot, row in inputs.items() if slot in read), *tail]
    return Halves(head=_head(program, head, crossing), tail=_tail(program, tail, crossing))


def _feeding(rows: Rows, kept: set[int]) -> set[int]:
    """Return the slots that reach a state, and those that are states (``kept``)."""
    feeding = set(kept)
    for row in reversed(rows):
        if row[0] in (*_WRITES, *_STEPS) or row[1] in feeding:
            feeding.update(_operands(row))
    return feeding


def _operands(row: list[int]) -> list[int]:
    return [slot for slot in row[2 : 2 + OPERANDS] if slot >= 0]


def _heavy(program: Program, row: list[int]) -> bool:
    """True for a product with a large constant matrix."""
    if row[0] == Opcode.MVM:
        return math.prod(program.table[row[5] : row[5] + 3].tolist()) >= LEAST_MATRIX
    if row[0] != Opcode.MATMUL:
        return False
    bank, _, size = program.slots[row[3]].tolist()
    return bank == Bank.FLOAT_CONSTANT and size >= LEAST_MATRIX


def _head(program: Program, rows: Rows, crossing: list[int]) -> Program:
    ports = _ports(program, crossing, used=(0, 0))
    opcodes = {False: Opcode.OUTPUT, True: Opcode.INT_OUTPUT}
    leaving = [_row(opcodes[port.integer], -1, slot, port.offset) for slot, port in zip(crossing, ports)]
    writes = next((place for place, row in enumerate(rows) if row[0] in _WRITES), len(rows))
    return _part(program, [*rows[:writes], *leaving, *rows[writes:]], outputs=ports)  # before states change


def _tail(program: Program, rows: Rows, crossing: list[int]) -> Program:
    ports = _ports(program, crossing, used=program.widths[0])
    opcodes = {False: Opcode.INPUT, True: Opcode.INT_INPUT}
    arriving = [_row(opcodes[port.integer], slot, -1, port.offset) for slot, port in zip(crossing, ports)]
    return _part(program, [*arriving, *rows], inputs=(*program.inputs, *ports), states=())


def _ports(program: Program, slots: list[int], used: tuple[int, int]) -> tuple[Port, ...]:
    """Return the ports by which slots cross, named as no port of a user's can be."""
    ports, place = [], {False: used[0], True: used[1]}
    for slot in slots:
        bank, _, size = program.slots[slot].tolist()
        integer = bank in (Bank.INT_WORK, Bank.INT_STATE)
        dtype = "int64" if integer else program.precision
        ports.append(Port(name=f"\0{slot}", shape=(size,), dtype=dtype, offset=place[integer]))
        place[integer] += size
    return tuple(ports)


def _row(opcode: Opcode, result: int, operand: int, offset: int) -> list[int]:
    row = [int(opcode), result, operand, *[-1] * (OPERANDS - 1), offset]
    return [*row, *[0] * (ROW - len(row))]


def _part(program: Program, rows: Rows, **changes: object) -> Program:
    """Return the program of some rows, its work closed up to what they use."""
    used = sorted({slot for row in rows for slot in (row[1], *_operands(row)) if slot >= 0})
    slots, work = program.slots.copy(), dict.fromkeys((Bank.FLOAT_WORK, Bank.INT_WORK), 0)
    if changes.get("states") == ():  # what is a state of the head arrives as a value
        slots[slots[:, 0] == Bank.FLOAT_STATE, 0] = Bank.FLOAT_WORK
        slots[slots[:, 0] == Bank.INT_STATE, 0] = Bank.INT_WORK
    slots[:, 2][~np.isin(np.arange(len(slots)), used)] = 0
    for slot in used:
        bank, _, size = slots[slot].tolist()
        if bank in work:
            slots[slot, 1] = work[bank]
            work[bank] += size
    code: NDArray[np.int64] = np.array(rows, np.int64).reshape(-1, ROW)
    return replace(program, code=code, slots=slots, work=tuple(work.values()), **changes)  # type: ignore[arg-type]
