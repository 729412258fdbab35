"""Layers of binary units, densely coupled from class to class, a point a unit: sums as in ``gibbs.dense_layers``.

Phases: a flag is cleared; levels are copied, and the flag set where one is neither; then the classes, sweep by sweep.
"""

from __future__ import annotations

from thermoc.simulator.instructions.gibbs import COLUMNS, FOUR, SPINS
from thermoc.simulator.kernels import scalar
from thermoc.simulator.kernels.gibbs.rows import step
from thermoc.simulator.kernels.points.gibbs import units_of
from thermoc.simulator.kernels.points.noise import block, uniforms
from thermoc.simulator.kernels.scalar.formats import scalar as rule

BEFORE = 2
"""Phases before the first class."""


def gibbs_layers(r, x, y, z, parameters, table, constants, position, int_scratch, phase, i):
    """A unit's update."""
    at, classes, sweeps, form, stream, _ = parameters
    low = r.dtype.type(-1 if form & SPINS else 0)
    if phase < BEFORE:
        _copy(r, x, low, int_scratch, phase, i)
        return
    first, last = units_of(table, at, classes, phase - BEFORE)
    if first + i >= last:
        return
    sweep, order = (phase - BEFORE) // classes, at + classes + 1
    unit = table[order + first + i]
    # an initial state may stand between the levels; after one sweep none does
    between = sweep == 0 and int_scratch[0] != 0
    drive = (
        _field(r, parameters, table, constants, (phase - BEFORE) % classes, i, between) + y[unit if y.size > 1 else 0]
    )
    unit_step, later = step(z.size, r.size, sweeps, form)
    u = scalar.logit(uniforms(low, block(position, position.sample * r.size + unit, sweep, stream))[0])
    up = (drive + drive if form & SPINS else drive) > z[sweep * later + unit * unit_step] * u
    r[unit] = 1 if up else low


@rule
def _copy(r, x, low, flag, phase, i):
    """Copy a level; leave a flag where it is none."""
    if phase == 0:
        if i == 0:
            flag[0] = 0
        return
    r[i] = x[i]
    if x[i] != low and x[i] != 1:
        flag[0] = 1


@rule
def _field(v, parameters, table, constants, number, column, between):
    """What the units of all other classes do to one: in fours, (0 + 1) + (2 + 3); one by one where some are between."""
    at, classes, _, form, _, first = parameters
    low, zero = v.dtype.type(-1 if form & SPINS else 0), v.dtype.type(0)
    start, rows = _matrix(table, at, classes, number, first)
    weight = start + column // COLUMNS * rows * COLUMNS + column % COLUMNS
    total, order = zero, at + classes + 1
    for c in range(classes):
        if c == number:
            continue
        begin, size = table[at + c], table[at + c + 1] - table[at + c]
        if between:
            for k in range(size):
                total += constants[weight + k * COLUMNS] * v[table[order + begin + k]]
        else:
            for k in range(0, size, FOUR):
                total += (
                    _share(v, table, constants, order + begin, k, size, weight, low)
                    + _share(v, table, constants, order + begin, k + 1, size, weight, low)
                ) + (
                    _share(v, table, constants, order + begin, k + 2, size, weight, low)
                    + _share(v, table, constants, order + begin, k + 3, size, weight, low)
                )
        weight += (size + FOUR - 1) // FOUR * FOUR * COLUMNS
    return total


@rule
def _matrix(table, at, classes, number, first):
    """Where the matrix of a class starts, and how many rows it has: a class has none for its own units."""
    groups = 0
    for c in range(classes):
        groups += (table[at + c + 1] - table[at + c] + FOUR - 1) // FOUR
    start, rows = first, 0
    for c in range(number + 1):
        size = table[at + c + 1] - table[at + c]
        start += rows * ((table[at + c] - table[at + max(c - 1, 0)] + COLUMNS - 1) // COLUMNS * COLUMNS)
        rows = (groups - (size + FOUR - 1) // FOUR) * FOUR
    return start, rows


@rule
def _share(v, table, constants, order, k, size, weight, low):
    """What unit k of a class adds; what fills the last four up is down, and its couplings are 0."""
    coupling = constants[weight + k * COLUMNS]
    if k < size and v[table[order + k]] > low:
        return coupling
    zero = v.dtype.type(0)
    return zero - coupling if low < zero else zero
