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


def sparse(x, y, zi, z_given, table, offsets, columns, i):
    """z[i] + the sum over the entries e of row i of x[e] y[column of e]."""
    total = zi if z_given else x.dtype.type(0)
    for e in range(table[offsets + i], table[offsets + i + 1]):
        total += x[e] * y[table[columns + e]]
    return total
