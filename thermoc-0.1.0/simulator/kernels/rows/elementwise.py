"""Elementwise rows."""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

from thermoc.simulator.kernels import elementwise
from thermoc.simulator.kernels.operands import (
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
    integers,
    word,
)


def unary(line, frame):
    """Floats of floats."""
    r, _, n = floats(line, frame, RESULT)
    x, xs, xn = floats(line, frame, X)
    samples, scratch = word(frame, Setting.SAMPLES), float_array(frame, Array.FLOAT_SCRATCH)
    elementwise.unary(word(line, OPCODE), r, 0, n, samples, x, 0, xs, xn, scratch)


def binary(line, frame):
    """Floats of two floats."""
    r, _, n = floats(line, frame, RESULT)
    x, xs, xn = floats(line, frame, X)
    y, ys, yn = floats(line, frame, Y)
    samples, scratch = word(frame, Setting.SAMPLES), float_array(frame, Array.FLOAT_SCRATCH)
    elementwise.binary(word(line, OPCODE), r, 0, n, samples, x, 0, xs, xn, y, 0, ys, yn, scratch)


def fermi_dirac(line, frame):
    """Fermi-Dirac."""
    r, _, n = floats(line, frame, RESULT)
    x, xs, xn = floats(line, frame, X)
    y, ys, yn = floats(line, frame, Y)
    z, zs, zn = floats(line, frame, Z)
    samples, scratch = word(frame, Setting.SAMPLES), float_array(frame, Array.FLOAT_SCRATCH)
    elementwise.fermi(r, 0, n, samples, x, 0, xs, xn, y, 0, ys, yn, z, 0, zs, zn, scratch)


def select(line, frame):
    """Floats chosen by integers."""
    r, _, n = floats(line, frame, RESULT)
    x, xs, xn = integers(line, frame, X)
    y, ys, yn = floats(line, frame, Y)
    z, zs, zn = floats(line, frame, Z)
    samples, scratch = word(frame, Setting.SAMPLES), float_array(frame, Array.FLOAT_SCRATCH)
    int_scratch = int_array(frame, Array.INT_SCRATCH)
    elementwise.choose(r, 0, n, samples, x, 0, xs, xn, y, 0, ys, yn, z, 0, zs, zn, scratch, int_scratch)


def compare(line, frame):
    """Integers of two floats."""
    r, _, n = integers(line, frame, RESULT)
    x, xs, xn = floats(line, frame, X)
    y, ys, yn = floats(line, frame, Y)
    samples, scratch = word(frame, Setting.SAMPLES), float_array(frame, Array.FLOAT_SCRATCH)
    elementwise.compare(word(line, OPCODE), r, 0, n, samples, x, 0, xs, xn, y, 0, ys, yn, scratch)


def integer(line, frame):
    """Integers of two integers."""
    r, _, n = integers(line, frame, RESULT)
    x, xs, xn = integers(line, frame, X)
    y, ys, yn = integers(line, frame, Y)
    samples, scratch = word(frame, Setting.SAMPLES), int_array(frame, Array.INT_SCRATCH)
    elementwise.integer(word(line, OPCODE), r, 0, n, samples, x, 0, xs, xn, y, 0, ys, yn, scratch)


def invert(line, frame):
    """Integers of integers."""
    r, _, n = integers(line, frame, RESULT)
    x, xs, xn = integers(line, frame, X)
    samples, scratch = word(frame, Setting.SAMPLES), int_array(frame, Array.INT_SCRATCH)
    elementwise.invert(r, 0, n, samples, x, 0, xs, xn, scratch)
