"""Sweeps of heat-bath updates, a point a unit: class by class, one phase each, after one that copies the levels."""

from __future__ import annotations

from thermoc.simulator.instructions.gibbs import AT_ONCE, LATTICE, REPLICAS, SPINS
from thermoc.simulator.kernels import scalar
from thermoc.simulator.kernels.gibbs import multispin
from thermoc.simulator.kernels.gibbs.rows import step
from thermoc.simulator.kernels.points.lattice import lattice
from thermoc.simulator.kernels.points.noise import block, uniforms
from thermoc.simulator.kernels.scalar.formats import scalar as rule


@rule
def units_of(table, at, classes, turn):
    """Where the first unit of the class whose turn it is stands, and where that of the next."""
    c = turn % classes
    return table[at + c], table[at + c + 1]


@rule
def field_of(v, y, table, at, classes, constants, couplings, unit):
    """A unit's field: its own, then the couplings in their order."""
    offsets = at + classes + 1 + v.size
    columns = offsets + v.size + 1
    field = y[unit if y.size > 1 else 0]
    for e in range(table[offsets + unit], table[offsets + unit + 1]):
        field += constants[couplings + e] * v[table[columns + e]]
    return field


def gibbs(r, x, y, z, parameters, table, constants, position, float_scratch, phase, i):
    """A unit's update; of a class that may be coupled, levels wait in the scratch memory for a phase of their own."""
    at, classes, sweeps, form, stream, couplings = parameters
    if phase == 0:
        r[i] = x[i]
        return
    halves = 2 if form & AT_ONCE else 1
    turn, half = (phase - 1) // halves, (phase - 1) % halves
    first, last = units_of(table, at, classes, turn)
    if first + i >= last:
        return
    unit, sweep = table[at + classes + 1 + first + i], turn // classes
    if half == 1:
        r[unit] = float_scratch[unit]
        return
    unit_step, later = step(z.size, r.size, sweeps, form)
    low, factor = (-1, 2) if form & SPINS else (0, 1)
    u = uniforms(r[unit], block(position, position.sample * r.size + unit, sweep, stream))[0]
    limit = scalar.logit(u) * z[sweep * later + unit * unit_step]
    level = 1 if factor * field_of(r, y, table, at, classes, constants, couplings, unit) > limit else low
    if form & AT_ONCE:
        float_scratch[unit] = level
    else:
        r[unit] = level


@rule
def digits(r, x, y, z, parameters, table, constants, position, phase, i):
    """A unit's update by its bit of the words that it shares (``gibbs.rows.digits``)."""
    at, classes, sweeps, form, stream, couplings = parameters
    if phase == 0:
        r[i] = x[i]
        return
    first, last = units_of(table, at, classes, phase - 1)
    if first + i >= last:
        return
    n, unit, sweep = r.size, table[at + classes + 1 + first + i], (phase - 1) // classes
    unit_step, later = step(z.size, n, sweeps, form)
    low, factor = (-1, 2) if form & SPINS else (0, 1)
    field = field_of(r, y, table, at, classes, constants, couplings, unit)
    P = multispin.threshold(float(factor * field), float(z[sweep * later + unit * unit_step]))
    if form & REPLICAS:
        element, bit = position.sample // 64 * n + unit, position.sample % 64
    else:
        # each class fills whole words: those of the classes before, then of all samples before
        before, total = 0, 0
        for c in range(classes):
            words = (table[at + c + 1] - table[at + c] + 63) // 64
            before += words if c < (phase - 1) % classes else 0
            total += words
        element, bit = position.sample * total + before + i // 64, i % 64
    tick = position.tick * sweeps + sweep
    r[unit] = 1 if multispin.below(P, element, bit, tick, stream, position.key) else low


def words(r, x, y, z, parameters, table, constants, position, int_scratch, phase, i):
    """A word's part in a lattice, or a unit's by its digits."""
    _, _, sweeps, form, _, _ = parameters
    if form & LATTICE and y.size == 1 and step(z.size, r.size, sweeps, form)[0] == 0:
        lattice(r, x, y, z, parameters, constants, position, int_scratch, phase, i)
    else:
        digits(r, x, y, z, parameters, table, constants, position, phase, i)
