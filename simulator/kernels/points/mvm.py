"""Products through pairs of memristors: a point an output of a vector, with the sums of ``crossbar.mvm``.

Phases: the digits of the inputs, then currents, codes and their sums.
"""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

import math
from typing import NamedTuple

from thermoc.simulator.instructions.products import MVM_SETTINGS, WHOLE_BITS
from thermoc.simulator.kernels.scalar.formats import scalar
from thermoc.simulator.kernels.scalar.primitives import fma
from thermoc.simulator.kernels.scalar.rounding import floor

WHOLE_STEPS, NO_STEPS = 2, 0
STEPS, SCALE, CODES, FINE, WORTH, READING, SLICE, LOWER = range(MVM_SETTINGS)
_LONG, _SHORT = WHOLE_BITS[8], WHOLE_BITS[4]


class ReadTile(NamedTuple):
    """Sizes of a product: inputs, outputs, slices, rows of an array, readings, their encoding, how many go together."""

    inputs: int
    outputs: int
    slices: int
    rows: int
    readings: int
    encoding: int
    together: int


def mvm(r, x, y, z, y_given, z_given, table, constants, sizes, settings, vectors, float_scratch, phase, i):
    """Digits of some inputs, or scale times the shifted sum of an output's codes."""
    encoding = table[sizes + 5]
    together = (encoding + 1) // 2 if encoding % 2 == 1 else 1
    tile = ReadTile(
        table[sizes], table[sizes + 1], table[sizes + 2], table[sizes + 3], table[sizes + 4], encoding, together
    )
    c, passes = constants[settings:], (tile.readings + together - 1) // together
    spacing = x.dtype.type(1 << ((_LONG if x.itemsize == 8 else _SHORT) // together))
    digits = vectors * passes * tile.inputs
    if phase == 0:
        for digit in range(i, digits, vectors * tile.outputs):
            line, number = digit // tile.inputs, digit % tile.inputs
            value = x[line // passes * tile.inputs + number]
            float_scratch[digit] = _read(value, c, tile, line % passes * together, spacing)
        return
    total, currents = x.dtype.type(0), float_scratch[digits + i :]
    for t in range((tile.inputs + tile.rows - 1) // tile.rows):
        worth = x.dtype.type(1)
        for k in range(passes):
            _currents(currents, float_scratch, y, y_given, c, tile, vectors, t, k, i)
            total, worth = _add_codes(total, currents, z, z_given, c, tile, vectors, t, k, worth, spacing, i)
    r[i] = total * c[MVM_SETTINGS + i % tile.outputs]


@scalar
def _rounded(x, half, most):
    """x to the nearest whole number, halves up, from -most to most; NaN stays."""
    x = floor(x + half)
    x = most if most < x else x
    return -most if -most > x else x


@scalar
def _digit(q, low, down, base):
    """The digit of q that ``low`` brings to the ones' place, with its sign."""
    size = abs(q)
    value = floor(size * low) - base * floor(size * low * down)
    # q * 0 is 0 for 0, and lets a NaN through
    return value if q > 0 else -value if q < 0 else q * 0


@scalar
def _read(x, c, tile, first, apart):
    """The digits of some readings, apart from each other; x itself where inputs have no steps."""
    half = c.dtype.type(0.5)
    if tile.encoding == NO_STEPS:
        return x
    steps = _rounded(x * c[SCALE], half, c[STEPS])
    if tile.encoding == WHOLE_STEPS:
        return steps
    low, worth, total = c.dtype.type(1), c.dtype.type(1), c.dtype.type(0)
    for _ in range(first):
        low *= c[LOWER]
    for _ in range(min(tile.together, tile.readings - first)):
        total += worth * _digit(steps, low, c[LOWER], c[READING])
        low *= c[LOWER]
        worth *= apart
    return total


@scalar
def _currents(currents, digits, z, noisy, c, tile, vectors, t, k, i):
    """Set the currents of an output's slices in one pass through an array, with their noise."""
    n, m, columns = tile.inputs, tile.outputs, tile.slices * tile.outputs
    passes, arrays = (tile.readings + tile.together - 1) // tile.together, (n + tile.rows - 1) // tile.rows
    vector, first, weights = i // m, t * tile.rows, MVM_SETTINGS + m
    for p in range(tile.slices):
        u, square, column = c.dtype.type(0), c.dtype.type(0), p * m + i % m
        for e in range(first, min(first + tile.rows, n)):
            d = digits[(vector * passes + k) * n + e]
            u = fma(d, c[weights + e * columns + column], u)
            if noisy:
                square = fma(d * d, c[weights + (n + e) * columns + column], square)
        if noisy:
            reading = (vector * arrays + t) * tile.readings + k * tile.together
            u += math.sqrt(square) * z[reading * columns + column]
        currents[p * vectors * m] = u


@scalar
def _add_codes(total, currents, gains, warm, c, tile, vectors, t, k, worth, apart, i):
    """The total with the codes of a pass, reading by reading, slice by slice; what the next reading is worth."""
    half, inverse, m = c.dtype.type(0.5), c.dtype.type(1) / apart, tile.outputs
    count = min(tile.together, tile.readings - k * tile.together)
    for reading in range(count):
        value = worth
        for p in range(tile.slices):
            u = currents[p * vectors * m]
            # the last number is what is left, and needs no separating; products with powers of two are exact
            if reading < count - 1:
                higher = floor(u * inverse + half)
                currents[p * vectors * m] = higher
                u -= apart * higher
            if warm:
                u *= gains[t * m + i % m if gains.size > 1 else 0]
            total += value * (_rounded(u * c[FINE], half, c[CODES]) * c[WORTH]) if c[CODES] > 0 else value * u
            value *= c[SLICE]
        worth *= c[READING]
    return total, worth
