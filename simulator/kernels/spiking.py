"""Products that walk the spikes: of lists, which hold how many units fired and then which, in rising order.

What a list says is data that may come from a file, so whoever walks one skips what lies outside.
"""

from __future__ import annotations

from numba import njit

from thermoc.simulator.kernels.operands import sample


@njit(error_model="numpy", nogil=True)
def begin(r, z, samples):
    """r[s, i] = z[s, i], or 0 without a bias."""
    for s in range(samples):
        rv, zv = sample(r, s), sample(z, s)
        if z.given:
            for i in range(r.size):
                rv[i] = zv[i]
        else:
            for i in range(r.size):
                rv[i] = 0


def listed_columns(r, x, y, z, table, starts, targets, into, samples):
    """r[s, target of e] += x[s, e] over the entries e of each column that the list y holds; one x may serve all."""
    if into == 0:
        begin(r, z, samples)
    units = y.size - 1
    for s in range(samples):
        rv, xv, yv = sample(r, s), sample(x, s), sample(y, s)
        for k in range(min(yv[0], units)):
            unit = yv[1 + k]
            if not 0 <= unit < units:
                continue
            first, last = table[starts + unit], table[starts + unit + 1]
            # equal weights are one number: an index less to load for each connection
            if x.size == 1:
                weight = xv[0]
                for e in range(first, last):
                    rv[table[targets + e]] += weight
            else:
                for e in range(first, last):
                    rv[table[targets + e]] += xv[e]


def columns(r, x, y, z, table, starts, targets, into, samples):
    """r[s, target of e] += x[s, e] y[s, j] over the entries e of each column j where y is not 0."""
    if into == 0:
        begin(r, z, samples)
    for s in range(samples):
        rv, xv, yv = sample(r, s), sample(x, s), sample(y, s)
        for j in range(y.size):
            if yv[j] == 0:
                continue
            for e in range(table[starts + j], table[starts + j + 1]):
                rv[table[targets + e]] += xv[0 if x.size == 1 else e] * yv[j]
