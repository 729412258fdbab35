"""Loihi's synapses: what arrives in a tick is added to a ring of activations, to be read one tick later or more.

The ring has a row for each tick to come; the row of the tick that ends is cleared and becomes the last. Sums are walked
by the messages that are not 0, so a unit that is silent costs nothing.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from numba import njit

from thermoc.simulator.instructions.loihi import CONV_BIAS, CONV_SHIFT, GRADED, LISTED, SHIFT
from thermoc.simulator.kernels.loihi.units import HALF, TURN, narrow
from thermoc.simulator.kernels.operands import sample


class SendingUnits(NamedTuple):
    """What a unit of x is: one that sends numbers, or one of a list of those that fired; messages or ones."""

    x: Any
    listed: bool
    graded: bool


class SynapseTable(NamedTuple):
    """Where in the table the ends of each unit's connections stand, and their (target, weight) pairs."""

    table: Any
    starts: int
    pairs: int


class SumRing(NamedTuple):
    """A ring of sums of one sample; the row of the tick that ends, to be cleared; where the row after it starts."""

    sums: Any
    ended: Any
    base: int


@njit(error_model="numpy", nogil=True)
def ring_of(states, first, ticks, units, turn):
    """Return the ring that starts at a place of the states."""
    row = first + turn % ticks * units
    return SumRing(states[first : first + ticks * units], states[row : row + units], (turn + 1) % ticks * units)


def arrive(r, int_states, at, ticks, turn, samples):
    """r = a row of the ring, brought into 32 bits."""
    for s in range(samples):
        rv, first = sample(r, s), s * int_states.stride + at + turn % ticks * r.size
        for i in range(r.size):
            rv[i] = narrow(int_states.array[first + i])


@njit(error_model="numpy", nogil=True)
def sending(senders, k):
    """Return the unit and the message of entry k, -1 where there is none: lists of a file may name any unit."""
    if not senders.listed:
        return (k if senders.x[k] != 0 else -1), (senders.x[k] if senders.graded else 1)
    unit = senders.x[1 + k]
    return (unit if 0 <= unit < senders.x.size - 1 else -1), 1


@njit(error_model="numpy", nogil=True)
def entries(senders):
    """Return how many entries are looked at: every unit, or those listed."""
    return min(senders.x[0], senders.x.size - 1) if senders.listed else senders.x.size


@njit(error_model="numpy", nogil=True)
def walk(r, senders, connections, base):
    """r[base + target] += weight message over the connections of every unit that sends, around the end of the ring."""
    table, starts, pairs = connections
    for k in range(entries(senders)):
        unit, message = sending(senders, k)
        if unit < 0:
            continue
        for e in range(table[starts + unit], table[starts + unit + 1]):
            # both are below the ring's size: a comparison does for the remainder, whose division would take longer
            index = base + table[pairs + 2 * e]
            r[index - r.size if index >= r.size else index] += table[pairs + 2 * e + 1] * message


@njit(error_model="numpy", nogil=True)
def walk_all(r, senders, weights):
    """r += weight message of every unit that sends, its weights to all side by side."""
    for k in range(entries(senders)):
        unit, message = sending(senders, k)
        if unit < 0:
            continue
        w = weights[unit * r.size : unit * r.size + r.size]
        for i in range(r.size):
            r[i] += w[i] * message


@njit(error_model="numpy", nogil=True)
def add_shifted(ring, sums, base, shift):
    """Add sums, shifted to the right, from a place of the ring on, around its end."""
    for i in range(sums.size):
        index = base + i
        ring[index - ring.size if index >= ring.size else index] += sums[i] >> shift


