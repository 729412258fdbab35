"""Products: dense, sparse, through crossbars."""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

from thermoc.simulator.kernels import linear
from thermoc.simulator.kernels.crossbar import mvm as crossbar_mvm
from thermoc.simulator.kernels.operands import (
    NUMBERS,
    RESULT,
    Array,
    Setting,
    X,
    Y,
    Z,
    float_array,
    floats,
    present,
    tables,
    word,
)


def matmul(line, frame):
    """Pairs of matrices."""
    r, _, _ = floats(line, frame, RESULT)
    x, xs, _ = floats(line, frame, X)
    y, ys, _ = floats(line, frame, Y)
    z, zs, _ = floats(line, frame, Z)
    count, rows, inner = word(line, NUMBERS), word(line, NUMBERS + 1), word(line, NUMBERS + 2)
    columns, shared, bias = word(line, NUMBERS + 3), word(line, NUMBERS + 4), word(line, NUMBERS + 5)
    samples = word(frame, Setting.SAMPLES)
    linear.matmul(r, 0, samples, x, 0, xs, y, 0, ys, z, 0, zs, bias, count, rows, inner, columns, shared)


def sparse(line, frame):
    """Rows of couplings."""
    r, _, n = floats(line, frame, RESULT)
    x, xs, _ = floats(line, frame, X)
    y, ys, _ = floats(line, frame, Y)
    z, zs, _ = floats(line, frame, Z)
    offsets, columns, bias = word(line, NUMBERS), word(line, NUMBERS + 1), present(line, Z)
    samples, table = word(frame, Setting.SAMPLES), tables(line, frame)
    linear.sparse(r, 0, n, samples, x, 0, xs, y, 0, ys, z, 0, zs, bias, table, offsets, columns)


def mvm(line, frame):
    """Arrays of memristors."""
    r, _, _ = floats(line, frame, RESULT)
    x, xs, _ = floats(line, frame, X)
    y, ys, _ = floats(line, frame, Y)
    z, zs, zn = floats(line, frame, Z)
    at, first, lead = word(line, NUMBERS), word(line, NUMBERS + 1), word(line, NUMBERS + 2)
    samples, constants = word(frame, Setting.SAMPLES), float_array(frame, Array.FLOAT_CONSTANT)
    table, noisy = tables(line, frame), present(line, Y)
    crossbar_mvm.mvm(r, 0, samples, x, 0, xs, y, 0, ys, noisy, z, 0, zs, zn, constants, table, at, first, lead)
