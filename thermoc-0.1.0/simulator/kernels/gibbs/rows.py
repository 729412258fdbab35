"""Coupled binary units: heat-bath updates, class by class (P6, P12)."""

from __future__ import annotations

import math

from numba import njit

from thermoc.simulator.kernels import thermal
from thermoc.simulator.kernels.gibbs import multispin
from thermoc.simulator.kernels.operands import stopped
from thermoc.simulator.opcodes import AT_ONCE, BY_SWEEP, REPLICAS, SPINS


@njit(error_model="numpy", nogil=True, inline="always")
def gibbs(
    s,
    so,
    n,
    samples,
    h,
    ho,
    hs,
    hn,
    T,
    to,
    ts,
    tn,
    J,
    table,
    at,
    classes,
    sweeps,
    form,
    stream,
    first,
    sample,
    tick,
    key,
    spare,
    halt,
):
    """Sweep the units of every sample, which stand at their old levels; ``sample`` is the first one's number.

    Unit i goes up where drive > T logit(u), u the uniform of element sample n + i. A class that may be coupled is
    updated from its old levels. h and T hold one number, one a unit, one a sweep (T), or one each. It ends early once
    ``halt`` is set.
    """
    order, rows = at + classes + 1, at + classes + 1 + n
    columns = rows + n + 1
    low, factor = (-1, 2) if form & SPINS else (0, 1)
    (each, later), own = step(tn, n, sweeps, form), 0 if hn == 1 else 1
    u = spare[:n]
    for k in range(samples):
        v, field0, T0 = s[so + k * n : so + k * n + n], ho + k * hs, to + k * ts
        for sweep in range(sweeps):
            if stopped(halt):  # pyright: ignore[reportCallIssue]
                return
            thermal.noise(u, 0, n, (sample + k) * n, tick, sweep, stream, key, False, spare[n:])
            for i in range(n):
                u[i] = (math.log(u[i]) - math.log(1 - u[i])) * T[T0 + sweep * later + i * each]
            for c in range(classes):
                for place in range(table[at + c], table[at + c + 1]):
                    i = table[order + place]
                    field = h[field0 + i * own]
                    for e in range(table[rows + i], table[rows + i + 1]):
                        field += J[first + e] * v[table[columns + e]]
                    up = factor * field > u[i]
                    if form & AT_ONCE:
                        u[i] = 1 if up else low
                    else:
                        v[i] = 1 if up else low
                if form & AT_ONCE:
                    for place in range(table[at + c], table[at + c + 1]):
                        v[table[order + place]] = u[table[order + place]]


@njit(error_model="numpy", nogil=True)
def step(tn, n, sweeps, form):
    """Return how far apart temperatures of neighbouring units and of following sweeps stand.

    The form tells one a sweep from one a unit, where there are as many sweeps as units.
    """
    if tn == 1 or form & BY_SWEEP:
        return 0, 0 if tn == 1 else 1
    return (1, n) if tn == sweeps * n else (1, 0) if tn == n else (0, 1)


def digits(
    s, so, n, h, ho, own, T, to, each, after, J, table, at, classes, sweeps, form, stream, first, sample, tick, key,
    halt,
):  # fmt: skip
    """As ``gibbs`` for one sample, each unit by its bit of the words it shares: up where U < P (``multispin``).

    own: how far apart the fields of units stand; each and after: temperatures of units and of sweeps.
    """
    order, rows = at + classes + 1, at + classes + 1 + n
    columns = rows + n + 1
    low, factor = (-1, 2) if form & SPINS else (0, 1)
    v = s[so : so + n]
    total = 0
    for c in range(classes):
        total += (table[at + c + 1] - table[at + c] + 63) // 64
    for sweep in range(sweeps):
        if stopped(halt):  # pyright: ignore[reportCallIssue]
            return
        word = sample * total
        for c in range(classes):
            start = table[at + c]
            for place in range(start, table[at + c + 1]):
                i = table[order + place]
                field = h[ho + i * own]
                for e in range(table[rows + i], table[rows + i + 1]):
                    field += J[first + e] * v[table[columns + e]]
                P = multispin.threshold(float(factor * field), float(T[to + sweep * after + i * each]))
                element, bit = (
                    (sample // 64 * n + i, sample % 64)
                    if form & REPLICAS
                    else (
                        word + (place - start) // 64,
                        (place - start) % 64,
                    )
                )
                v[i] = 1 if multispin.below(P, element, bit, tick * sweeps + sweep, stream, key) else low
            word += (table[at + c + 1] - start + 63) // 64
