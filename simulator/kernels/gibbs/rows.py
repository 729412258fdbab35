"""Coupled binary units: heat-bath updates, class by class (P6, P12)."""

from __future__ import annotations

from typing import Any, NamedTuple

from numba import njit

from thermoc.simulator.instructions.gibbs import AT_ONCE, BY_SWEEP, REPLICAS, SPINS
from thermoc.simulator.kernels import scalar, thermal
from thermoc.simulator.kernels.gibbs import multispin
from thermoc.simulator.kernels.operands import sample, stopped


def gibbs(r, x, y, z, parameters, samples, table, constants, position, scratch, halt):
    """Sweep the units of every sample, from their old levels x to r.

    Unit i goes up where drive > T logit(u), u the uniform of element sample n + i. A class that may be coupled is
    updated from its old levels. Fields y and temperatures z are one number, one a unit, one a sweep (z), or one each.
    It ends early once ``halt`` is set.
    """
    at, classes, sweeps, form, stream, first = parameters
    n, order, offsets = r.size, at + classes + 1, at + classes + 1 + r.size
    columns = offsets + n + 1
    low, factor = (-1, 2) if form & SPINS else (0, 1)
    (unit_step, later), field_step = step(z.size, n, sweeps, form), 0 if y.size == 1 else 1
    u = scratch[:n]
    for k in range(samples):
        v, old, h, T = sample(r, k), sample(x, k), sample(y, k), sample(z, k)
        for i in range(n):
            v[i] = old[i]
        for sweep in range(sweeps):
            if stopped(halt):  # pyright: ignore[reportCallIssue]
                return
            thermal.fill_uniforms(u, (position.sample + k) * n, position.tick, sweep, stream, position.key)
            # T logit(u) of all units first: the loop vectorises, the sweep itself cannot
            for i in range(n):
                u[i] = scalar.logit(u[i]) * T[sweep * later + i * unit_step]
            for c in range(classes):
                for position_in_class in range(table[at + c], table[at + c + 1]):
                    i = table[order + position_in_class]
                    field = h[i * field_step]
                    for e in range(table[offsets + i], table[offsets + i + 1]):
                        field += constants[first + e] * v[table[columns + e]]
                    # as the reference does: the field over T would round otherwise, and one seed give two trajectories
                    up = factor * field > u[i]
                    # a class that may be coupled sees old levels only: the new ones wait in the uniforms, which are
                    # used up
                    if form & AT_ONCE:
                        u[i] = 1 if up else low
                    else:
                        v[i] = 1 if up else low
                if form & AT_ONCE:
                    for position_in_class in range(table[at + c], table[at + c + 1]):
                        v[table[order + position_in_class]] = u[table[order + position_in_class]]


@njit(error_model="numpy", nogil=True)
def step(tn, n, sweeps, form):
    """Return how far apart temperatures of neighbouring units and of following sweeps stand.

    The form tells one a sweep from one a unit, where there are as many sweeps as units.
    """
    if tn == 1 or form & BY_SWEEP:
        return 0, 0 if tn == 1 else 1
    return (1, n) if tn == sweeps * n else (1, 0) if tn == n else (0, 1)


class SweepTables(NamedTuple):
    """What ``digits`` reads of a row: the table and where its parts stand, the couplings, the noise, the form."""

    table: Any
    at: int
    classes: int
    J: Any
    first: int
    sweeps: int
    form: int
    stream: int
    tick: int
    key: Any


class Rates(NamedTuple):
    """Fields h and temperatures T of a sample; how far apart those of neighbouring units and of sweeps are."""

    h: Any
    own: int
    T: Any
    each: int
    later: int


def digits(v, rates, row, number, halt):
    """As ``gibbs`` for one sample, each unit by its bit of the words it shares: up where U < P (``multispin``)."""
    n, table, at, classes, form = v.size, row.table, row.at, row.classes, row.form
    order, offsets = at + classes + 1, at + classes + 1 + n
    columns = offsets + n + 1
    low, factor = (-1, 2) if form & SPINS else (0, 1)
    total = 0
    for c in range(classes):
        # each class fills whole words, so that units which share a word are never coupled
        total += (table[at + c + 1] - table[at + c] + 63) // 64
    for sweep in range(row.sweeps):
        if stopped(halt):  # pyright: ignore[reportCallIssue]
            return
        word, tick = number * total, row.tick * row.sweeps + sweep
        for c in range(classes):
            start = table[at + c]
            for position_in_class in range(start, table[at + c + 1]):
                i = table[order + position_in_class]
                field = rates.h[i * rates.own]
                for e in range(table[offsets + i], table[offsets + i + 1]):
                    field += row.J[row.first + e] * v[table[columns + e]]
                # the same threshold as the kernels of 64 units a word use: a unit may not depend on who runs it
                T = rates.T[sweep * rates.later + i * rates.each]
                P = multispin.threshold(float(factor * field), float(T))
                if form & REPLICAS:
                    element, bit = number // 64 * n + i, number % 64
                else:
                    element, bit = word + (position_in_class - start) // 64, (position_in_class - start) % 64
                v[i] = 1 if multispin.below(P, element, bit, tick, row.stream, row.key) else low
            word += (table[at + c + 1] - start + 63) // 64
