"""Kernels that move elements by tables of places: casts, gather, scatter, windowed reductions."""

from __future__ import annotations

import numpy as np

from thermoc.simulator.instructions.moves import ARGMAX, ARGMIN, BOOL, I32, MAX, MEAN, MIN
from thermoc.simulator.kernels.operands import sample


def to_int(r, x, dtype, samples):
    """Integers from floats (towards 0) or integers."""
    for s in range(samples):
        rv, xv = sample(r, s), sample(x, s)
        for i in range(r.size):
            if dtype == BOOL:
                rv[i] = 1 if xv[i] != 0 else 0
            elif dtype == I32:
                # by way of 64 bits, which then wrap: a float beyond 32 bits has no defined conversion to them
                rv[i] = np.int32(np.int64(xv[i]))
            else:
                rv[i] = np.int64(xv[i])


def to_float(r, x, samples):
    """r[s, i] = x[s, i]."""
    for s in range(samples):
        rv, xv = sample(r, s), sample(x, s)
        for i in range(r.size):
            rv[i] = xv[i]


def gather(r, x, table, at, samples):
    """r[s, i] = x[s, table[at + i]], 0 where the table says -1."""
    for s in range(samples):
        rv, xv = sample(r, s), sample(x, s)
        for i in range(r.size):
            source = table[at + i]
            rv[i] = xv[source] if source >= 0 else 0


def scatter(r, x, table, at, samples):
    """r[s, table[at + i]] = x[s, i]."""
    for s in range(samples):
        rv, xv = sample(r, s), sample(x, s)
        for i in range(x.size):
            rv[table[at + i]] = xv[i]


def reduce(r, x, table, at, window, reduction, samples):
    """r[s, o] = sum, mean, max or min of x[s, table[at + o window + k]] over k; -1 is left out."""
    for s in range(samples):
        rv, xv = sample(r, s), sample(x, s)
        for o in range(r.size):
            total, empty = r.array.dtype.type(0), True
            for k in range(window):
                source = table[at + o * window + k]
                if source < 0:
                    continue
                value = xv[source]
                # the extremes start from an element, not from an infinity, and a NaN stays once it is met
                if empty:
                    total = value
                elif reduction <= MEAN:
                    total += value
                elif (reduction == MAX and value > total) or (reduction == MIN and value < total) or value != value:
                    total = value
                empty = False
            rv[o] = total / window if reduction == MEAN else total


def arg_reduce(r, x, table, at, window, reduction, samples):
    """r[s, o] = the k of the first maximum or minimum of x[s, table[at + o window + k]]; the first NaN wins."""
    for s in range(samples):
        rv, xv = sample(r, s), sample(x, s)
        for o in range(r.size):
            best, source = xv[table[at + o * window]], 0
            for k in range(1, window):
                value = xv[table[at + o * window + k]]
                if best == best and (
                    (reduction == ARGMAX and value > best) or (reduction == ARGMIN and value < best) or value != value
                ):
                    best, source = value, k
            rv[o] = source
