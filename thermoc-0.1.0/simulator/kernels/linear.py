"""Products. Each sum starts from its bias and runs in the order of its index, so nothing depends on what is around."""

from __future__ import annotations

from numba import njit

from thermoc.simulator.kernels.simd.tiles import add_product


@njit(error_model="numpy", nogil=True, inline="always")
def matmul(r, ro, samples, x, xo, xs, y, yo, ys, z, zo, zs, bias, count, rows, inner, columns, shared):
    """r = z + x y for ``count`` pairs of matrices (rows, inner) (inner, columns) a sample.

    bias: 0 without z, 1 where z holds one element a column for all pairs, 2 where it holds one a row and pair.
    """
    if shared and bias < 2 and xs == count * rows * inner and ys == 0 and zs == 0:  # all samples meet one matrix
        rows, count, samples = samples * count * rows, 1, 1
    for s in range(samples):
        for c in range(count):
            one, other = xo + s * xs + c * rows * inner, yo + s * ys + (0 if shared else c * inner * columns)
            out = ro + (s * count + c) * rows * columns
            for i in range(rows):
                line = r[out + i * columns : out + i * columns + columns]
                at = zo + s * zs + (c * rows + i if bias == 2 else 0)
                for j in range(columns):
                    line[j] = z[at + j] if bias == 1 else z[at] if bias == 2 else 0
            add_product(r, out, x, one, y, other, rows, inner, columns)


@njit(error_model="numpy", nogil=True, inline="always")
def sparse(r, ro, n, samples, x, xo, xs, y, yo, ys, z, zo, zs, bias, table, offsets, columns):
    """r[s, i] = z[i], where there is a bias, + sum over the entries e of row i of x[e] y[s, column of e]."""
    for s in range(samples):
        for i in range(n):
            r[ro + s * n + i] = z[zo + s * zs + i] if bias else 0
            total = r[ro + s * n + i]
            for e in range(table[offsets + i], table[offsets + i + 1]):
                total += x[xo + s * xs + e] * y[yo + s * ys + table[columns + e]]
            r[ro + s * n + i] = total
