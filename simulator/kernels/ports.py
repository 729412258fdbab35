"""Kernels of the ways in and out: packed inputs and outputs, rings of delays, lists, the tick's number.

Inputs lie (tick, batch, element); outputs (port, tick, batch, element), so that each is one array. A ring's value of
the tick that begins is the oldest, and the place of the newest as it ends.
"""

from __future__ import annotations

from thermoc.simulator.kernels.operands import sample


def tick_number(r, tick, samples):
    """r = the number of the tick."""
    for s in range(samples):
        r.array[s] = tick


def read_input(r, inputs, offset, samples, run):
    """r = an input of the tick, or the one that all ticks share."""
    first = (run.tick * run.batch * inputs.stride if run.timed else 0) + offset
    for s in range(samples):
        at = first + s * inputs.stride
        rv, values = sample(r, s), inputs.array[at : at + r.size]
        for i in range(r.size):
            rv[i] = values[i]


def write_output(x, outputs, offset, samples, run):
    """An output of the tick = x."""
    first = offset * run.ticks * run.batch + (run.tick * run.batch + run.start) * x.size
    for s in range(samples):
        at = first + s * x.size
        xv, values = sample(x, s), outputs[at : at + x.size]
        for i in range(x.size):
            values[i] = xv[i]


def read_ring(r, ring, offset, ticks, turn, samples):
    """r = the ring's oldest value."""
    first = offset + turn % ticks * r.size
    for s in range(samples):
        at = first + s * ring.stride
        rv, values = sample(r, s), ring.array[at : at + r.size]
        for i in range(r.size):
            rv[i] = values[i]


def write_ring(x, ring, offset, ticks, turn, samples):
    """The ring's value of this tick = x."""
    first = offset + turn % ticks * x.size
    for s in range(samples):
        at = first + s * ring.stride
        xv, values = sample(x, s), ring.array[at : at + x.size]
        for i in range(x.size):
            values[i] = xv[i]


def read_list(r, ring, offset, ticks, turn, samples):
    """r = the ring's oldest list: of at most as many units as r has room for, since files may say more."""
    first = offset + turn % ticks * r.size
    for s in range(samples):
        rv, at = sample(r, s), first + s * ring.stride
        # the length comes first, and what lies beyond it is left over from other ticks: it is not copied
        for i in range(1 + max(0, min(ring.array[at], r.size - 1))):
            rv[i] = ring.array[at + i]


def write_list(x, ring, offset, ticks, turn, samples):
    """The ring's list of this tick = x."""
    first = offset + turn % ticks * x.size
    for s in range(samples):
        xv, at = sample(x, s), first + s * ring.stride
        for i in range(1 + max(0, min(xv[0], x.size - 1))):
            ring.array[at + i] = xv[i]
