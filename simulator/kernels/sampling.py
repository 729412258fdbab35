"""Coupled binary units: heat-bath updates, class by class (P6, P12)."""

from __future__ import annotations

import math

from numba import njit

from thermoc.simulator.kernels import thermal


@njit(error_model="numpy", nogil=True)
def gibbs(
    s,
    so,
    n,
    samples,
    h,
    ho,
    hs,
    T,
    to,
    ts,
    J,
    table,
    at,
    classes,
    sweeps,
    kind,
    stream,
    first,
    element,
    tick,
    key,
    spare,
):
    """Sweep the units of every sample, which stand at their old levels, from the blocks of ``element`` on.

    Unit i goes up where drive > T logit(u), u uniform. A class of coupled units (kind 2 and above) is updated from its
    old levels.
    """
    order, rows = at + classes + 1, at + classes + 1 + n
    columns = rows + n + 1
    low = -1 if kind % 2 else 0
    factor = 2 if kind % 2 else 1
    u = spare[:n]
    for k in range(samples):
        v = s[so + k * n : so + k * n + n]
        for sweep in range(sweeps):
            thermal.noise(u, 0, n, element + k * n, tick, sweep, stream, key, False, spare[n:])
            for i in range(n):
                u[i] = (math.log(u[i]) - math.log(1 - u[i])) * T[to + k * ts + sweep * n + i]
            for c in range(classes):
                for place in range(table[at + c], table[at + c + 1]):
                    i = table[order + place]
                    field = h[ho + k * hs + i]
                    for e in range(table[rows + i], table[rows + i + 1]):
                        field += J[first + e] * v[table[columns + e]]
                    up = factor * field > u[i]
                    if kind < 2:
                        v[i] = 1 if up else low
                    else:
                        u[i] = 1 if up else low
                if kind >= 2:
                    for place in range(table[at + c], table[at + c + 1]):
                        v[table[order + place]] = u[table[order + place]]
