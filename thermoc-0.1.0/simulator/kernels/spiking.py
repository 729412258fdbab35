"""Populations of spiking units: steps on states in place, spikes as lists, products that walk the spikes.

A list holds how many units fired and then which, in rising order. What a list says is data that may come from a file,
so whoever walks one skips what lies outside.
"""

from __future__ import annotations

import numpy as np
from numba import njit

CHUNK = 512
"""Units that are looked at together."""
PART = 32
"""Of a chunk in which one may have fired, the units that are looked at together again."""
PARAMETERS = 5
"""Of a population: keep, gain, offset, threshold, v_reset."""
GREATER_EQUAL, SUBTRACT = 1, 2
"""The form of LIF_STEP, in bits."""


@njit(error_model="numpy", nogil=True, inline="always")
def trace_step(g, go, gs, n, samples, x, xo, xs, given, y, yo, ys, yn):
    """g[s, i] = y[s, i] g[s, i] + x[s, i]; without x where it is not given."""
    for s in range(samples):
        gv, xv, yv = (
            g[go + s * gs : go + s * gs + n],
            x[xo + s * xs : xo + s * xs + n],
            y[yo + s * ys : yo + s * ys + yn],
        )
        if yn == 1:
            keep = y[yo + s * ys]
            if given:
                for i in range(n):
                    gv[i] = keep * gv[i] + xv[i]
            else:
                for i in range(n):
                    gv[i] = keep * gv[i]
        elif given:
            for i in range(n):
                gv[i] = yv[i] * gv[i] + xv[i]
        else:
            for i in range(n):
                gv[i] = yv[i] * gv[i]


# Loops over a part of an array become vector loops if the place is unsigned (a signed one may count from the end), and
# if few arrays are met (none may overlap another): so parameters of each unit lie CHUNK apart in one array.


@njit(error_model="numpy", nogil=True)
def advance(v, x, y, start, size, keep, gain, offset, threshold):
    """Integrate units that are alike; return whether one may have fired."""
    hot = np.int32(0)
    for j in range(size):
        i = np.uint64(start + j)
        v[i] = keep * v[i] + (gain * (x[i] + y[i]) + offset)
        hot = np.int32(hot | np.int32(v[i] >= threshold))
    return hot


@njit(error_model="numpy", nogil=True)
def advance_each(v, x, y, start, size, z):
    """The same with parameters of each unit."""
    hot = np.int32(0)
    for j in range(size):
        i, k = np.uint64(start + j), np.uint64(j)
        v[i] = z[k] * v[i] + (z[k + np.uint64(CHUNK)] * (x[i] + y[i]) + z[k + np.uint64(2 * CHUNK)])
        hot = np.int32(hot | np.int32(v[i] >= z[k + np.uint64(3 * CHUNK)]))
    return hot


@njit(error_model="numpy", nogil=True)
def advance_free(v, held, x, y, start, size, keep, gain, offset, threshold):
    """Integrate those that are not held, count down the others; held is -1 where one may have fired."""
    hot, nought, one = np.int32(0), held.dtype.type(0), held.dtype.type(1)
    for j in range(size):
        i = np.uint64(start + j)
        new = keep * v[i] + (gain * (x[i] + y[i]) + offset)
        free = held[i] <= nought
        v[i] = new if free else v[i]
        fires = free & (new >= threshold)
        left = nought if free else held[i] - one
        held[i] = -one if fires else left
        hot = np.int32(hot | np.int32(fires))
    return hot


@njit(error_model="numpy", nogil=True)
def advance_free_each(v, held, x, y, start, size, z):
    """The same with parameters of each unit."""
    hot, nought, one = np.int32(0), held.dtype.type(0), held.dtype.type(1)
    for j in range(size):
        i, k = np.uint64(start + j), np.uint64(j)
        new = z[k] * v[i] + (z[k + np.uint64(CHUNK)] * (x[i] + y[i]) + z[k + np.uint64(2 * CHUNK)])
        free = held[i] <= nought
        v[i] = new if free else v[i]
        fires = free & (new >= z[k + np.uint64(3 * CHUNK)])
        left = nought if free else held[i] - one
        held[i] = -one if fires else left
        hot = np.int32(hot | np.int32(fires))
    return hot