def synapse(r, x, parameters, table, int_states, turn, samples):
    """Clear the row of the tick and add what x sends to the rows that follow it."""
    at, ticks, units, starts, pairs, form = parameters
    for s in range(samples):
        senders, first = SendingUnits(sample(x, s), False, form & GRADED > 0), s * int_states.stride + at
        ring = ring_of(int_states.array, first, ticks, units, turn)
        add_entries(ring, sample(r, s), senders, SynapseTable(table, starts, pairs), form // SHIFT)


def synapse_list(r, x, parameters, table, int_states, turn, samples):
    """The same where x lists the units that fired."""
    at, ticks, units, starts, pairs, form = parameters
    for s in range(samples):
        senders, first = SendingUnits(sample(x, s), True, False), s * int_states.stride + at
        ring = ring_of(int_states.array, first, ticks, units, turn)
        add_entries(ring, sample(r, s), senders, SynapseTable(table, starts, pairs), form // SHIFT)


@njit(error_model="numpy", nogil=True)
def add_entries(ring, sums, senders, connections, shift):
    """Clear a row and add the messages of a sample; where they are to be shifted, their whole sum is: it is rounded."""
    ring.ended[:] = 0
    if shift == 0:
        walk(ring.sums, senders, connections, ring.base)
        return
    # the chip shifts the whole sum of a tick to the right, so that what is cut off is cut off once
    sums[:] = 0
    walk(sums, senders, connections, 0)
    add_shifted(ring.sums, sums, ring.base, shift)


def matrix(r, x, y, parameters, int_states, samples):
    """The same of a whole matrix y, whose ring has one row: the buffer becomes what x sends."""
    at, _, units, _, _, form = parameters
    for s in range(samples):
        senders = SendingUnits(sample(x, s), form & LISTED > 0, form & GRADED > 0)
        first, sums, shift = s * int_states.stride + at, sample(r, s), form // SHIFT
        buffer = int_states.array[first : first + units]
        buffer[:] = 0
        if shift == 0:
            walk_all(buffer, senders, y.array)
            continue
        sums[:] = 0
        walk_all(sums, senders, y.array)
        add_shifted(buffer, sums, 0, shift)


def conv(r, x, y, table, int_states, at, sizes, form, samples):
    """The buffer becomes the correlation of x with the window, wrapped to 24 bits; weights lie (channel, y, x, out).

    Messages are walked, not places of the result: most are 0.
    """
    channels, height, width = table[sizes], table[sizes + 1], table[sizes + 2]
    out, rows, columns = table[sizes + 3], table[sizes + 4], table[sizes + 5]
    tall, wide, sy, sx = table[sizes + 6], table[sizes + 7], table[sizes + 8], table[sizes + 9]
    py, px, dy, dx, groups = (
        table[sizes + 10],
        table[sizes + 11],
        table[sizes + 12],
        table[sizes + 13],
        table[sizes + 14],
    )
    outputs, plane, shift = out // groups, rows * columns, form // CONV_SHIFT - CONV_BIAS
    for s in range(samples):
        sums, xv, first = sample(r, s), sample(x, s), s * int_states.stride + at
        sums[:] = 0
        for index in range(channels * height * width):
            message = xv[index]
            if message == 0:
                continue
            message = message if form & GRADED else 1
            channel, i, j = index // (height * width), index // width % height, index % width
            lowest = channel // (channels // groups) * outputs
            for ky in range(tall):
                row = i + py - ky * dy
                if row < 0 or row % sy or row // sy >= rows:
                    continue
                for kx in range(wide):
                    column = j + px - kx * dx
                    if column < 0 or column % sx or column // sx >= columns:
                        continue
                    weight = ((channel * tall + ky) * wide + kx) * outputs
                    target = lowest * plane + row // sy * columns + column // sx
                    # weights of all outputs lie side by side for this loop, whatever the window
                    for k in range(outputs):
                        sums[target + k * plane] += y.array[weight + k] * message
        for i in range(r.size):
            total = sums[i] << shift if shift >= 0 else sums[i] >> -shift
            int_states.array[first + i] = ((total + HALF) & (TURN - 1)) - HALF
