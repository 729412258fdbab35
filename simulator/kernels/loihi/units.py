"""Loihi's deterministic units in 64-bit integers: what the dialect ``loihi`` says, unit by unit.

A value of the network never passes 32 bits; ``narrow`` wraps it there. ``>>`` is a floor shift.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from thermoc.simulator.instructions.loihi import AT_LEAST, CUMULATIVE, LAG, RECTIFIED, SUBTRACT, SUMMED
from thermoc.simulator.kernels.operands import sample
from thermoc.simulator.kernels.simd.width import full_width

GROUP = 64
"""Units that are looked at together for those that fire."""
HALF, TURN, LIMIT = 2**23, 2**24, 2**23 - 1
LOG2E = 1512775
"""log2 e with 20 fractional bits."""
HALVINGS = np.rint(2**23 * 2.0 ** -(np.arange(4096) / 4096)).astype(np.int64)
FINE = 24
"""Bits of a relaxation below a step of what it sends."""


@njit(forceinline=True)
def decayed(x, keep):
    """sgn(x) (|x| keep >> 12)."""
    # both have 32 bits, which makes it one multiplication for a vector unit
    product = np.int64(np.int32(x)) * np.int64(np.int32(keep))
    # truncation towards 0, as on the chip: a shift alone is a floor
    return (product + ((product >> 63) & 4095)) >> 12


@njit(forceinline=True)
def wrapped(x):
    """X modulo 2^24 in (-2^23, 2^23]."""
    return HALF - ((HALF - x) & (TURN - 1))


@njit(forceinline=True)
def clipped(x):
    """X clipped to +-(2^23 - 1)."""
    return min(max(x, -LIMIT), LIMIT)


@njit(forceinline=True)
def narrow(x):
    """X modulo 2^32 in [-2^31, 2^31)."""
    return np.int64(np.int32(x))


@njit(forceinline=True)
def current(u, a, keep):
    """A unit's current after a tick in which ``a`` arrives."""
    return wrapped(decayed(u, keep) + (a << 6))


@njit(forceinline=True)
def membrane(v, u, bias, keep):
    """A unit's membrane after a tick, before it is compared with its threshold."""
    return clipped(decayed(v, keep) + u + bias)


@njit(error_model="numpy", nogil=True)
def advance(u, v, a, bias, keep_u, keep_v):
    """Integrate units; bias is one for all, or one a unit."""
    full_width()
    if bias.size > 1:
        for i in range(u.size):
            u[i] = current(u[i], a[i], keep_u)
            v[i] = membrane(v[i], u[i], bias[i], keep_v)
    else:
        offset = bias[0]
        for i in range(u.size):
            u[i] = current(u[i], a[i], keep_u)
            v[i] = membrane(v[i], u[i], offset, keep_v)


@njit(error_model="numpy", nogil=True)
def reaches(v, firing_level):
    """Return whether a unit fires."""
    full_width()
    hot = np.int64(0)  # signs are gathered by OR, which every vector unit has for 64 bits; a maximum is rarer
    for i in range(v.size):
        hot |= firing_level - 1 - v[i]
    return hot < 0


@njit(forceinline=True)
def boltzmann_weight(distance, T):
    """Exp(-distance / T) with 23 fractional bits, of a distance of at least 0."""
    v = distance * LOG2E // max(T, 1)
    return HALVINGS[v & 4095] >> min(v >> 12, 63)


def boltzmann(r, x, y, z, units, lag, fraction, tick, samples):
    """What of each row's total a unit has; z: bias of each unit, then what it says before its lag."""
    n = r.size
    for s in range(samples):
        rv, xv, T, settings = sample(r, s), sample(x, s), sample(y, s), sample(z, s)
        for start in range(0, n, units):
            row_of_probabilities(rv, xv, T, settings, start, start + units, fraction, tick >= lag)


@njit(forceinline=True)
def row_of_probabilities(r, x, T, settings, start, stop, fraction, started):
    """Write the probabilities of one row."""
    least, total, n = x[start] + settings[start], np.int64(0), r.size
    for i in range(start, stop):
        least = min(least, x[i] + settings[i])
    for i in range(start, stop):
        r[i] = boltzmann_weight(x[i] + settings[i] - least, T[i if T.size > 1 else 0])
        total += r[i]
    for i in range(start, stop):
        r[i] = ((r[i] << fraction) + (total >> 1)) // total if started else settings[n + i]


@njit(forceinline=True)
def relaxed(m, rest, loss, shift, given, floor):
    """The lower bits, then m: what is left of 48 bits, and what is given to them, clipped."""
    # a shift beyond the word, which a file may ask for, has no defined result
    lost = (m * loss + (rest * loss >> FINE)) >> (shift & 63)
    after = min(max((m << FINE) + rest - lost + given, floor << FINE), LIMIT << FINE)
    return after & ((1 << FINE) - 1), after >> FINE


