"""Kernels that move elements by tables of places: the rules of ``points.moves``, over all elements of all samples."""

from __future__ import annotations

from thermoc.simulator.kernels.operands import sample
from thermoc.simulator.kernels.points import moves as rules
from thermoc.simulator.kernels.simd.sums import SUMS, dot_eighths, sum_eighths


def float_to_int(r, x, dtype, samples):
    """Integers from floats, towards 0."""
    for s in range(samples):
        rv, xv = sample(r, s), sample(x, s)
        for i in range(r.size):
            rv[i] = rules.float_to_int(xv[i], dtype)


def int_to_int(r, x, dtype, samples):
    """Integers in fewer bits."""
    for s in range(samples):
        rv, xv = sample(r, s), sample(x, s)
        for i in range(r.size):
            rv[i] = rules.int_to_int(xv[i], dtype)


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
            rv[i] = rules.gather(xv, table, at, i)


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
            rv[o] = rules.reduce(xv, table, at, window, reduction, o)


def sum_windows(r, x, window, mean, samples):
    """r[s, o] = sum or mean of x[s, o window + k] over k: ``points.moves.sum_window`` in vectors."""
    even = window - window % SUMS
    for s in range(samples):
        rv, xv = sample(r, s), sample(x, s)
        for o in range(r.size):
            total = sum_eighths(xv, xv, o * window, even)
            for k in range(o * window + even, (o + 1) * window):
                total += xv[k]
            rv[o] = total / window if mean else total


def dot_windows(r, x, y, window, mean, samples):
    """r[s, o] = sum or mean of x[s, o window + k] y[s, o window + k] over k: ``points.moves.dot_window`` in vectors."""
    even = window - window % SUMS
    for s in range(samples):
        rv, xv, yv = sample(r, s), sample(x, s), sample(y, s)
        for o in range(r.size):
            total = dot_eighths(xv, yv, o * window, even)
            for k in range(o * window + even, (o + 1) * window):
                total += xv[k] * yv[k]
            rv[o] = total / window if mean else total


def arg_reduce(r, x, table, at, window, reduction, samples):
    """r[s, o] = the k of the first maximum or minimum of x[s, table[at + o window + k]]; the first NaN wins."""
    for s in range(samples):
        rv, xv = sample(r, s), sample(x, s)
        for o in range(r.size):
            rv[o] = rules.arg_reduce(xv, table, at, window, reduction, o)
