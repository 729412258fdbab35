"""Lines and frame of a run: what ``kernels.operands`` reads, made of a program and of one thread's arrays."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.kernels.operands import FRAME, FUNCTION, LINE, NUMBERS, OPCODE, SLOTS, WORDS, Array, Setting
from thermoc.simulator.opcodes import OPERANDS
from thermoc.simulator.program import Bank, Program


@dataclass(frozen=True, kw_only=True)
class Lines:
    """The lines of a program and the frame they share; ``arrays`` keeps alive what their addresses lead to."""

    lines: NDArray[np.int64]
    frame: NDArray[np.int64]
    arrays: Mapping[Array, NDArray]


def lines(
    program: Program,
    functions: NDArray[np.int64],
    arrays: Mapping[Array, NDArray],
    settings: Mapping[Setting, int],
    block: int,
) -> Lines:
    """Look up every slot of a program's rows in the arrays, for blocks of so many samples."""
    frame = np.zeros(FRAME, np.int64)
    for array, values in arrays.items():
        frame[2 * array : 2 * array + 2] = values.ctypes.data, values.size
    for setting, number in settings.items():
        frame[setting] = number
    code = program.code
    table = np.zeros((len(code), LINE), np.int64)
    table[:, FUNCTION], table[:, OPCODE] = functions, code[:, 0]
    slots = code[:, 1 : 2 + OPERANDS]
    words = table[:, SLOTS:NUMBERS].reshape(len(code), 1 + OPERANDS, WORDS)
    words[:] = np.where((slots >= 0)[..., np.newaxis], _words(program, arrays, block)[slots], 0)
    table[:, NUMBERS:] = code[:, 2 + OPERANDS :]
    return Lines(lines=table, frame=frame, arrays=arrays)


def _words(program: Program, arrays: Mapping[Array, NDArray], block: int) -> NDArray[np.int64]:
    """Return (address, step, stride, elements, elements to the end) of each slot, and zeros for none at all."""
    bank, offset, size = program.slots.T
    floats, ints = program.first_states
    state = np.where(bank == Bank.FLOAT_STATE, floats.size, np.where(bank == Bank.INT_STATE, ints.size, 0))
    work = (bank == Bank.FLOAT_WORK) | (bank == Bank.INT_WORK)
    first = np.where(work, offset * block, offset)
    start, width, length = np.array([(a.ctypes.data, a.itemsize, a.size) for a in (arrays[Array(b)] for b in Bank)]).T
    columns = [start[bank] + first * width[bank], state, np.where(work, size, state), size, length[bank] - first]
    return np.concatenate([np.stack(columns, axis=1), np.zeros((1, WORDS), np.int64)])
