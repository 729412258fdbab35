"""Spiking units and the products that walk their spikes."""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

from thermoc.simulator.kernels import spiking
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
    integers,
    present,
    tables,
    word,
)


def columns(line, frame):
    """Columns of couplings whose unit is not 0."""
    r, rs, n = floats(line, frame, RESULT)
    x, xs, xn = floats(line, frame, X)
    y, ys, yn = floats(line, frame, Y)
    z, zs, _ = floats(line, frame, Z)
    starts, targets = word(line, NUMBERS), word(line, NUMBERS + 1)
    samples, table = word(frame, Setting.SAMPLES), tables(line, frame)
    if word(line, NUMBERS + 2) == 0:
        spiking.begin(r, 0, rs, n, samples, z, 0, zs, present(line, Z))
    spiking.add_nonzero(r, 0, rs, n, samples, x, 0, xs, xn, y, 0, ys, yn, table, starts, targets)


def listed_columns(line, frame):
    """Columns of couplings whose unit is in a list."""
    r, rs, n = floats(line, frame, RESULT)
    x, xs, xn = floats(line, frame, X)
    y, ys, yn = integers(line, frame, Y)
    z, zs, _ = floats(line, frame, Z)
    starts, targets = word(line, NUMBERS), word(line, NUMBERS + 1)
    samples, table = word(frame, Setting.SAMPLES), tables(line, frame)
    if word(line, NUMBERS + 2) == 0:
        spiking.begin(r, 0, rs, n, samples, z, 0, zs, present(line, Z))
    spiking.add_listed(r, 0, rs, n, samples, x, 0, xs, xn, y, 0, ys, yn - 1, table, starts, targets)


def trace_step(line, frame):
    """Traces."""
    r, rs, n = floats(line, frame, RESULT)
    x, xs, _ = floats(line, frame, X)
    y, ys, yn = floats(line, frame, Y)
    spiking.trace_step(r, 0, rs, n, word(frame, Setting.SAMPLES), x, 0, xs, present(line, X), y, 0, ys, yn)


def lif_step(line, frame):
    """Populations with membranes."""
    r, _, n = integers(line, frame, RESULT)
    x, xs, _ = floats(line, frame, X)
    y, ys, _ = floats(line, frame, Y)
    z, zs, zn = floats(line, frame, Z)
    width, states = word(frame, Setting.STATES), float_array(frame, Array.FLOAT_STATE)
    here, samples = word(frame, Setting.START) * width, word(frame, Setting.SAMPLES)
    membranes, counters = here + word(line, NUMBERS), here + word(line, NUMBERS + 1)
    form, ticks = word(line, NUMBERS + 2), word(line, NUMBERS + 3)
    spiking.lif_step(
        r, 0, n - 1, samples, states, membranes, width, counters, x, 0, xs, y, 0, ys, z, 0, zs, zn, form, ticks
    )


def spread(line, frame):
    """Lists as levels."""
    r, _, n = floats(line, frame, RESULT)
    x, xs, _ = integers(line, frame, X)
    spiking.spread(r, 0, n, word(frame, Setting.SAMPLES), x, 0, xs)
