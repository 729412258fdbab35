"""Rows that Python runs one by one, for a block of samples: forces, devices, sweeps that share words."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from thermoc.simulator.cache import keep
from thermoc.simulator.instructions.declaration import OPERANDS
from thermoc.simulator.instructions.pairs import PAIRS
from thermoc.simulator.instructions.registry import INSTRUCTIONS
from thermoc.simulator.kernels.adapter import OPERAND_NAMES, kernel_of
from thermoc.simulator.kernels.operands import NoisePosition, RowOperand
from thermoc.simulator.program import Bank, Program
from thermoc.support.errors import ThermocError, error


class Collision(NamedTuple):
    """Two particles whose force is not finite; or a device that cannot go on, where ``other`` says why, below -1."""

    tick: int
    sample: int
    one: int
    other: int


class SampleBlock(NamedTuple):
    """Samples that run together: their float work and states, how many a block has room for, where they stand.

    layouts: what ``gibbs.dispatch`` made of constants in this run. halt: is set where the run is to end early.
    """

    work: NDArray
    states: NDArray
    size: int
    first: int
    samples: int
    layouts: dict[Any, Any]
    halt: NDArray


def run_alone(program: Program, number: int, block: SampleBlock, tick: int, seed: int) -> list[Collision]:
    """Run one row of a program for a block of samples; return what collided."""
    row = program.code[number].tolist()
    instruction = INSTRUCTIONS[row[0]]
    kernel, collision = _kernel(row[0]), np.full(3, -1)
    available = _operands(program, row, block) | {
        "parameters": tuple(instruction.values(row).values()),
        "samples": block.samples,
        "table": program.table,
        "constants": program.floats,
        "position": NoisePosition(block.first, tick, np.uint64(seed)),
        "layouts": block.layouts,
        "halt": block.halt,
        "collision": collision,
    }
    kernel(*(available[name] for name in _arguments(row[0])))
    sample, first_particle, second_particle = collision.tolist()
    return [] if sample < 0 else [Collision(tick, block.first + sample, first_particle, second_particle)]


def failure(collision: Collision) -> ThermocError:
    """Return the error that two particles are at one place, or that a device cannot go on."""
    if collision.other < -1:
        from thermoc.simulator.devices import units  # the models load where there are devices

        model, status = divmod(-2 - collision.other, 8)
        return units.failure(model, status, collision.one, collision.sample, collision.tick)
    pair = f"particles {collision.one} and {collision.other}"
    notes = [f"{pair} of sample {collision.sample}, at tick {collision.tick}"]
    hint = "shorten the step, soften the potential, or keep them apart"
    return error("T405", "two particles are at one place, or too near for a force", notes=notes, hint=hint)


@cache
def _kernel(opcode: int) -> Callable[..., None]:
    kernel = kernel_of(INSTRUCTIONS[opcode])
    if opcode != PAIRS.opcode:
        return kernel  # it chooses among kernels that are compiled already
    return keep(njit(kernel, error_model="numpy", nogil=True), "the forces of pairs", 2.0)


@cache
def _arguments(opcode: int) -> Sequence[str]:
    return tuple(inspect.signature(kernel_of(INSTRUCTIONS[opcode])).parameters)


def _operands(program: Program, row: list[int], block: SampleBlock) -> dict[str, Any]:
    """Return result and operands of a row by name."""
    slots = row[1 : 2 + OPERANDS]
    return {name: _operand(program, slot, block) for name, slot in zip(OPERAND_NAMES, slots) if slot >= 0}


def _operand(program: Program, slot: int, block: SampleBlock) -> RowOperand:
    bank, offset, size = program.slots[slot].tolist()
    if bank == Bank.FLOAT_WORK:  # slot by slot, each for all samples of a block
        return RowOperand(block.work[offset * block.size :], size, size, True)
    if bank == Bank.FLOAT_STATE:
        return RowOperand(block.states.reshape(-1)[offset:], block.states.shape[1], size, True)
    numbers = program.ints if bank == Bank.INT_CONSTANT else program.floats
    return RowOperand(numbers[offset:], 0, size, True)
