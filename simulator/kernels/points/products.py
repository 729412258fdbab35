"""Products: each sum starts from its bias and runs in the order of its index."""

from __future__ import annotations

from thermoc.simulator.instructions.products import BIAS_A_COLUMN, NO_BIAS
from thermoc.simulator.kernels.scalar.primitives import fma


def matmul(x, y, z, rows, inner, columns, shared, bias, i):
    """One element of z + x y, for pairs of matrices (rows, inner) (inner, columns)."""
    row, column = i // columns, i % columns
    first, second = row * inner, column if shared else row // rows * inner * columns + column
    total = x.dtype.type(0)
    if bias != NO_BIAS:
        total = z[column if bias == BIAS_A_COLUMN else row]
    for k in range(inner):
        total = fma(x[first + k], y[second + k * columns], total)
    return total


def spike_matmul(x, y, z, z_given, inner, columns, finite, i):
    """One element of z + x y for rows of spikes; where y is finite, units that do not fire add nothing."""
    row, column = i // columns, i % columns
    total = z[column] if z_given else y.dtype.type(0)
    for k in range(inner):
        spike = x[row * inner + k]
        if spike != 0 or not finite:
            total = fma(spike, y[k * columns + column], total)
    return total + y.dtype.type(0)


def listed_matmul(x, y, z, z_given, inner, columns, finite, i):
    """The same of one row of spikes, of which x is the list, in rising order."""
    total, entry, some = z[i] if z_given else y.dtype.type(0), 1, min(x[0], inner)
    if finite:
        for e in range(1, 1 + some):
            if 0 <= x[e] < inner:
                total += y[x[e] * columns + i]
        return total + y.dtype.type(0)
    for k in range(inner):
        fires = entry <= some and x[entry] == k
        entry += int(fires)
        total = fma(y.dtype.type(fires), y[k * columns + i], total)
    return total + y.dtype.type(0)


def sparse(x, y, zi, z_given, table, offsets, columns, i):
    """z[i] + the sum over the entries e of row i of x[e] y[column of e]."""
    total = zi if z_given else x.dtype.type(0)
    for e in range(table[offsets + i], table[offsets + i + 1]):
        total += x[e] * y[table[columns + e]]
    return total
