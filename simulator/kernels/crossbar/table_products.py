"""Readings of cells with whole levels, by tables of the sums of a few rows: the bits are those of products."""

# pyright: reportCallIssue=false, reportIncompatibleMethodOverride=false
# (an intrinsic is called without the typing context that its definition names first; a record may have a count)

from __future__ import annotations

import math
from typing import Any, NamedTuple

from numba import njit
from numpy import empty, int16, int32, int64, nan, uint16, zeros

from thermoc.simulator.kernels.crossbar.converters import (
    add_codes,
    add_noisy_codes,
    add_noisy_warm_codes,
    add_warm_codes,
    rounded,
)
from thermoc.simulator.kernels.crossbar.tables import WIDTH, Groups, add_entries, fill_places, fill_starts, fill_tables
from thermoc.simulator.kernels.crossbar.variances import sum_rows
from thermoc.simulator.kernels.simd.tiles import lane_count

LINE = 64
"""Bytes of a line of the cache."""
CHUNK = 66
"""Vectors that share the tables of an array."""


class Cells(NamedTuple):
    """Inputs, outputs, slices; whole levels as bytes, and where among the constants variances stand."""

    inputs: int
    outputs: int
    slices: int
    levels: Any
    constants: Any
    variances: int


class Tile(NamedTuple):
    """Inputs of an array: the first, how many; outputs: the first, how many; the array's number."""

    first: int
    inner: int
    output: int
    wide: int
    array: int


class Readings(NamedTuple):
    """What a chunk of vectors is in an array: for each vector and reading places in the tables a group, and the rows
    whose digits are not zero, how many there are of them. starts: of the groups in their tables."""

    count: int
    readings: int
    spacing: int
    starts: Any
    places: Any
    rows: Any
    counts: Any


@njit(error_model="numpy", nogil=True)
def aligned(count, dtype):
    """Return an array that starts on a line of the cache: a vector that lies across two takes twice the time."""
    buffer = empty(count + LINE, dtype)
    first = -buffer.ctypes.data % LINE // buffer.itemsize
    return buffer[first : first + count]


@njit(error_model="numpy", nogil=True)
def encode(d, x, start, missing, c, inner, converter, groups):
    """Set the places and rows of vector c, whose inputs start at x[start]; missing[c] = NaN where an input is."""
    unknown, first = int32(0), c * d.readings
    sizes, signs = zeros(groups.rows * d.spacing, int32), zeros(groups.rows * d.spacing, int32)
    half = x.dtype.type(0.5)
    for i in range(inner):
        q = rounded(x[start + i] * converter.scale, half, converter.steps)
        unknown |= int32(q != q)
        # what NaN becomes as an integer is undefined
        sizes[i] = int32(abs(q)) if q == q else int32(0)
        signs[i] = int32(1) if q > 0 else int32(-1)
    if unknown:
        missing[c] = nan
    places = d.places[first * d.spacing : (first + d.readings) * d.spacing]
    fill_places(places, d.starts, sizes, signs, groups, d.readings)
    if d.rows.size > 0:
        for k in range(d.readings):
            at, code = (first + k) * inner, 0
            for i in range(inner):
                # written in any case and overwritten by the next, which needs no jump
                d.rows[at + code] = i
                code += (sizes[i] >> k) & 1
            d.counts[first + k] = code


