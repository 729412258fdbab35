"""Products through pairs of memristors: digits of the inputs, currents of every slice, codes, shift and add."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from numba import njit
from numpy import empty, floor, int8, int32

from thermoc.simulator.instructions.products import LEVEL_TILE, MVM_SETTINGS, MVM_SIZES, WHOLE_BITS
from thermoc.simulator.kernels.crossbar.converters import Converter, rounded
from thermoc.simulator.kernels.crossbar.table_products import Cells, add_products
from thermoc.simulator.kernels.crossbar.tables import groups_of
from thermoc.simulator.kernels.simd.tiles import add_product

CHUNK = 66
"""Vectors that meet an array of cells together: a multiple of the rows of a register tile."""
LEAST_VECTORS = 8
"""From so many on it pays to lay down tables."""
WHOLE_STEPS, NO_STEPS = 2, 0
"""How an input is encoded: a whole number of steps, or as it is; 2 t - 1 as digits, t readings of which go together."""
_LONG, _SHORT = WHOLE_BITS[8], WHOLE_BITS[4]


class Together(NamedTuple):
    """Readings that go through the cells as one number: the first, how many, how far apart they are in it."""

    first: int
    readings: int
    apart: float


class Gain(NamedTuple):
    """numbers a vector of one gain, or of one an output from ``at`` on; each: how far apart those of outputs are."""

    values: Any
    at: int
    given: bool
    each: int


class ReadNoise(NamedTuple):
    """Variances of the cells of an array, normals of a sample, and where those of a vector's readings stand."""

    variances: Any
    z: Any
    vectors: int
    readings: int
    reading: int


@njit(error_model="numpy", nogil=True)
def scale(u, gain):
    """u *= the gains of an array's outputs."""
    for j in range(u.size):
        u[j] *= gain.values[gain.at + j * gain.each]


@njit(error_model="numpy", nogil=True)
def separate(u, v, spacing, inverse, half):
    """v = the lowest of the whole numbers that u holds ``apart`` from each other, u = the others; all of them exact."""
    for i in range(u.size):
        # ``apart`` is a power of two: products with it and with its inverse are exact
        higher = floor(u[i] * inverse + half)
        v[i] = u[i] - spacing * higher
        u[i] = higher


@njit(error_model="numpy", nogil=True)
def convert(r, u, value, half, converter):
    """r += value times the code of u; u itself where the ADC is exact."""
    codes, fine, worth = converter.codes, converter.fine, converter.worth
    if codes > 0:
        for j in range(r.size):
            r[j] += value * (rounded(u[j] * fine, half, codes) * worth)
    else:
        for j in range(r.size):
            r[j] += value * u[j]


