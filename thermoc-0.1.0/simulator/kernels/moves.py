"""Kernels that move elements by tables of places: gather, scatter, windowed reductions, casts."""

from __future__ import annotations

import numpy as np
from numba import njit

SUM, MEAN, MAX, MIN, ARGMAX, ARGMIN = range(6)


@njit(error_model="numpy", nogil=True)
def gather(r, ro, n, samples, x, xo, xs, table, at):
    """r[s, i] = x[s, table[at + i]], 0 where the table says -1."""
    for s in range(samples):
        for i in range(n):
            place = table[at + i]
            r[ro + s * n + i] = x[xo + s * xs + place] if place >= 0 else 0


@njit(error_model="numpy", nogil=True)
def scatter(r, ro, rs, n, samples, x, xo, xs, table, at):
    """r[s, table[at + i]] = x[s, i]."""
    for s in range(samples):
        for i in range(n):
            r[ro + s * rs + table[at + i]] = x[xo + s * xs + i]


@njit(error_model="numpy", nogil=True)
def copy(r, ro, rs, n, samples, x, xo, xs):
    """r[s, i] = x[s, i]."""
    for s in range(samples):
        rv, xv = r[ro + s * rs : ro + s * rs + n], x[xo + s * xs : xo + s * xs + n]
        for i in range(n):
            rv[i] = xv[i]


@njit(error_model="numpy", nogil=True)
def reduce(r, ro, n, samples, x, xo, xs, table, at, window, kind):
    """r[s, o] = sum, mean, max or min of x[s, table[at + o window + k]] over k; -1 is left out."""
    for s in range(samples):
        for o in range(n):
            total, seen = r[ro] * 0, False
            for k in range(window):
                place = table[at + o * window + k]
                if place < 0:
                    continue
                value = x[xo + s * xs + place]
                if not seen:
                    total = value
                elif kind <= MEAN:
                    total += value
                elif (kind == MAX and value > total) or (kind == MIN and value < total) or value != value:
                    total = value
                seen = True
            if not seen:
                total = r[ro] * 0
            r[ro + s * n + o] = total / window if kind == MEAN else total


@njit(error_model="numpy", nogil=True)
def arg_reduce(r, ro, n, samples, x, xo, xs, table, at, window, kind):
    """r[s, o] = the k of the first maximum or minimum of x[s, table[at + o window + k]]; the first NaN wins."""
    for s in range(samples):
        for o in range(n):
            best, place = x[xo + s * xs + table[at + o * window]], 0
            for k in range(1, window):
                value = x[xo + s * xs + table[at + o * window + k]]
                if best == best and (
                    (kind == ARGMAX and value > best) or (kind == ARGMIN and value < best) or value != value
                ):
                    best, place = value, k
            r[ro + s * n + o] = place


@njit(error_model="numpy", nogil=True)
def to_int(r, ro, n, samples, x, xo, xs, kind):
    """Integers from floats (towards zero) or integers; kind 0: i64, 1: i32 (wraps), 2: bool."""
    for s in range(samples):
        rv, xv = r[ro + s * n : ro + s * n + n], x[xo + s * xs : xo + s * xs + n]
        for i in range(n):
            if kind == 2:
                rv[i] = 1 if xv[i] != 0 else 0
            elif kind == 1:
                rv[i] = np.int32(np.int64(xv[i]))
            else:
                rv[i] = np.int64(xv[i])