@njit(error_model="numpy", nogil=True)
def look_up(u, d, tile, cells, groups):
    """u (vectors, readings, slices, WIDTH) = the currents of a tile."""
    pairs, tiles = d.count * d.readings, (cells.outputs + WIDTH - 1) // WIDTH
    tables = aligned(groups.together * groups.entries * WIDTH, cells.levels.dtype)
    for p in range(cells.slices):
        start = ((p * tiles + tile.output // WIDTH) * cells.inputs + tile.first) * WIDTH
        for first in range(0, d.spacing, groups.together):
            fill_tables(tables, cells.levels[start:], groups, d.spacing, first, tile.inner)
            for v in range(pairs):
                at = (v * cells.slices + p) * WIDTH
                add_entries(u, at, first == 0, tables, d.places, v * d.spacing + first, groups.together)


@njit(error_model="numpy", nogil=True)
def disturb(w, d, tile, cells, z, begin, vectors, size):
    """w (vectors, readings, slices, WIDTH) = the read noise of a tile: a standard deviation times a normal."""
    columns, rows = cells.outputs * cells.slices, aligned(tile.inner * WIDTH, w.dtype)
    rows[:] = 0
    for p in range(cells.slices):
        column = p * cells.outputs + tile.output
        for i in range(tile.inner):
            source = cells.variances + (tile.first + i) * columns + column
            for j in range(tile.wide):
                rows[i * WIDTH + j] = cells.constants[source + j]
        for v in range(d.count * d.readings):
            at = (v * cells.slices + p) * WIDTH
            sum_rows(w, at, rows, d.rows, v * tile.inner, d.counts[v])
            c, k = begin + v // d.readings, v % d.readings
            normal = c // vectors * z.stride + (c % vectors * size + tile.array * d.readings + k) * columns + column
            for j in range(tile.wide):
                w[at + j] = math.sqrt(w[at + j]) * z.array[normal + j]


@njit(error_model="numpy", nogil=True)
def add_tile(results, c, u, w, tile, cells, values, gains, converter):
    """results of vector c += the codes of a tile."""
    sums, count = empty(WIDTH, results.dtype), values.size
    at = c * cells.outputs + tile.output
    sums[: tile.wide] = results[at : at + tile.wide]
    codes, fine, worth = converter.codes, converter.fine, converter.worth
    first = c * count * WIDTH
    for j in range(0, tile.wide, lane_count(sums)):
        if w.size > 0 and gains.size > 0:
            add_noisy_warm_codes(sums, j, u, w, first, WIDTH, values, count, gains, codes, fine, worth)
        elif w.size > 0:
            add_noisy_codes(sums, j, u, w, first, WIDTH, values, count, gains, codes, fine, worth)
        elif gains.size > 0:
            add_warm_codes(sums, j, u, w, first, WIDTH, values, count, gains, codes, fine, worth)
        else:
            add_codes(sums, j, u, w, first, WIDTH, values, count, gains, codes, fine, worth)
    results[at : at + tile.wide] = sums[: tile.wide]


@njit(error_model="numpy", nogil=True)
def fill_values(values, converter, slices):
    """What the code of each reading and slice is worth."""
    reading = values.dtype.type(1)
    for k in range(values.size // slices):
        value = reading
        for p in range(slices):
            values[k * slices + p] = value
            value *= converter.slice
        reading *= converter.reading


@njit(error_model="numpy", nogil=True)
def balanced(groups, inner):
    """Return the groups with as few going together as the passes over an array of so many rows need."""
    needed = (inner + groups.rows - 1) // groups.rows
    passes = (needed + groups.together - 1) // groups.together
    return Groups(groups.bits, groups.rows, groups.digit, groups.entries, (needed + passes - 1) // passes)


@njit(error_model="numpy", nogil=True)
def readings_of(groups, inner, count, readings, noisy):
    """Return what readings of so many vectors need room for; rows are listed where there is noise."""
    each = groups.rows * groups.together
    spacing, pairs = (inner + each - 1) // each * groups.together, count * readings
    starts, listed = empty(spacing, int32), pairs * inner if noisy else 0
    fill_starts(starts, groups)
    places, rows = empty(pairs * spacing, uint16), empty(listed, uint16)
    return Readings(count, readings, spacing, starts, places, rows, empty(pairs, int64))


@njit(error_model="numpy", nogil=True)
def add_products(results, begin, count, x, y, z, cells, converter, groups, rows, readings, vectors):
    """results (count, outputs) = the shifted sums of codes of the vectors from ``begin`` on."""
    real, m, arrays = results.dtype, cells.outputs, (cells.inputs + rows - 1) // rows
    values, missing, gains = (
        empty(readings * cells.slices, real),
        zeros(count, real),
        empty(WIDTH if z.given else 0, real),
    )
    fill_values(values, converter, cells.slices)
    u = aligned(count * values.size * WIDTH, int16)
    w = aligned(u.size if y.given else 0, real)
    results[:] = 0
    for t in range(arrays):
        first = t * rows
        inner = min(rows, cells.inputs - first)
        shared = balanced(groups, inner)
        d = readings_of(shared, inner, count, readings, y.given)
        for c in range(count):
            s, line = (begin + c) // vectors, (begin + c) % vectors
            encode(d, x.array, s * x.stride + line * cells.inputs + first, missing, c, inner, converter, shared)
        for output in range(0, m, WIDTH):
            tile = Tile(first, inner, output, min(WIDTH, m - output), t)
            look_up(u, d, tile, cells, shared)
            if y.given:
                disturb(w, d, tile, cells, y, begin, vectors, arrays * readings)
            for c in range(count):
                if z.given:
                    start, step = (begin + c) // vectors * z.stride, 1 if z.size > 1 else 0
                    for j in range(tile.wide):
                        gains[j] = z.array[start + (t * m + output + j) * step]
                add_tile(results, c, u, w, tile, cells, values, gains, converter)
    for c in range(count):
        for j in range(m):
            results[c * m + j] += missing[c]
