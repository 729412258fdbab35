"""Rows that move elements: casts, gather and scatter, reductions, ports and delays."""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

from thermoc.simulator.kernels import moves, spiking
from thermoc.simulator.kernels.operands import (
    NUMBERS,
    OPCODE,
    RESULT,
    Array,
    Setting,
    X,
    float_array,
    floats,
    int_array,
    integers,
    tables,
    word,
)
from thermoc.simulator.opcodes import Opcode


def float_to_int(line, frame):
    """Cast."""
    r, _, n = integers(line, frame, RESULT)
    x, xs, _ = floats(line, frame, X)
    moves.to_int(r, 0, n, word(frame, Setting.SAMPLES), x, 0, xs, word(line, NUMBERS))


def int_to_int(line, frame):
    """Cast."""
    r, _, n = integers(line, frame, RESULT)
    x, xs, _ = integers(line, frame, X)
    moves.to_int(r, 0, n, word(frame, Setting.SAMPLES), x, 0, xs, word(line, NUMBERS))


def int_to_float(line, frame):
    """Cast."""
    r, _, n = floats(line, frame, RESULT)
    x, xs, _ = integers(line, frame, X)
    moves.copy(r, 0, n, n, word(frame, Setting.SAMPLES), x, 0, xs)


def rearrange(line, frame):
    """Gather or scatter floats."""
    r, _, n = floats(line, frame, RESULT)
    x, xs, xn = floats(line, frame, X)
    samples, table, at = word(frame, Setting.SAMPLES), tables(line, frame), word(line, NUMBERS)
    if word(line, OPCODE) == Opcode.GATHER:
        moves.gather(r, 0, n, samples, x, 0, xs, table, at)
    else:
        moves.scatter(r, 0, n, xn, samples, x, 0, xs, table, at)


def int_rearrange(line, frame):
    """Gather or scatter integers."""
    r, _, n = integers(line, frame, RESULT)
    x, xs, xn = integers(line, frame, X)
    samples, table, at = word(frame, Setting.SAMPLES), tables(line, frame), word(line, NUMBERS)
    if word(line, OPCODE) == Opcode.INT_GATHER:
        moves.gather(r, 0, n, samples, x, 0, xs, table, at)
    else:
        moves.scatter(r, 0, n, xn, samples, x, 0, xs, table, at)


def reduce(line, frame):
    """Sums, means, greatest and least."""
    r, _, n = floats(line, frame, RESULT)
    x, xs, _ = floats(line, frame, X)
    at, window, kind = word(line, NUMBERS), word(line, NUMBERS + 1), word(line, NUMBERS + 2)
    moves.reduce(r, 0, n, word(frame, Setting.SAMPLES), x, 0, xs, tables(line, frame), at, window, kind)


def arg_reduce(line, frame):
    """Places of the greatest and least."""
    r, _, n = integers(line, frame, RESULT)
    x, xs, _ = floats(line, frame, X)
    at, window, kind = word(line, NUMBERS), word(line, NUMBERS + 1), word(line, NUMBERS + 2)
    moves.arg_reduce(r, 0, n, word(frame, Setting.SAMPLES), x, 0, xs, tables(line, frame), at, window, kind)


def port(line, frame):
    """Floats from inputs and rings, to outputs and rings."""
    op, offset, batch = word(line, OPCODE), word(line, NUMBERS), word(frame, Setting.BATCH)
    start, tick, samples = word(frame, Setting.START), word(frame, Setting.TICK), word(frame, Setting.SAMPLES)
    r, _, n = floats(line, frame, RESULT)
    x, xs, xn = floats(line, frame, X)
    if op == Opcode.INPUT:
        width = word(frame, Setting.INPUTS)
        at = ((tick if word(frame, Setting.TIMED) else 0) * batch + start) * width + offset
        moves.copy(r, 0, n, n, samples, float_array(frame, Array.FLOAT_INPUT), at, width)
    elif op == Opcode.OUTPUT:
        at = offset * word(frame, Setting.TICKS) * batch + (tick * batch + start) * xn
        moves.copy(float_array(frame, Array.FLOAT_OUTPUT), at, xn, xn, samples, x, 0, xs)
    else:
        width, turn = word(frame, Setting.STATES), (word(frame, Setting.BEGUN) + tick) % word(line, NUMBERS + 1)
        ring, at = float_array(frame, Array.FLOAT_STATE), start * width + offset
        if op == Opcode.READ:
            moves.copy(r, 0, n, n, samples, ring, at + turn * n, width)
        else:
            moves.copy(ring, at + turn * xn, width, xn, samples, x, 0, xs)


def int_port(line, frame):
    """Integers from inputs and rings, to outputs and rings."""
    op, offset, batch = word(line, OPCODE), word(line, NUMBERS), word(frame, Setting.BATCH)
    start, tick, samples = word(frame, Setting.START), word(frame, Setting.TICK), word(frame, Setting.SAMPLES)
    r, _, n = integers(line, frame, RESULT)
    x, xs, xn = integers(line, frame, X)
    if op == Opcode.INT_INPUT:
        width = word(frame, Setting.INT_INPUTS)
        at = ((tick if word(frame, Setting.TIMED) else 0) * batch + start) * width + offset
        moves.copy(r, 0, n, n, samples, int_array(frame, Array.INT_INPUT), at, width)
    elif op == Opcode.INT_OUTPUT:
        at = offset * word(frame, Setting.TICKS) * batch + (tick * batch + start) * xn
        moves.copy(int_array(frame, Array.INT_OUTPUT), at, xn, xn, samples, x, 0, xs)
    else:
        width, turn = word(frame, Setting.INT_STATES), (word(frame, Setting.BEGUN) + tick) % word(line, NUMBERS + 1)
        ring, at = int_array(frame, Array.INT_STATE), start * width + offset
        if op == Opcode.INT_READ:
            moves.copy(r, 0, n, n, samples, ring, at + turn * n, width)
        elif op == Opcode.INT_WRITE:
            moves.copy(ring, at + turn * xn, width, xn, samples, x, 0, xs)
        elif op == Opcode.READ_LIST:
            spiking.copy_list(r, 0, n, n, samples, ring, at + turn * n, width)
        else:
            spiking.copy_list(ring, at + turn * xn, width, xn, samples, x, 0, xs)


def tick(line, frame):
    """The number of the tick."""
    r, _, _ = integers(line, frame, RESULT)
    for s in range(word(frame, Setting.SAMPLES)):
        r[s] = word(frame, Setting.TICK0) + word(frame, Setting.TICK)