@njit(error_model="numpy", nogil=True, inline="always")
def lif_step(r, ro, n, samples, v, vo, vs, ho, x, xo, xs, y, yo, ys, z, zo, zs, zn, form, ticks):
    """v = keep v + (gain (x + y) + offset), compare, reset, hold for some ticks; r gets the list of those that fired.

    z holds one number of each parameter, or for each chunk of units CHUNK of each. Few chunks hold a unit that fires:
    those are gone through again, unit by unit.
    """
    alike = zn == PARAMETERS
    for s in range(samples):
        count, at = 0, ro + s * (n + 1)
        fired = r[at : at + n + 1]
        at = vo + s * vs
        vv = v[at : at + n]
        at = ho + s * vs
        held = v[at : at + n]
        at = xo + s * xs
        xv = x[at : at + n]
        at = yo + s * ys
        yv = y[at : at + n]
        at = zo + s * zs
        parameters = z[at : at + zn]
        keep, gain, offset, threshold = parameters[0], parameters[1], parameters[2], parameters[3]
        for start in range(0, n, CHUNK):
            size = min(CHUNK, n - start)
            each = parameters if alike else parameters[start * PARAMETERS : (start + CHUNK) * PARAMETERS]
            if ticks > 0 and alike:
                hot = advance_free(vv, held, xv, yv, start, size, keep, gain, offset, threshold)
            elif ticks > 0:
                hot = advance_free_each(vv, held, xv, yv, start, size, each)
            elif alike:
                hot = advance(vv, xv, yv, start, size, keep, gain, offset, threshold)
            else:
                hot = advance_each(vv, xv, yv, start, size, each)
            if hot:
                count = fire(fired, count, vv, held, start, size, each, alike, form, ticks)
        fired[0] = count


@njit(error_model="numpy", nogil=True)
def marked(held, start, size):
    """Tell whether one of some units may have fired."""
    hot, nought = np.int32(0), held.dtype.type(0)
    for j in range(size):
        hot = np.int32(hot | np.int32(held[np.uint64(start + j)] < nought))
    return hot


@njit(error_model="numpy", nogil=True)
def fire(fired, count, v, held, start, size, z, alike, form, ticks):
    """Reset and list the units of a chunk that fire; return the length of the list."""
    nought = held.dtype.type(0)
    for part in range(0, size, PART):
        some = min(PART, size - part)
        if ticks > 0 and not marked(held, start + part, some):
            continue
        for j in range(part, part + some):
            i = np.uint64(start + j)
            if ticks > 0:
                if held[i] >= nought:
                    continue
                held[i] = nought
            threshold, low = (z[3], z[4]) if alike else (z[3 * CHUNK + j], z[4 * CHUNK + j])
            if v[i] > threshold or (form & GREATER_EQUAL > 0 and v[i] == threshold):
                v[i] = v[i] - threshold if form & SUBTRACT else low
                if ticks > 0:
                    held[i] = ticks
                count += 1
                fired[count] = start + j
    return count


@njit(error_model="numpy", nogil=True)
def copy_list(r, ro, rs, n, samples, x, xo, xs):
    """Copy a list of at most n - 1 units, and no more than it holds."""
    for s in range(samples):
        for i in range(1 + max(0, min(x[xo + s * xs], n - 1))):
            r[ro + s * rs + i] = x[xo + s * xs + i]


@njit(error_model="numpy", nogil=True)
def spread(r, ro, n, samples, x, xo, xs):
    """r[s, i] = 1 where the list holds i, else 0."""
    for s in range(samples):
        rv = r[ro + s * n : ro + s * n + n]
        for i in range(n):
            rv[i] = 0
        for k in range(min(x[xo + s * xs], n)):
            unit = x[xo + s * xs + 1 + k]
            if 0 <= unit < n:
                rv[unit] = 1


@njit(error_model="numpy", nogil=True)
def begin(r, ro, rs, n, samples, z, zo, zs, bias):
    """r[s, i] = z[s, i], or 0 without a bias."""
    for s in range(samples):
        rv, zv = r[ro + s * rs : ro + s * rs + n], z[zo + s * zs : zo + s * zs + n]
        if bias:
            for i in range(n):
                rv[i] = zv[i]
        else:
            for i in range(n):
                rv[i] = 0


@njit(error_model="numpy", nogil=True, inline="always")
def add_listed(r, ro, rs, n, samples, x, xo, xs, xn, y, yo, ys, m, table, starts, targets):
    """r[s, target of e] += x[s, e] over the entries e of each column that the list y holds; one x may serve all."""
    for s in range(samples):
        rv = r[ro + s * rs : ro + s * rs + n]
        for k in range(min(y[yo + s * ys], m)):
            unit = y[yo + s * ys + 1 + k]
            if not 0 <= unit < m:
                continue
            first, last = table[starts + unit], table[starts + unit + 1]
            if xn == 1:
                weight = x[xo + s * xs]
                for e in range(first, last):
                    rv[table[targets + e]] += weight
            else:
                for e in range(first, last):
                    rv[table[targets + e]] += x[xo + s * xs + e]


@njit(error_model="numpy", nogil=True, inline="always")
def add_nonzero(r, ro, rs, n, samples, x, xo, xs, xn, y, yo, ys, m, table, starts, targets):
    """r[s, target of e] += x[s, e] y[s, j] over the entries e of each column j where y is not 0."""
    for s in range(samples):
        rv, yv = r[ro + s * rs : ro + s * rs + n], y[yo + s * ys : yo + s * ys + m]
        for j in range(m):
            if yv[j] == 0:
                continue
            for e in range(table[starts + j], table[starts + j + 1]):
                rv[table[targets + e]] += x[xo + s * xs + (0 if xn == 1 else e)] * yv[j]
