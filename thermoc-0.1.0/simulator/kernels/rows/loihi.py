"""Loihi's integer arithmetic, row by row."""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

from numpy import uint64

from thermoc.simulator.kernels.loihi import conversion, noise, synapses, units
from thermoc.simulator.kernels.operands import (
    NUMBERS,
    OPCODE,
    RESULT,
    Array,
    Setting,
    X,
    Y,
    Z,
    floats,
    int_array,
    integers,
    present,
    tables,
    word,
)
from thermoc.simulator.opcodes import Opcode


def encode(line, frame):
    """Integers of floats."""
    r, _, n = integers(line, frame, RESULT)
    x, xs, _ = floats(line, frame, X)
    conversion.encode(r, 0, n, word(frame, Setting.SAMPLES), x, 0, xs, word(line, NUMBERS), word(line, NUMBERS + 1))


def decode(line, frame):
    """Floats of integers."""
    r, _, n = floats(line, frame, RESULT)
    x, xs, _ = integers(line, frame, X)
    conversion.decode(r, 0, n, word(frame, Setting.SAMPLES), x, 0, xs, word(line, NUMBERS))


def arrive(line, frame):
    """What has arrived for this tick."""
    r, _, n = integers(line, frame, RESULT)
    states, width = int_array(frame, Array.INT_STATE), word(frame, Setting.INT_STATES)
    turn = (word(frame, Setting.BEGUN) + word(frame, Setting.TICK)) % word(line, NUMBERS + 1)
    at = word(frame, Setting.START) * width + word(line, NUMBERS) + turn * n
    synapses.arrive(r, 0, n, word(frame, Setting.SAMPLES), states, at, width)


def synapse(line, frame):
    """Connections, or a whole matrix of them."""
    r, _, _ = integers(line, frame, RESULT)
    x, xs, xn = integers(line, frame, X)
    y, _, _ = integers(line, frame, Y)
    op, form = word(line, OPCODE), word(line, NUMBERS + 5)
    rows, units = word(line, NUMBERS + 1), word(line, NUMBERS + 2)
    starts, targets = word(line, NUMBERS + 3), word(line, NUMBERS + 4)
    states, width = int_array(frame, Array.INT_STATE), word(frame, Setting.INT_STATES)
    at = word(frame, Setting.START) * width + word(line, NUMBERS)
    turn = (word(frame, Setting.BEGUN) + word(frame, Setting.TICK)) % rows
    listed, whole = op == Opcode.LOIHI_SYNAPSE_LIST or form & 2 > 0, op == Opcode.LOIHI_MATRIX
    synapses.synapse(
        r, 0, word(frame, Setting.SAMPLES), states, at, width, units, rows, turn, x, 0, xs, xn, listed, y, 0,
        tables(line, frame), starts, targets, whole, form & 1 | form >> 2 << 1,
    )  # fmt: skip


def conv(line, frame):
    """Convolutions."""
    r, _, n = integers(line, frame, RESULT)
    x, xs, _ = integers(line, frame, X)
    y, _, _ = integers(line, frame, Y)
    states, width = int_array(frame, Array.INT_STATE), word(frame, Setting.INT_STATES)
    at, samples = word(frame, Setting.START) * width + word(line, NUMBERS), word(frame, Setting.SAMPLES)
    sizes, form = word(line, NUMBERS + 1), word(line, NUMBERS + 2)
    synapses.conv(r, 0, n, samples, states, at, width, x, 0, xs, y, 0, tables(line, frame), sizes, form)


def lif(line, frame):
    """Currents and membranes."""
    r, _, n = integers(line, frame, RESULT)
    x, xs, _ = integers(line, frame, X)
    y, _, yn = integers(line, frame, Y)
    states, width = int_array(frame, Array.INT_STATE), word(frame, Setting.INT_STATES)
    here, samples = word(frame, Setting.START) * width, word(frame, Setting.SAMPLES)
    currents, membranes = here + word(line, NUMBERS), here + word(line, NUMBERS + 1)
    du, dv = word(line, NUMBERS + 2), word(line, NUMBERS + 3)
    top, form, tick = word(line, NUMBERS + 4), word(line, NUMBERS + 5), word(frame, Setting.TICK)
    tick += word(frame, Setting.TICK0)
    units.lif(r, 0, n - 1, samples, x, 0, xs, y, 0, yn, states, currents, membranes, width, du, dv, top, form, tick)


def spread(line, frame):
    """Lists as levels."""
    r, _, n = integers(line, frame, RESULT)
    x, xs, _ = integers(line, frame, X)
    units.spread(r, 0, n, word(frame, Setting.SAMPLES), x, 0, xs)


def total(line, frame):
    """Sums."""
    r, _, n = integers(line, frame, RESULT)
    x, xs, _ = integers(line, frame, X)
    y, ys, _ = integers(line, frame, Y)
    z, zs, _ = integers(line, frame, Z)
    units.total(r, 0, n, word(frame, Setting.SAMPLES), x, 0, xs, y, 0, ys, z, 0, zs, present(line, Z))


def graded(line, frame):
    """Graded spikes."""
    r, _, n = integers(line, frame, RESULT)
    x, xs, _ = integers(line, frame, X)
    y, _, yn = integers(line, frame, Y)
    threshold, shift, both = word(line, NUMBERS), word(line, NUMBERS + 1), word(line, NUMBERS + 2)
    units.graded(r, 0, n, word(frame, Setting.SAMPLES), x, 0, xs, y, 0, yn, threshold, shift, both)


