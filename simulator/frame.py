"""Lines and frame of a run: what ``kernels.operands`` reads, made of a program and of one thread's arrays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.instructions.declaration import OPERANDS, Trait
from thermoc.simulator.instructions.registry import opcodes
from thermoc.simulator.kernels.operands import FUNCTION, LINE, NUMBERS, OPCODE, SLOT_WORDS, SLOTS
from thermoc.simulator.program import Bank, Program, once_a_program
from thermoc.simulator.row_functions import addresses

ADDRESS, STEP, STRIDE, ELEMENTS, TO_END = range(SLOT_WORDS)
ABSENT = len(Bank)


@dataclass(frozen=True, kw_only=True)
class ProgramLayout:
    """What the lines of a program are in every run, and where each slot lies in its bank.

    banks, first, each, width: (rows, 1 + operands) the bank, ``ABSENT`` where there is no slot; its first element is
    first + each block, for work lies slot by slot for all samples of a block; bytes of an element. ranges: the rows
    between those that run alone.
    """

    lines: NDArray[np.int64]
    banks: NDArray[np.int64]
    first: NDArray[np.int64]
    each: NDArray[np.int64]
    width: NDArray[np.int64]
    ranges: tuple[tuple[int, int], ...]


@once_a_program
def layout(program: Program) -> ProgramLayout:
    """Look up the slots of a program's rows and the functions that run them, which are compiled if need be."""
    bank, offset, size = np.concatenate([program.slots, [[ABSENT, 0, 0]]]).T
    floats, ints = program.first_states
    state = np.where(bank == Bank.FLOAT_STATE, floats.size, np.where(bank == Bank.INT_STATE, ints.size, 0))
    work = (bank == Bank.FLOAT_WORK) | (bank == Bank.INT_WORK)
    code = program.code
    slots = code[:, 1 : 2 + OPERANDS]  # -1 is the last
    table = np.zeros((len(code), LINE), np.int64)
    table[:, FUNCTION] = addresses(code[:, 0].tolist(), program.floats.dtype, program.places.dtype)
    table[:, OPCODE] = code[:, 0]
    words = np.zeros((*slots.shape, SLOT_WORDS), np.int64)
    words[..., STEP], words[..., STRIDE] = state[slots], np.where(work, size, state)[slots]
    words[..., ELEMENTS] = size[slots]
    table[:, SLOTS:NUMBERS] = words.reshape(len(code), NUMBERS - SLOTS)
    table[:, NUMBERS:] = code[:, 2 + OPERANDS :]
    first, block_step = np.where(work, 0, offset), np.where(work, offset, 0)
    alone = np.flatnonzero(np.isin(code[:, 0], opcodes(Trait.ALONE))).tolist()
    ranges = (*zip([0, *(line + 1 for line in alone)], [*alone, len(code)]),)
    # banks of even numbers hold floats
    width = np.where((bank % 2 == 0) & (bank < ABSENT), program.floats.itemsize, 8)[slots]
    places = {"banks": bank[slots], "first": first[slots], "each": block_step[slots], "width": width}
    return ProgramLayout(lines=table, ranges=ranges, **places)


def frame(arrays: Sequence[NDArray], numbers: Sequence[int]) -> NDArray[np.int64]:
    """Return the frame of arrays in the order of ``FrameArray``, and numbers in that of ``FrameNumber``."""
    # bare addresses: the caller must hold the arrays for as long as lines run
    places = [word for array in arrays for word in (array.__array_interface__["data"][0], array.size)]
    return np.array([*places, *numbers], np.int64)


def lines(program: Program, frame: NDArray[np.int64], block: int) -> NDArray[np.int64]:
    """Return the lines for the banks of a frame, and blocks of so many samples."""
    plan = layout(program)
    # an absent slot keeps the address 0, by which kernels know it
    start, length = np.zeros((2, ABSENT + 1), np.int64)
    start[:ABSENT], length[:ABSENT] = frame[0 : 2 * ABSENT : 2], frame[1 : 2 * ABSENT : 2]
    at, table = plan.first + plan.each * block, plan.lines.copy()
    table[:, SLOTS + ADDRESS : NUMBERS : SLOT_WORDS] = start[plan.banks] + at * plan.width
    table[:, SLOTS + TO_END : NUMBERS : SLOT_WORDS] = length[plan.banks] - at
    return table
