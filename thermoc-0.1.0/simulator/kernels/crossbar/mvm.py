"""Products through pairs of memristors: digits of the inputs, currents of every slice, codes, shift and add."""

from __future__ import annotations

import math

from numba import njit
from numpy import empty, floor

from thermoc.simulator.kernels.simd.tiles import add_product

CHUNK = 66
"""Vectors that meet an array of cells together: a multiple of the rows of a register tile."""
SETTINGS = 8
"""Floats before the scales: steps of an input, those over x_max, codes, those over the range, a code's worth, and what
a reading, a slice and a lower slice's digit are worth: 2^dac_bits, 2^cell_bits, 2^-dac_bits."""
SIZES = 6
"""Integers: inputs, outputs, slices, rows of an array, readings, a form: 0 where inputs have no steps, 2 where readings
are whole inputs in steps, 2 t - 1 where they are digits, t readings of which go through the cells as one number."""
WHOLE_BITS = {8: 52, 4: 23}
"""Of whole numbers that a float of so many bytes holds, with one to spare: readings that go together share them."""
_LONG, _SHORT = WHOLE_BITS[8], WHOLE_BITS[4]


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
def parted(u, v, apart, inverse, half):
    """v = the lowest of the whole numbers that u holds ``apart`` from each other, u = the others; all of them exact."""
    for i in range(u.size):
        rest = floor(u[i] * inverse + half)
        v[i] = u[i] - apart * rest
        u[i] = rest


@njit(error_model="numpy", nogil=True)
def converted(r, u, value, fine, half, reach, worth):
    """r += value times the code of u; u itself where the ADC is exact."""
    if reach > 0:
        for j in range(r.size):
            r[j] += value * (rounded(u[j] * fine, half, reach) * worth)
    else:
        for j in range(r.size):
            r[j] += value * u[j]


@njit(error_model="numpy", nogil=True, inline="always")
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
    together = (form + 1) // 2 if form % 2 == 1 else 1
    apart = r.dtype.type(1 << ((_LONG if r.itemsize == 8 else _SHORT) // together))
    weights = floats + SETTINGS + m
    variances = weights + n * columns
    d, u, v = empty(CHUNK * min(rows, n), r.dtype), empty(CHUNK * columns, r.dtype), empty(columns, r.dtype)
    for begin in range(0, samples * lead, CHUNK):
        count = min(CHUNK, samples * lead - begin)
        out = ro + begin * m
        r[out : out + count * m] = 0
        for t in range(arrays):
            first = t * rows
            inner = min(rows, n - first)
            place = r.dtype.type(1)
            for k in range(0, readings, together):
                held = min(together, readings - k)
                for c in range(count):
                    s, line = (begin + c) // lead, (begin + c) % lead
                    start = xo + s * xs + line * n + first
                    read(d[c * inner : (c + 1) * inner], x[start : start + inner], fc, floats, form, k, held, apart)
                u[: count * columns] = 0
                add_product(u, 0, d, 0, fc, weights + first * columns, count, inner, columns)
                if noisy:
                    noise = variances + first * columns
                    disturbed(
                        u,
                        d,
                        z,
                        zo,
                        zs,
                        fc,
                        noise,
                        begin,
                        count,
                        inner,
                        columns,
                        lead,
                        arrays * readings,
                        t * readings + k,
                    )
                for c in range(count):
                    warm = go + (begin + c) // lead * gs + (t * m if gn > 1 else 0)
                    row, sums = u[c * columns : (c + 1) * columns], r[out + c * m : out + (c + 1) * m]
                    told(sums, row, v, held, apart, place, gain, warm, gn, fc, floats, slices)
                for _ in range(held):
                    place *= fc[floats + 5]
        for c in range(count):
            for j in range(m):
                r[out + c * m + j] *= fc[floats + SETTINGS + j]


@njit(error_model="numpy", nogil=True)
def told(r, u, v, held, apart, place, gain, warm, gn, fc, floats, slices):
    """r += the codes of ``held`` readings of one vector, that u holds ``apart`` from each other, shifted."""
    m, half, inverse = r.size, r.dtype.type(0.5), r.dtype.type(1) / apart
    reach, fine, worth = fc[floats + 2], fc[floats + 3], fc[floats + 4]
    for k in range(held):
        now = u
        if k < held - 1:
            parted(u, v, apart, inverse, half)
            now = v
        value = place
        for p in range(slices):
            if gn > 0:
                scaled(now, p * m, m, gain, warm, 1 if gn > 1 else 0)
            converted(r, now[p * m : (p + 1) * m], value, fine, half, reach, worth)
            value *= fc[floats + 6]
        place *= fc[floats + 5]


@njit(error_model="numpy", nogil=True)
def disturbed(u, d, z, zo, zs, fc, variances, begin, count, inner, columns, lead, each, reading):
    """u += the read noise of a reading: the square root of its variance times z; a vector has ``each`` readings."""
    squares, v = empty(count * inner, u.dtype), empty(count * columns, u.dtype)
    for i in range(count * inner):
        squares[i] = d[i] * d[i]
    v[:] = 0
    add_product(v, 0, squares, 0, fc, variances, count, inner, columns)
    for c in range(count):
        s, line = (begin + c) // lead, (begin + c) % lead
        start = zo + s * zs + (line * each + reading) * columns
        for j in range(columns):
            u[c * columns + j] += math.sqrt(v[c * columns + j]) * z[start + j]


@njit(error_model="numpy", nogil=True)
def read(d, x, fc, floats, form, k, held, apart):
    """d = the digits of ``held`` readings from k on, ``apart`` from each other; x itself where inputs have no steps."""
    if form == 0:
        d[:] = x
        return
    steps, scale, base, down = fc[floats], fc[floats + 1], fc[floats + 5], fc[floats + 7]
    half = d.dtype.type(0.5)
    if form == 2:
        for i in range(x.size):
            d[i] = rounded(x[i] * scale, half, steps)
        return
    low, worth = d.dtype.type(1), d.dtype.type(1)
    for _ in range(k):
        low *= down
    d[:] = 0
    for _ in range(held):
        for i in range(x.size):
            d[i] += worth * digit(rounded(x[i] * scale, half, steps), low, down, base)
        low *= down
        worth *= apart


@njit(error_model="numpy", nogil=True)
def digit(q, low, down, base):
    """Return the digit of q that ``low`` brings to the ones' place, with its sign."""
    size = abs(q)
    found = floor(size * low) - base * floor(size * low * down)
    return found if q > 0 else -found if q < 0 else q * 0
