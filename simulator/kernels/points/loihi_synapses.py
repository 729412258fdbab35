"""Loihi's synapses: sums of integers, in any order, so that those who send add what they have to say at once.

Phases: the row of the tick that ends is cleared, and what is to be shifted; messages are added; sums are shifted.
"""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

import numpy as np

from thermoc.simulator.instructions.lists import LANES
from thermoc.simulator.instructions.loihi import CONV_BIAS, CONV_SHIFT, GRADED, LISTED, SHIFT
from thermoc.simulator.kernels.loihi.synapses import SendingUnits, entries, sending
from thermoc.simulator.kernels.loihi.units import HALF, TURN, narrow
from thermoc.simulator.kernels.scalar.formats import scalar
from thermoc.simulator.kernels.words import atomic_add


def arrive(int_states, at, ticks, turn, n, i):
    """An element of the ring's row, brought into 32 bits."""
    return narrow(int_states[at + turn % ticks * n + i])


def synapse(r, x, parameters, table, int_states, turn, phase, count, i):
    """A point's part in what x sends."""
    senders = SendingUnits(x, False, parameters[5] & GRADED > 0)
    _send(r, senders, parameters, table, int_states, turn, phase, count // LANES, i)


def synapse_list(r, x, parameters, table, int_states, turn, phase, count, i):
    """The same where x lists the units that fired."""
    _send(r, SendingUnits(x, True, False), parameters, table, int_states, turn, phase, count // LANES, i)


@scalar
def _send(sums, senders, parameters, table, int_states, turn, phase, teams, i):
    at, ticks, units, starts, pairs, form = parameters
    size, base, shift = ticks * units, (turn + 1) % ticks * units, form // SHIFT
    if phase == 0:
        if i < units:
            int_states[at + turn % ticks * units + i] = 0
        if shift and i < size:
            sums[i] = 0
    elif phase == 1:
        team = i // LANES
        for k in range(team, entries(senders) if team < teams else 0, teams):
            unit, message = sending(senders, k)
            if unit < 0:
                continue
            for e in range(table[starts + unit] + i % LANES, table[starts + unit + 1], LANES):
                target, worth = np.int64(table[pairs + 2 * e]), np.int64(table[pairs + 2 * e + 1]) * message
                if shift:
                    atomic_add(sums, target, worth)
                else:
                    atomic_add(int_states, at + (base + target) % size, worth)
    elif i < size:
        int_states[at + (base + i) % size] += sums[i] >> shift


def matrix(r, x, y, parameters, int_states, i):
    """A sum of the buffer: what x sends by a whole matrix y."""
    at, _, units, _, _, form = parameters
    senders, total = SendingUnits(x, form & LISTED > 0, form & GRADED > 0), np.int64(0)
    for k in range(entries(senders)):
        unit, message = sending(senders, k)
        if unit >= 0:
            total += y[unit * units + i] * message
    int_states[at + i] = total >> (form // SHIFT)


def conv(r, x, y, table, int_states, at, sizes, form, i):
    """An element of the correlation of x with the window, wrapped to 24 bits; weights lie (channel, y, x, out)."""
    channels, height, width, out = table[sizes], table[sizes + 1], table[sizes + 2], table[sizes + 3]
    rows, columns, tall, wide = table[sizes + 4], table[sizes + 5], table[sizes + 6], table[sizes + 7]
    outputs, inputs = out // table[sizes + 14], channels // table[sizes + 14]
    shift, total = form // CONV_SHIFT - CONV_BIAS, np.int64(0)
    k, row, column = i // (rows * columns), i // columns % rows, i % columns
    for channel in range(k // outputs * inputs, (k // outputs + 1) * inputs):
        for ky in range(tall):
            y_in = row * table[sizes + 8] + ky * table[sizes + 12] - table[sizes + 10]
            for kx in range(wide):
                x_in = column * table[sizes + 9] + kx * table[sizes + 13] - table[sizes + 11]
                if 0 <= y_in < height and 0 <= x_in < width:
                    message = x[(channel * height + y_in) * width + x_in]
                    weight = y[((channel * tall + ky) * wide + kx) * outputs + k % outputs]
                    total += weight * (message if form & GRADED or message == 0 else 1)
    total = total << shift if shift >= 0 else total >> -shift
    int_states[at + i] = ((total + HALF) & (TURN - 1)) - HALF
