"""Products. Each sum runs in the order of its index, so no result depends on blocks, threads or shapes around it."""

from __future__ import annotations

from numba import njit


@njit(error_model="numpy", nogil=True)
def _row(r, x, y, inner, columns):
    """r[j] = sum_k x[k] y[k, j]: eight k at a time, so that r is read and written less often; loops over j vectorise.

    The arguments are slices that start at nought: an index that cannot be negative is what lets them.
    """
    for j in range(columns):
        r[j] = 0
    whole = inner - inner % 8
    for k in range(0, whole, 8):
        x0, x1, x2, x3, x4, x5, x6, x7 = x[k], x[k + 1], x[k + 2], x[k + 3], x[k + 4], x[k + 5], x[k + 6], x[k + 7]
        y0 = y[k * columns : (k + 1) * columns]
        y1 = y[(k + 1) * columns : (k + 2) * columns]
        y2 = y[(k + 2) * columns : (k + 3) * columns]
        y3 = y[(k + 3) * columns : (k + 4) * columns]
        y4 = y[(k + 4) * columns : (k + 5) * columns]
        y5 = y[(k + 5) * columns : (k + 6) * columns]
        y6 = y[(k + 6) * columns : (k + 7) * columns]
        y7 = y[(k + 7) * columns : (k + 8) * columns]
        for j in range(columns):
            low = r[j] + x0 * y0[j] + x1 * y1[j] + x2 * y2[j] + x3 * y3[j]
            r[j] = low + x4 * y4[j] + x5 * y5[j] + x6 * y6[j] + x7 * y7[j]
    for k in range(whole, inner):
        xk, yk = x[k], y[k * columns : (k + 1) * columns]
        for j in range(columns):
            r[j] += xk * yk[j]


@njit(error_model="numpy", nogil=True)
def matmul(r, ro, samples, x, xo, xs, y, yo, ys, count, rows, inner, columns, shared):
    """r = x y for ``count`` pairs of matrices (rows, inner) (inner, columns) a sample."""
    for s in range(samples):
        for c in range(count):
            other = yo + s * ys + (0 if shared else c * inner * columns)
            for i in range(rows):
                at = c * rows + i
                out = ro + (s * count * rows + at) * columns
                one = xo + s * xs + at * inner
                _row(r[out : out + columns], x[one : one + inner], y[other : other + inner * columns], inner, columns)


@njit(error_model="numpy", nogil=True)
def add_bias(r, ro, n, samples, x, xo, xs, y, yo, ys, repeat, channels):
    """r[s, i] = x[s, i] + y[s, (i // repeat) % channels]."""
    for s in range(samples):
        rv, xv, yv = r[ro + s * n : ro + s * n + n], x[xo + s * xs : xo + s * xs + n], y[yo + s * ys :]
        for start in range(0, n, repeat * channels):
            if repeat == 1:
                for c in range(channels):
                    rv[start + c] = xv[start + c] + yv[c]
            else:
                for c in range(channels):
                    for i in range(start + c * repeat, start + (c + 1) * repeat):
                        rv[i] = xv[i] + yv[c]


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
