"""Boltzmann units, noise, and coupled binary units."""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

from numpy import uint64

from thermoc.simulator.kernels import moves, thermal
from thermoc.simulator.kernels.gibbs import dense_layers, rows
from thermoc.simulator.kernels.operands import (
    NUMBERS,
    OPCODE,
    RESULT,
    Array,
    Setting,
    X,
    Y,
    Z,
    float_array,
    floats,
    int_array,
    tables,
    word,
)
from thermoc.simulator.opcodes import Opcode


def boltzmann(line, frame):
    """Rows of units."""
    r, _, n = floats(line, frame, RESULT)
    x, xs, _ = floats(line, frame, X)
    y, ys, yn = floats(line, frame, Y)
    thermal.boltzmann(r, 0, n, word(frame, Setting.SAMPLES), x, 0, xs, y, 0, ys, yn, word(line, NUMBERS))


def noise(line, frame):
    """Normals and uniforms."""
    r, _, n = floats(line, frame, RESULT)
    element = (word(frame, Setting.SAMPLE0) + word(frame, Setting.START)) * n
    tick, key = word(frame, Setting.TICK0) + word(frame, Setting.TICK), uint64(word(frame, Setting.KEY))
    draw, stream, normal = word(line, NUMBERS), word(line, NUMBERS + 1), word(line, OPCODE) == Opcode.NORMAL
    count, scratch = n * word(frame, Setting.SAMPLES), float_array(frame, Array.FLOAT_SCRATCH)
    thermal.noise(r, 0, count, element, tick, draw, stream, key, normal, scratch)


def gibbs(line, frame):
    """Sweeps over units that are sparsely coupled."""
    r, _, n = floats(line, frame, RESULT)
    x, xs, _ = floats(line, frame, X)
    y, ys, yn = floats(line, frame, Y)
    z, zs, zn = floats(line, frame, Z)
    at, classes, sweeps = word(line, NUMBERS), word(line, NUMBERS + 1), word(line, NUMBERS + 2)
    form, stream, first = word(line, NUMBERS + 3), word(line, NUMBERS + 4), word(line, NUMBERS + 5)
    number, samples = word(frame, Setting.SAMPLE0) + word(frame, Setting.START), word(frame, Setting.SAMPLES)
    tick, key = word(frame, Setting.TICK0) + word(frame, Setting.TICK), uint64(word(frame, Setting.KEY))
    constants, scratch = float_array(frame, Array.FLOAT_CONSTANT), float_array(frame, Array.FLOAT_SCRATCH)
    table, halt = tables(line, frame), int_array(frame, Array.HALT)
    moves.copy(r, 0, n, n, samples, x, 0, xs)
    rows.gibbs(
        r, 0, n, samples, y, 0, ys, yn, z, 0, zs, zn, constants, table, at, classes, sweeps, form, stream, first,
        number, tick, key, scratch, halt,
    )  # fmt: skip


def gibbs_layers(line, frame):
    """Sweeps over units that are densely coupled from class to class."""
    r, _, n = floats(line, frame, RESULT)
    x, xs, _ = floats(line, frame, X)
    y, ys, yn = floats(line, frame, Y)
    z, zs, zn = floats(line, frame, Z)
    at, classes, sweeps = word(line, NUMBERS), word(line, NUMBERS + 1), word(line, NUMBERS + 2)
    form, stream, first = word(line, NUMBERS + 3), word(line, NUMBERS + 4), word(line, NUMBERS + 5)
    number, samples = word(frame, Setting.SAMPLE0) + word(frame, Setting.START), word(frame, Setting.SAMPLES)
    tick, key = word(frame, Setting.TICK0) + word(frame, Setting.TICK), uint64(word(frame, Setting.KEY))
    constants, table, halt = float_array(frame, Array.FLOAT_CONSTANT), tables(line, frame), int_array(frame, Array.HALT)
    dense_layers.gibbs_layers(
        r, 0, n, samples, x, 0, xs, y, 0, ys, yn, z, 0, zs, zn, constants, table, at, classes, sweeps, form, stream,
        first, number, tick, key, halt,
    )  # fmt: skip
