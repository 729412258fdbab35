"""Elements moved by tables of places: casts, gather, scatter, windowed reductions. Either processor has these rules."""

from __future__ import annotations

import numpy as np

from thermoc.simulator.instructions.moves import ARGMAX, ARGMIN, BOOL, I32, MAX, MEAN, MIN
from thermoc.simulator.kernels.scalar.formats import scalar

LEAST, BEYOND = np.int64(-(2**63)), 2.0**63
"""What a float that no integer of 64 bits is becomes; the least float beyond them."""


@scalar
def int_to_int(xi, dtype):
    """An integer in fewer bits: 32 wrap."""
    if dtype == BOOL:
        return np.int64(xi != 0)
    return np.int64(np.int32(xi)) if dtype == I32 else np.int64(xi)


@scalar
def float_to_int(xi, dtype):
    """An integer from a float, towards 0, by way of 64 bits; NaN and what is beyond these is the least of them.

    That is what x86 does; a GPU takes the nearest, and 0 for NaN.
    """
    if dtype == BOOL:
        return np.int64(xi != 0)
    return int_to_int(np.int64(xi) if -BEYOND <= xi < BEYOND else LEAST, dtype)


def to_float(xi):
    """An integer, which whoever takes it rounds to the format of floats."""
    return xi


@scalar
def gather(x, table, at, i):
    """x[table[at + i]], 0 where the table says -1."""
    source = table[at + i]
    return x[source] if source >= 0 else x.dtype.type(0)


def scatter(r, xi, table, at, i):
    """r[table[at + i]] = x[i]."""
    r[table[at + i]] = xi


@scalar
def reduce(x, table, at, window, reduction, i):
    """The sum, mean, max or min of x[table[at + i window + k]] over k; -1 is left out."""
    total, empty = x.dtype.type(0), True
    for k in range(window):
        source = table[at + i * window + k]
        if source < 0:
            continue
        value = x[source]
        # the extremes start from an element, not from an infinity, and a NaN stays once it is met
        if empty:
            total = value
        elif reduction <= MEAN:
            total += value
        elif (reduction == MAX and value > total) or (reduction == MIN and value < total) or value != value:
            total = value
        empty = False
    return total / window if reduction == MEAN else total


@scalar
def sum_window(x, window, mean, i):
    """The sum of x[i window + k] over k as eight sums of every eighth element, added in order, or the mean."""
    zero, first, even = x.dtype.type(0), i * window, window - window % 8
    a, b, c, d, e, f, g, h = zero, zero, zero, zero, zero, zero, zero, zero
    values = x[first : first + window]
    for k in range(0, even, 8):
        a += values[k]
        b += values[k + 1]
        c += values[k + 2]
        d += values[k + 3]
        e += values[k + 4]
        f += values[k + 5]
        g += values[k + 6]
        h += values[k + 7]
    total = a + b + c + d + e + f + g + h
    for k in range(even, window):
        total += values[k]
    return total / window if mean else total


@scalar
def dot_window(x, y, window, mean, i):
    """The sum of x[i window + k] y[i window + k] over k, or the mean: ``sum_window`` of the rounded products."""
    zero, first, even = x.dtype.type(0), i * window, window - window % 8
    a, b, c, d, e, f, g, h = zero, zero, zero, zero, zero, zero, zero, zero
    xs, ys = x[first : first + window], y[first : first + window]
    for k in range(0, even, 8):
        a += xs[k] * ys[k]
        b += xs[k + 1] * ys[k + 1]
        c += xs[k + 2] * ys[k + 2]
        d += xs[k + 3] * ys[k + 3]
        e += xs[k + 4] * ys[k + 4]
        f += xs[k + 5] * ys[k + 5]
        g += xs[k + 6] * ys[k + 6]
        h += xs[k + 7] * ys[k + 7]
    total = a + b + c + d + e + f + g + h
    for k in range(even, window):
        total += xs[k] * ys[k]
    return total / window if mean else total


@scalar
def arg_reduce(x, table, at, window, reduction, i):
    """The k of the first maximum or minimum of x[table[at + i window + k]]; the first NaN wins."""
    best, which = x[table[at + i * window]], 0
    for k in range(1, window):
        value = x[table[at + i * window + k]]
        if best == best and (
            (reduction == ARGMAX and value > best) or (reduction == ARGMIN and value < best) or value != value
        ):
            best, which = value, k
    return which