def lookup(line, frame):
    """Tables of values."""
    r, _, n = integers(line, frame, RESULT)
    x, xs, _ = integers(line, frame, X)
    y, _, yn = integers(line, frame, Y)
    z, _, zn = integers(line, frame, Z)
    units.lookup(r, 0, n, word(frame, Setting.SAMPLES), x, 0, xs, y, 0, yn, z, 0, zn, word(line, NUMBERS))


def sigma(line, frame):
    """Sums over the ticks."""
    r, _, n = integers(line, frame, RESULT)
    x, xs, _ = integers(line, frame, X)
    states, width = int_array(frame, Array.INT_STATE), word(frame, Setting.INT_STATES)
    at = word(frame, Setting.START) * width + word(line, NUMBERS)
    units.sigma(r, 0, n, word(frame, Setting.SAMPLES), x, 0, xs, states, at, width)


def delta(line, frame):
    """Changes."""
    r, _, n = integers(line, frame, RESULT)
    x, xs, _ = integers(line, frame, X)
    y, _, yn = integers(line, frame, Y)
    states, width = int_array(frame, Array.INT_STATE), word(frame, Setting.INT_STATES)
    at, samples = word(frame, Setting.START) * width + word(line, NUMBERS), word(frame, Setting.SAMPLES)
    top, scale = word(line, NUMBERS + 1), word(line, NUMBERS + 2)
    shift, form = word(line, NUMBERS + 3), word(line, NUMBERS + 4)
    units.delta(r, 0, n, samples, x, 0, xs, y, 0, yn, states, at, width, top, scale, shift, form)


def heat(line, frame):
    """Temperatures."""
    x, xs, xn = integers(line, frame, X)
    y, _, yn = integers(line, frame, Y)
    states, width = int_array(frame, Array.INT_STATE), word(frame, Setting.INT_STATES)
    at, samples = word(frame, Setting.START) * width + word(line, NUMBERS), word(frame, Setting.SAMPLES)
    loss, gain, floor = word(line, NUMBERS + 1), word(line, NUMBERS + 2), word(line, NUMBERS + 3)
    started = word(frame, Setting.TICK0) + word(frame, Setting.TICK) >= word(line, NUMBERS + 4)
    units.heat(states, at, width, xn, samples, x, 0, xs, y, 0, yn, loss, gain, floor, started)


def fermi_dirac(line, frame):
    """Stochastic binary units."""
    r, _, n = integers(line, frame, RESULT)
    x, xs, _ = integers(line, frame, X)
    y, ys, yn = integers(line, frame, Y)
    z, _, _ = integers(line, frame, Z)
    states, width = int_array(frame, Array.INT_STATE), word(frame, Setting.INT_STATES)
    at, samples = word(frame, Setting.START) * width + word(line, NUMBERS), word(frame, Setting.SAMPLES)
    turns, sweeps = word(line, NUMBERS + 1), word(line, NUMBERS + 2)
    stream, form = word(line, NUMBERS + 4), word(line, NUMBERS + 5)
    turn = word(frame, Setting.TICK0) + word(frame, Setting.TICK) - (form >> 1)
    first, key = word(frame, Setting.SAMPLE0) + word(frame, Setting.START), uint64(word(frame, Setting.KEY))
    noise.fermi_dirac(
        r, 0, n, samples, x, 0, xs, y, 0, ys, yn, z, 0, states, at, width, turns, sweeps, form & 1, turn, stream,
        first, key,
    )  # fmt: skip


def categorical(line, frame):
    """One of each row of units."""
    r, _, n = integers(line, frame, RESULT)
    x, xs, _ = integers(line, frame, X)
    y, ys, yn = integers(line, frame, Y)
    z, _, zn = integers(line, frame, Z)
    row, lag, stream = word(line, NUMBERS), word(line, NUMBERS + 1), word(line, NUMBERS + 2)
    turn, samples = word(frame, Setting.TICK0) + word(frame, Setting.TICK) - lag, word(frame, Setting.SAMPLES)
    first, key = word(frame, Setting.SAMPLE0) + word(frame, Setting.START), uint64(word(frame, Setting.KEY))
    noise.categorical(r, 0, n, samples, x, 0, xs, y, 0, ys, yn, z, 0, zn, row, turn, stream, first, key)


def memory(line, frame):
    """Ornstein-Uhlenbeck."""
    x, xs, xn = integers(line, frame, X)
    y, ys, yn = integers(line, frame, Y)
    states, width = int_array(frame, Array.INT_STATE), word(frame, Setting.INT_STATES)
    at, samples = word(frame, Setting.START) * width + word(line, NUMBERS), word(frame, Setting.SAMPLES)
    gain, keep = word(line, NUMBERS + 1), word(line, NUMBERS + 2)
    turn = word(frame, Setting.TICK0) + word(frame, Setting.TICK) - word(line, NUMBERS + 3)
    stream, first = word(line, NUMBERS + 4), word(frame, Setting.SAMPLE0) + word(frame, Setting.START)
    key = uint64(word(frame, Setting.KEY))
    noise.memory(
        states, at, width, xn, samples, x, 0, xs, y, 0, ys, yn, gain, keep, turn, stream, first, key
    )  # fmt: skip
