"""Products. Each sum runs in the order of its index, so no result depends on blocks, threads or shapes around it."""

from __future__ import annotations

from numba import njit


@njit(error_model="numpy", nogil=True)
def _row(r, ro, x, xo, y, yo, inner, columns):
    """r[j] = sum_k x[k] y[k, j]: eight k at a time, so that r stays in registers longer; the loops over j vectorise."""
    for j in range(columns):
        r[ro + j] = 0
    k = 0
    while k + 8 <= inner:
        x0, x1, x2, x3 = x[xo + k], x[xo + k + 1], x[xo + k + 2], x[xo + k + 3]
        x4, x5, x6, x7 = x[xo + k + 4], x[xo + k + 5], x[xo + k + 6], x[xo + k + 7]
        at = yo + k * columns
        for j in range(columns):
            low = r[ro + j] + x0 * y[at + j]
            low += x1 * y[at + columns + j]
            low += x2 * y[at + 2 * columns + j]
            low += x3 * y[at + 3 * columns + j]
            low += x4 * y[at + 4 * columns + j]
            low += x5 * y[at + 5 * columns + j]
            low += x6 * y[at + 6 * columns + j]
            low += x7 * y[at + 7 * columns + j]
            r[ro + j] = low
        k += 8
    while k < inner:
        xk, at = x[xo + k], yo + k * columns
        for j in range(columns):
            r[ro + j] += xk * y[at + j]
        k += 1


@njit(error_model="numpy", nogil=True)
def matmul(r, ro, samples, x, xo, xs, y, yo, ys, count, rows, inner, columns, shared):
    """r = x y for ``count`` pairs of matrices (rows, inner) (inner, columns) a sample."""
    for s in range(samples):
        for c in range(count):
            other = yo + s * ys + (0 if shared else c * inner * columns)
            for i in range(rows):
                at = c * rows + i
                _row(r, ro + (s * count * rows + at) * columns, x, xo + s * xs + at * inner, y, other, inner, columns)


@njit(error_model="numpy", nogil=True)
def add_bias(r, ro, n, samples, x, xo, xs, y, yo, ys, repeat, channels):
    """r[s, i] = x[s, i] + y[s, (i // repeat) % channels]."""
    for s in range(samples):
        i = 0
        while i < n:
            for c in range(channels):
                bias = y[yo + s * ys + c]
                for _ in range(repeat):
                    r[ro + s * n + i] = x[xo + s * xs + i] + bias
                    i += 1


@njit(error_model="numpy", nogil=True)
def sparse(r, ro, n, samples, values, vo, vs, x, xo, xs, table, offsets, columns):
    """r[s, i] = sum over the entries e of row i of values[e] x[s, column of e]."""
    for s in range(samples):
        for i in range(n):
            total = r[ro] * 0
            for e in range(table[offsets + i], table[offsets + i + 1]):
                total += values[vo + s * vs + e] * x[xo + s * xs + table[columns + e]]
            r[ro + s * n + i] = total


@njit(error_model="numpy", nogil=True)
def conv(r, ro, samples, x, xo, xs, y, yo, ys, groups, channels, places, table, at, window, group):
    """r[s, g, o, p] = sum_k y[g, o, k] x[s, g group + table[at + p window + k]]; -1 is a padded zero."""
    for s in range(samples):
        for g in range(groups):
            for o in range(channels):
                out = ro + ((s * groups + g) * channels + o) * places
                weights = yo + s * ys + (g * channels + o) * window
                for p in range(places):
                    r[out + p] = 0
                for k in range(window):
                    weight = y[weights + k]
                    for p in range(places):
                        place = table[at + p * window + k]
                        if place >= 0:
                            r[out + p] += weight * x[xo + s * xs + g * group + place]
