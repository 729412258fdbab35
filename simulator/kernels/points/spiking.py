"""Populations of spiking units, and products that walk the spikes."""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

import numpy as np

from thermoc.simulator.instructions.lists import LANES
from thermoc.simulator.instructions.spiking import CHUNK, UNIT_PARAMETERS
from thermoc.simulator.kernels.points import lists
from thermoc.simulator.kernels.scalar.formats import scalar
from thermoc.simulator.kernels.unit_rules import after_spike, membrane, passes, rested, trace
from thermoc.simulator.kernels.words import atomic_add


def trace_step(ri, xi, yi, x_given):
    """A trace; without x where it is not given."""
    return trace(ri, xi, yi) if x_given else yi * ri


def lif_step(r, x, y, z, float_states, int_states, int_scratch, membranes, counters, form, refractory, phase, i):
    """Unit i's step, then its part in the list of those that fired."""
    if phase != lists.MARK:
        lists.build(phase, int_scratch, r, i)
        return
    if i >= r.size - 1:
        return
    alike = z.size == UNIT_PARAMETERS
    first, stride = (0, 1) if alike else (i // CHUNK * UNIT_PARAMETERS * CHUNK + i % CHUNK, CHUNK)
    threshold = z[first + 3 * stride]
    v = float_states[membranes:]
    resting = int_states[counters:].view(np.uint16)
    free = refractory == 0 or resting[i] == 0
    if not free:
        resting[i] = rested(resting[i])
        return
    new = membrane(v[i], x[i] + y[i], z[first], z[first + stride], z[first + 2 * stride])
    if passes(new, threshold, form):
        new = after_spike(new, threshold, z[first + 4 * stride], form)
        if refractory > 0:
            resting[i] = refractory
        lists.mark(int_scratch, i)
    v[i] = new


@scalar
def begun(ri, zi, z_given, into, zero):
    """What a sum starts from: what is there, a bias, or 0."""
    if into:
        return ri
    return zi if z_given else zero


def columns(x, y, ri, zi, z_given, into, table, index, n, i):
    """r[i] after the entries of all columns j where y[j] is not 0, in the order of the columns."""
    total, pairs = begun(ri, zi, z_given, into, x.dtype.type(0)), index + n + 1
    for k in range(table[index + i], table[index + i + 1]):
        drive = y[table[pairs + 2 * k]]
        if drive != 0:
            total += x[0 if x.size == 1 else table[pairs + 2 * k + 1]] * drive
    return total


def listed_columns(r, x, y, z, z_given, into, table, index, starts, targets, int_scratch, phase, count, i):
    """r after the entries of the columns that the list y holds, in their order."""
    if phase < 2:
        if x.size == 1:
            _count(r.size, y, table, starts, targets, int_scratch, phase, count // LANES, i)
        else:
            _flag(y, int_scratch, phase, i)
    elif i < r.size:
        total = begun(r[i], z[i] if z_given else x.dtype.type(0), z_given, into, x.dtype.type(0))
        if x.size == 1:
            # equal weights: how many arrive is known, and their order is none
            for _ in range(int_scratch[i]):
                total += x[0]
        else:
            pairs = index + r.size + 1
            for k in range(table[index + i], table[index + i + 1]):
                if int_scratch[table[pairs + 2 * k]] != 0:
                    total += x[table[pairs + 2 * k + 1]]
        r[i] = total


@scalar
def _count(rows, y, table, starts, targets, counts, phase, teams, i):
    """Set counts to 0, then count the entries of each row in the columns that y lists, a team a column."""
    if phase == 0:
        if i < rows:
            counts[i] = 0
        return
    team, units = i // LANES, y.size - 1
    for k in range(team, min(y[0], units) if team < teams else 0, teams):
        unit = y[1 + k]
        if 0 <= unit < units:
            for e in range(table[starts + unit] + i % LANES, table[starts + unit + 1], LANES):
                atomic_add(counts, table[targets + e], np.int64(1))


@scalar
def _flag(y, flags, phase, i):
    """Set flags to 0, then to 1 those of the units that y lists."""
    units = y.size - 1
    if i >= units:
        return
    if phase == 0:
        flags[i] = 0
    elif i < y[0] and 0 <= y[1 + i] < units:
        flags[y[1 + i]] = 1
