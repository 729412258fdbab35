"""Products through pairs of memristors: digits of the inputs, currents of every slice, codes, shift and add."""

from __future__ import annotations

import math

from numba import njit
from numpy import empty, floor

from thermoc.simulator.kernels.tiles import add_product

CHUNK = 48
"""Vectors that meet an array of cells together: a multiple of the rows of a register tile."""
SETTINGS = 8
"""Floats before the scales: steps of an input, those over x_max, codes, those over the range, a code's worth, and what
a reading, a slice and a lower slice's digit are worth: 2^dac_bits, 2^cell_bits, 2^-dac_bits."""
SIZES = 6
"""Integers: inputs, outputs, slices, rows of an array, readings, a form: 1 where readings are digits, 2 where they are
whole inputs in steps, 0 where inputs have no steps."""


@njit(error_model="numpy", nogil=True)
def rounded(x, half, most):
    """x to the nearest whole number, halves up, from -most to most."""
    return max(min(floor(x + half), most), -most)


@njit(error_model="numpy", nogil=True)
def scaled(u, uo, m, gain, go, apart):
    """u *= gain; gains of neighbouring outputs are ``apart`` from each other."""
    for j in range(m):
        u[uo + j] *= gain[go + j * apart]


@njit(error_model="numpy", nogil=True)
def mvm(r, ro, samples, x, xo, xs, z, zo, zs, noisy, gain, go, gs, gn, fc, table, at, floats, lead):
    """r = scale times the shifted sum of codes, for ``lead`` vectors of each sample.

    table: ``SIZES`` integers at ``at``. fc: at ``floats`` the ``SETTINGS``, a scale an output, then for each input a
    row of all slices' weights (slices, outputs), then as many variances where ``noisy``. gain: gn numbers a sample,
    none, one, or one for each array of inputs and output.
    """
    n, m, slices, rows, readings, form = (
        table[at + 0],
        table[at + 1],
        table[at + 2],
        table[at + 3],
        table[at + 4],
        table[at + 5],
    )
    columns, arrays = slices * m, (n + rows - 1) // rows
    weights = floats + SETTINGS + m
    variances = weights + n * columns
    d, squares = empty(CHUNK * min(rows, n), r.dtype), empty(CHUNK * min(rows, n), r.dtype)
    u, v = empty(CHUNK * columns, r.dtype), empty(CHUNK * columns, r.dtype)
    reach, fine, worth = fc[floats + 2], fc[floats + 3], fc[floats + 4]
    one, half = r.dtype.type(1), r.dtype.type(0.5)
    for begin in range(0, samples * lead, CHUNK):
        count = min(CHUNK, samples * lead - begin)
        out = ro + begin * m
        r[out : out + count * m] = 0
        for t in range(arrays):
            first = t * rows
            inner = min(rows, n - first)
            place = one
            for k in range(readings):
                for c in range(count):
                    s, line = (begin + c) // lead, (begin + c) % lead
                    read(d, c * inner, x, xo + s * xs + line * n + first, inner, fc, floats, form, k)
                u[: count * columns] = 0
                add_product(u, 0, d, 0, fc, weights + first * columns, count, inner, columns)
                if noisy:
                    for i in range(count * inner):
                        squares[i] = d[i] * d[i]
                    v[: count * columns] = 0
                    add_product(v, 0, squares, 0, fc, variances + first * columns, count, inner, columns)
                    for c in range(count):
                        s, line = (begin + c) // lead, (begin + c) % lead
                        start = zo + s * zs + ((line * arrays + t) * readings + k) * columns
                        for j in range(columns):
                            u[c * columns + j] += math.sqrt(v[c * columns + j]) * z[start + j]
                for c in range(count if gn > 0 else 0):
                    warm = go + (begin + c) // lead * gs + (t * m if gn > 1 else 0)
                    for p in range(slices):
                        scaled(u, c * columns + p * m, m, gain, warm, 1 if gn > 1 else 0)
                if reach > 0:
                    for i in range(count * columns):
                        u[i] = rounded(u[i] * fine, half, reach) * worth
                for c in range(count):
                    value = place
                    for p in range(slices):
                        for j in range(m):
                            r[out + c * m + j] += value * u[c * columns + p * m + j]
                        value *= fc[floats + 6]
                place *= fc[floats + 5]
        for c in range(count):
            for j in range(m):
                r[out + c * m + j] *= fc[floats + SETTINGS + j]


@njit(error_model="numpy", nogil=True)
def read(d, do, x, xo, inner, fc, floats, form, k):
    """d = the digits of reading k; x itself where inputs have no steps."""
    if form == 0:
        d[do : do + inner] = x[xo : xo + inner]
        return
    steps, scale, base, down = fc[floats], fc[floats + 1], fc[floats + 5], fc[floats + 7]
    low, half, nought = d.dtype.type(1), d.dtype.type(0.5), d.dtype.type(0)
    for _ in range(k):
        low *= down
    for i in range(inner):
        q = rounded(x[xo + i] * scale, half, steps)
        if form == 1:
            size = abs(q)
            digit = floor(size * low) - base * floor(size * low * down)
            d[do + i] = digit if q > 0 else -digit if q < 0 else nought
        else:
            d[do + i] = q
