"""Populations of spiking units: steps on states in place, spikes as lists, products that walk the spikes.

A list holds how many units fired and then which, in rising order. What a list says is data that may come from a file,
so whoever walks one skips what lies outside.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from thermoc.simulator.instructions.spiking import CHUNK, GREATER_EQUAL, SUBTRACT, UNIT_PARAMETERS
from thermoc.simulator.kernels.operands import sample

GROUP = 32
"""Of a chunk in which a unit may have fired, those that are looked at together again."""


def trace_step(r, x, y, samples):
    """r[s, i] = y[s, i] r[s, i] + x[s, i]; without x where it is not given."""
    # four loops: a test within would keep them from vectorising, and a trace is the most of many networks
    for s in range(samples):
        rv, xv, yv = sample(r, s), sample(x, s), sample(y, s)
        if y.size == 1:
            keep = yv[0]
            if x.given:
                for i in range(r.size):
                    rv[i] = keep * rv[i] + xv[i]
            else:
                for i in range(r.size):
                    rv[i] = keep * rv[i]
        elif x.given:
            for i in range(r.size):
                rv[i] = yv[i] * rv[i] + xv[i]
        else:
            for i in range(r.size):
                rv[i] = yv[i] * rv[i]


# Loops over a part of an array become vector loops if the place is unsigned (a signed one may count from the end), and
# if few arrays are met (none may overlap another): so parameters of each unit lie CHUNK apart in one array.


@njit(error_model="numpy", nogil=True)
def advance(v, x, y, start, size, z):
    """Integrate units that are alike; return whether one may have fired."""
    keep, gain, offset, threshold = z[0], z[1], z[2], z[3]
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
def advance_free(v, resting, x, y, start, size, z):
    """Integrate those that do not rest, count down the others; resting is -1 where one may have fired."""
    keep, gain, offset, threshold = z[0], z[1], z[2], z[3]
    hot, zero, tick = np.int32(0), resting.dtype.type(0), resting.dtype.type(1)
    for j in range(size):
        i = np.uint64(start + j)
        # every unit is integrated and the result chosen: a branch would keep the loop from vectorising
        new = keep * v[i] + (gain * (x[i] + y[i]) + offset)
        free = resting[i] <= zero
        v[i] = new if free else v[i]
        fires = free & (new >= threshold)
        remaining = zero if free else resting[i] - tick
        resting[i] = -tick if fires else remaining
        hot = np.int32(hot | np.int32(fires))
    return hot


@njit(error_model="numpy", nogil=True)
def advance_free_each(v, resting, x, y, start, size, z):
    """The same with parameters of each unit."""
    hot, zero, tick = np.int32(0), resting.dtype.type(0), resting.dtype.type(1)
    for j in range(size):
        i, k = np.uint64(start + j), np.uint64(j)
        new = z[k] * v[i] + (z[k + np.uint64(CHUNK)] * (x[i] + y[i]) + z[k + np.uint64(2 * CHUNK)])
        free = resting[i] <= zero
        v[i] = new if free else v[i]
        fires = free & (new >= z[k + np.uint64(3 * CHUNK)])
        remaining = zero if free else resting[i] - tick
        resting[i] = -tick if fires else remaining
        hot = np.int32(hot | np.int32(fires))
    return hot


def lif_step(r, x, y, z, float_states, membranes, counters, form, refractory, samples):
    """v = keep v + (gain (x + y) + offset), compare, reset, rest for some ticks; r gets the list of those that fired.

    z holds one number of each parameter, or for each chunk of units CHUNK of each. Few chunks hold a unit that fires:
    those are gone through again, unit by unit.
    """
    n, alike = r.size - 1, z.size == UNIT_PARAMETERS
    for s in range(samples):
        count, fired, state = 0, sample(r, s), s * float_states.stride
        v = float_states.array[state + membranes : state + membranes + n]
        resting = float_states.array[state + counters : state + counters + n]
        xv, yv, parameters = sample(x, s), sample(y, s), sample(z, s)
        for start in range(0, n, CHUNK):
            size = min(CHUNK, n - start)
            unit_parameters = (
                parameters if alike else parameters[start * UNIT_PARAMETERS : (start + CHUNK) * UNIT_PARAMETERS]
            )
            if refractory > 0 and alike:
                hot = advance_free(v, resting, xv, yv, start, size, unit_parameters)
            elif refractory > 0:
                hot = advance_free_each(v, resting, xv, yv, start, size, unit_parameters)
            elif alike:
                hot = advance(v, xv, yv, start, size, unit_parameters)
            else:
                hot = advance_each(v, xv, yv, start, size, unit_parameters)
            # few units fire in a tick: a second look at their chunk alone costs little, a test within the first loop
            # much
            if hot:
                count = fire(fired, count, v, resting, start, size, unit_parameters, form, refractory)
        fired[0] = count


@njit(error_model="numpy", nogil=True)
def marked(resting, start, size):
    """Return whether one of some units may have fired."""
    hot, zero = np.int32(0), resting.dtype.type(0)
    for j in range(size):
        hot = np.int32(hot | np.int32(resting[np.uint64(start + j)] < zero))
    return hot


@njit(error_model="numpy", nogil=True)
def fire(fired, count, v, resting, start, size, z, form, refractory):
    """Reset and list the units of a chunk that fire; return the length of the list."""
    zero, alike = resting.dtype.type(0), z.size == UNIT_PARAMETERS
    for group in range(0, size, GROUP):
        some = min(GROUP, size - group)
        if refractory > 0 and not marked(resting, start + group, some):
            continue
        for j in range(group, group + some):
            i = np.uint64(start + j)
            if refractory > 0:
                if resting[i] >= zero:
                    continue
                resting[i] = zero
            threshold, low = (z[3], z[4]) if alike else (z[3 * CHUNK + j], z[4 * CHUNK + j])
            # the vector loops compare with >=: here a unit at its threshold is told from one above it
            if v[i] > threshold or (form & GREATER_EQUAL > 0 and v[i] == threshold):
                v[i] = v[i] - threshold if form & SUBTRACT else low
                if refractory > 0:
                    resting[i] = refractory
                count += 1
                fired[count] = start + j
    return count


def spread(r, x, samples):
    """r[s, i] = 1 where the list holds i, else 0."""
    for s in range(samples):
        rv, xv = sample(r, s), sample(x, s)
        for i in range(r.size):
            rv[i] = 0
        for k in range(min(xv[0], r.size)):
            unit = xv[1 + k]
            if 0 <= unit < r.size:
                rv[unit] = 1


@njit(error_model="numpy", nogil=True)
def begin(r, z, samples):
    """r[s, i] = z[s, i], or 0 without a bias."""
    for s in range(samples):
        rv, zv = sample(r, s), sample(z, s)
        if z.given:
            for i in range(r.size):
                rv[i] = zv[i]
        else:
            for i in range(r.size):
                rv[i] = 0


def listed_columns(r, x, y, z, table, starts, targets, into, samples):
    """r[s, target of e] += x[s, e] over the entries e of each column that the list y holds; one x may serve all."""
    if into == 0:
        begin(r, z, samples)
    units = y.size - 1
    for s in range(samples):
        rv, xv, yv = sample(r, s), sample(x, s), sample(y, s)
        for k in range(min(yv[0], units)):
            unit = yv[1 + k]
            if not 0 <= unit < units:
                continue
            first, last = table[starts + unit], table[starts + unit + 1]
            # equal weights are one number: an index less to load for each connection
            if x.size == 1:
                weight = xv[0]
                for e in range(first, last):
                    rv[table[targets + e]] += weight
            else:
                for e in range(first, last):
                    rv[table[targets + e]] += xv[e]


def columns(r, x, y, z, table, starts, targets, into, samples):
    """r[s, target of e] += x[s, e] y[s, j] over the entries e of each column j where y is not 0."""
    if into == 0:
        begin(r, z, samples)
    for s in range(samples):
        rv, xv, yv = sample(r, s), sample(x, s), sample(y, s)
        for j in range(y.size):
            if yv[j] == 0:
                continue
            for e in range(table[starts + j], table[starts + j + 1]):
                rv[table[targets + e]] += xv[0 if x.size == 1 else e] * yv[j]