def mvm(r, x, y, z, table, constants, sizes, settings, vectors, samples):
    """r = scale times the shifted sum of codes, for so many vectors of each sample.

    table: ``MVM_SIZES`` integers. constants: the settings, a scale an output, then for each input a row of all slices'
    weights (slices, outputs), then as many variances where there is noise y. z: gains.
    """
    n, m, slices = table[sizes], table[sizes + 1], table[sizes + 2]
    rows, readings, encoding = table[sizes + 3], table[sizes + 4], table[sizes + 5]
    columns, arrays = slices * m, (n + rows - 1) // rows
    together = (encoding + 1) // 2 if encoding % 2 == 1 else 1
    spacing = r.array.dtype.type(1 << ((_LONG if r.array.itemsize == 8 else _SHORT) // together))
    c = constants[settings : settings + MVM_SETTINGS]
    converter = Converter(c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7])
    weights = settings + MVM_SETTINGS + m
    variances = weights + n * columns
    groups = groups_of(converter.reading, table[sizes + 6], min(rows, n), readings, y.given)
    if converter.codes > 0 and groups.together > 1 and samples * vectors >= LEAST_VECTORS:
        first, words = sizes + MVM_SIZES, slices * ((m + LEVEL_TILE - 1) // LEVEL_TILE) * n * LEVEL_TILE // 4
        # a table is of 64 bits where some other row's places need them
        levels = table[first : first + words].astype(int32).view(int8)
        cells = Cells(n, m, slices, levels, constants, variances)
        for begin in range(0, samples * vectors, CHUNK):
            count = min(CHUNK, samples * vectors - begin)
            results = r.array[begin * m : (begin + count) * m]
            add_products(results, begin, count, x, y, z, cells, converter, groups, rows, readings, vectors)
            scale_outputs(results, constants, settings + MVM_SETTINGS, m)
        return
    d, u = empty(CHUNK * min(rows, n), r.array.dtype), empty(CHUNK * columns, r.array.dtype)
    v = empty(columns, r.array.dtype)
    for begin in range(0, samples * vectors, CHUNK):
        count = min(CHUNK, samples * vectors - begin)
        results = r.array[begin * m : (begin + count) * m]
        results[:] = 0
        for t in range(arrays):
            first = t * rows
            inner = min(rows, n - first)
            scale_of_reading = r.array.dtype.type(1)
            for k in range(0, readings, together):
                digits = Together(k, min(together, readings - k), spacing)
                for number in range(count):
                    start = (begin + number) // vectors * x.stride + (begin + number) % vectors * n + first
                    read(d[number * inner : (number + 1) * inner], x.array[start:], converter, encoding, digits)
                # currents of all slices by one product: a reading of many vectors is a product of matrices
                u[: count * columns] = 0
                add_product(u, 0, d, 0, constants, weights + first * columns, count, inner, columns)
                # noise adds to a current as a normal with the summed variances of its cells: one draw a column, not
                # one a cell
                if y.given:
                    spread = constants[variances + first * columns :]
                    noise = ReadNoise(spread, y, vectors, arrays * readings, t * readings + k)
                    disturb(u[: count * columns], d[: count * inner], noise, begin, columns)
                for number in range(count):
                    at = (begin + number) // vectors * z.stride + (t * m if z.size > 1 else 0)
                    gain = Gain(z.array, at, z.given, 1 if z.size > 1 else 0)
                    row, sums = u[number * columns : (number + 1) * columns], results[number * m : (number + 1) * m]
                    add_codes(sums, row, v, digits, scale_of_reading, gain, converter, slices)
                # by products of a power of two, which are exact
                for _ in range(digits.readings):
                    scale_of_reading *= converter.reading
        scale_outputs(results, constants, settings + MVM_SETTINGS, m)


@njit(error_model="numpy", nogil=True)
def scale_outputs(results, constants, scales, m):
    """results (vectors, m) *= the scales."""
    for i in range(0, results.size, m):
        for j in range(m):
            results[i + j] *= constants[scales + j]


@njit(error_model="numpy", nogil=True)
def add_codes(r, u, v, digits, scale_of_reading, gain, converter, slices):
    """r += the codes of some readings of one vector, that u holds apart from each other, shifted."""
    m, half, inverse = r.size, r.dtype.type(0.5), r.dtype.type(1) / digits.apart
    for k in range(digits.readings):
        now = u
        # the last number is what is left, and needs no separating
        if k < digits.readings - 1:
            separate(u, v, digits.apart, inverse, half)
            now = v
        value = scale_of_reading
        for p in range(slices):
            if gain.given:
                scale(now[p * m : (p + 1) * m], gain)
            convert(r, now[p * m : (p + 1) * m], value, half, converter)
            value *= converter.slice
        scale_of_reading *= converter.reading


@njit(error_model="numpy", nogil=True)
def disturb(u, d, noise, begin, columns):
    """u += the read noise of a reading: the square root of its variance times a normal."""
    squares, v, inner = empty(d.size, u.dtype), empty(u.size, u.dtype), d.size // (u.size // columns)
    for i in range(d.size):
        squares[i] = d[i] * d[i]
    v[:] = 0
    add_product(v, 0, squares, 0, noise.variances, 0, u.size // columns, inner, columns)
    for c in range(u.size // columns):
        s, line = (begin + c) // noise.vectors, (begin + c) % noise.vectors
        start = s * noise.z.stride + (line * noise.readings + noise.reading) * columns
        for j in range(columns):
            u[c * columns + j] += math.sqrt(v[c * columns + j]) * noise.z.array[start + j]


@njit(error_model="numpy", nogil=True)
def read(d, x, converter, encoding, digits):
    """d = the digits of some readings, apart from each other; x itself where inputs have no steps."""
    if encoding == NO_STEPS:
        d[:] = x[: d.size]
        return
    half = d.dtype.type(0.5)
    if encoding == WHOLE_STEPS:
        for i in range(d.size):
            d[i] = rounded(x[i] * converter.scale, half, converter.steps)
        return
    low, worth = d.dtype.type(1), d.dtype.type(1)
    for _ in range(digits.first):
        low *= converter.lower
    d[:] = 0
    for _ in range(digits.readings):
        for i in range(d.size):
            steps = rounded(x[i] * converter.scale, half, converter.steps)
            d[i] += worth * digit(steps, low, converter.lower, converter.reading)
        low *= converter.lower
        worth *= digits.apart


@njit(error_model="numpy", nogil=True)
def digit(q, low, down, base):
    """Return the digit of q that ``low`` brings to the ones' place, with its sign."""
    size = abs(q)
    value = floor(size * low) - base * floor(size * low * down)
    # q * 0 is 0 for 0, and lets a NaN through
    return value if q > 0 else -value if q < 0 else q * 0