def lif(r, x, y, parameters, int_states, tick, samples):
    """Step currents and membranes; r gets the list of the units that fire."""
    currents, membranes, du, dv, threshold, form = parameters
    n, firing_level = r.size - 1, threshold + (0 if form & AT_LEAST else 1)
    for s in range(samples):
        fired, count, first = sample(r, s), 0, s * int_states.stride
        fired[0] = 0
        if n == 0 or tick < form // LAG:
            continue
        u, v = int_states.array[first + currents :][:n], int_states.array[first + membranes :][:n]
        # the chip takes du + 1 of 4096 from u but dv of v
        advance(u, v, sample(x, s), sample(y, s), 4095 - du, 4096 - dv)
        for start in range(0, n, GROUP):
            stop = min(start + GROUP, n)
            # few units fire: most groups are passed over in vectors
            if not reaches(v[start:stop], firing_level):
                continue
            for i in range(start, stop):
                if v[i] >= firing_level:
                    v[i] = v[i] - threshold if form & SUBTRACT else 0
                    count += 1
                    fired[count] = i
        fired[0] = count


def total(r, x, y, z, samples):
    """r = x + y, or x + y + z."""
    for s in range(samples):
        rv, xv, yv, zv = sample(r, s), sample(x, s), sample(y, s), sample(z, s)
        if z.given:
            for i in range(r.size):
                rv[i] = narrow(xv[i] + yv[i] + zv[i])
        else:
            for i in range(r.size):
                rv[i] = narrow(xv[i] + yv[i])


def graded(r, x, y, threshold, shift, magnitude, samples):
    """r = z where z > threshold, or |z| > threshold, else 0; z = (x + bias) >> shift, clipped."""
    for s in range(samples):
        rv, xv, bias = sample(r, s), sample(x, s), sample(y, s)
        for i in range(r.size):
            z = clipped((xv[i] + bias[i if y.size > 1 else 0]) >> shift)
            rv[i] = z if (abs(z) if magnitude else z) > threshold else 0


def lookup(r, x, y, z, shift, samples):
    """r = z[((x + bias) >> shift) + half the length of z], the nearest entry outside."""
    for s in range(samples):
        rv, xv, bias, entries = sample(r, s), sample(x, s), sample(y, s), sample(z, s)
        for i in range(r.size):
            entry = ((xv[i] + bias[i if y.size > 1 else 0]) >> shift) + z.size // 2
            rv[i] = narrow(entries[min(max(entry, 0), z.size - 1)])


def sigma(r, x, int_states, at, samples):
    """r = sum += x."""
    for s in range(samples):
        rv, xv, first = sample(r, s), sample(x, s), s * int_states.stride + at
        sums = int_states.array[first : first + r.size]
        for i in range(r.size):
            sums[i] = narrow(sums[i] + xv[i])
            rv[i] = sums[i]


def delta(r, x, y, parameters, int_states, samples):
    """Send what has changed once it reaches the threshold. States: sum where SUMMED, then act, residue, error."""
    at, threshold, scale, shift, form = parameters
    n = r.size
    for s in range(samples):
        rv, xv, bias, first = sample(r, s), sample(x, s), sample(y, s), s * int_states.stride + at
        sums = int_states.array[first : first + n]
        first += n if form & SUMMED else 0
        acts, residues, errors = (
            int_states.array[first : first + n],
            int_states.array[first + n : first + 2 * n],
            int_states.array[first + 2 * n : first + 3 * n],
        )
        for i in range(n):
            value = xv[i]
            if form & SUMMED:
                sums[i] = narrow(sums[i] + value)
                value = sums[i] + bias[i if y.size > 1 else 0]
            act = narrow(value << scale)
            if form & RECTIFIED:
                act = max(act, 0)
            change = narrow(act - acts[i] + residues[i])
            error = narrow(errors[i] + (change if form & CUMULATIVE else 0))
            judged = error if form & CUMULATIVE else change
            # |judged| in 32 bits: that of -2^31 is negative, as on the chip
            sent = change if max(judged, narrow(-judged)) >= threshold else 0
            if form & CUMULATIVE and sent != 0:
                error = 0
            acts[i], residues[i], errors[i] = act, narrow(change - sent), narrow(error)
            rv[i] = narrow(sent >> shift)


def heat(x, y, parameters, int_states, tick, samples):
    """T = clip(T - decay of (T - ambient) + (x gain >> 12)), at least the floor, below 2^24."""
    at, loss, gain, floor, lag = parameters
    for s in range(samples if tick >= lag else 0):
        xv, ambient, first = sample(x, s), sample(y, s), s * int_states.stride + at
        T = int_states.array[first : first + x.size]
        for i in range(x.size):
            above = T[i] - ambient[i if y.size > 1 else 0]
            warmed = T[i] - decayed(above, loss) + (xv[i] * gain >> 12)
            T[i] = min(max(warmed, floor), TURN - 1)


@njit(forceinline=True)
def floored(x, capacity):
    """Floor(x / capacity), 0 where a file says no capacity: nothing may end a run."""
    return x // capacity if capacity > 0 else np.int64(0)


def heat_node(r, x, y, int_states, at, every, lag, tick, samples):
    """T = clip(T + d), rest = rest + x - d y, d = floor((rest + x) / y)."""
    moves = tick > lag and (tick - lag) % every == 0
    for s in range(samples):
        rv, xv, capacity, first = sample(r, s), sample(x, s), sample(y, s), s * int_states.stride + at
        T = int_states.array[first : first + r.size]
        rest = int_states.array[first + r.size : first + 2 * r.size]
        for i in range(r.size if moves else 0):
            c = capacity[i if y.size > 1 else 0]
            quanta = rest[i] + xv[i]
            d = floored(quanta, c)
            T[i], rest[i] = clipped(T[i] + d), narrow(quanta - d * c)
        for i in range(r.size):
            rv[i] = T[i]
