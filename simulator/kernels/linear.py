"""Products. Each sum starts from its bias and runs in the order of its index, so nothing depends on what is around."""

from __future__ import annotations

from numba import njit


@njit(error_model="numpy", nogil=True)
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
            _product(
                r[out : out + rows * columns].reshape((rows, columns)),
                x[one : one + rows * inner].reshape((rows, inner)),
                y[other : other + inner * columns].reshape((inner, columns)),
                z[zo + s * zs + (c * rows if bias == 2 else 0) :],
                bias,
            )


@njit(error_model="numpy", nogil=True)
def _product(r, x, y, z, bias):
    """r = z + x y for one pair of matrices."""
    rows, columns = r.shape
    for i in range(rows):
        for j in range(columns):
            r[i, j] = z[j] if bias == 1 else z[i] if bias == 2 else 0
    for i in range(0, rows - 1, 2):
        _two_rows(r[i], r[i + 1], x[i], x[i + 1], y)
    if rows % 2:
        _one_row(r[rows - 1], x[rows - 1], y)


@njit(error_model="numpy", nogil=True)
def _two_rows(r, s, x, w, y):
    """Add x y to r and w y to s: y is read once for both, r and s once for eight k; the loop over j vectorises."""
    inner, columns = y.shape
    whole = inner - inner % 8
    for k in range(0, whole, 8):
        x0, x1, x2, x3, x4, x5, x6, x7 = x[k], x[k + 1], x[k + 2], x[k + 3], x[k + 4], x[k + 5], x[k + 6], x[k + 7]
        w0, w1, w2, w3, w4, w5, w6, w7 = w[k], w[k + 1], w[k + 2], w[k + 3], w[k + 4], w[k + 5], w[k + 6], w[k + 7]
        for j in range(columns):
            y0, y1, y2, y3 = y[k, j], y[k + 1, j], y[k + 2, j], y[k + 3, j]
            y4, y5, y6, y7 = y[k + 4, j], y[k + 5, j], y[k + 6, j], y[k + 7, j]
            r[j] = r[j] + x0 * y0 + x1 * y1 + x2 * y2 + x3 * y3 + x4 * y4 + x5 * y5 + x6 * y6 + x7 * y7
            s[j] = s[j] + w0 * y0 + w1 * y1 + w2 * y2 + w3 * y3 + w4 * y4 + w5 * y5 + w6 * y6 + w7 * y7
    for k in range(whole, inner):
        for j in range(columns):
            r[j] += x[k] * y[k, j]
            s[j] += w[k] * y[k, j]


@njit(error_model="numpy", nogil=True)
def _one_row(r, x, y):
    """Add x y to r, with the same sums as ``_two_rows``."""
    inner, columns = y.shape
    whole = inner - inner % 8
    for k in range(0, whole, 8):
        x0, x1, x2, x3, x4, x5, x6, x7 = x[k], x[k + 1], x[k + 2], x[k + 3], x[k + 4], x[k + 5], x[k + 6], x[k + 7]
        for j in range(columns):
            low = r[j] + x0 * y[k, j] + x1 * y[k + 1, j] + x2 * y[k + 2, j] + x3 * y[k + 3, j]
            r[j] = low + x4 * y[k + 4, j] + x5 * y[k + 5, j] + x6 * y[k + 6, j] + x7 * y[k + 7, j]
    for k in range(whole, inner):
        for j in range(columns):
            r[j] += x[k] * y[k, j]


@njit(error_model="numpy", nogil=True)
def sparse(r, ro, n, samples, x, xo, xs, y, yo, ys, z, zo, zs, bias, table, offsets, columns):
    """r[s, i] = z[i], where there is a bias, + sum over the entries e of row i of x[e] y[s, column of e]."""
    for s in range(samples):
        for i in range(n):
            r[ro + s * n + i] = z[zo + s * zs + i] if bias else 0
            total = r[ro + s * n + i]
            for e in range(table[offsets + i], table[offsets + i + 1]):
                total += x[xo + s * xs + e] * y[yo + s * ys + table[columns + e]]
            r[ro + s * n + i] = total
