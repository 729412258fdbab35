"""Loihi's deterministic units in 64-bit integers: what the dialect ``loihi`` says, unit by unit.

A value of the network never passes 32 bits; ``narrow`` wraps it there. ``>>`` is a floor shift.
"""

from __future__ import annotations

import numpy as np
from numba import njit

PART = 64
"""Units that are advanced together before one looks for those that fire."""
HALF, TURN, LIMIT = 2**23, 2**24, 2**23 - 1
MAGNITUDE = 2**25 - 1
"""A mask that states fit: it tells the compiler that their products need no 64-bit multiplication."""
AT_LEAST, SUBTRACT = 1, 2
"""The form of LOIHI_LIF, in bits; above them the lag."""
CUMULATIVE, RECTIFIED, SUMMED = 1, 2, 4
"""The form of LOIHI_DELTA, in bits: errors sum up; negative values count as 0; what comes in is added up first."""


@njit(forceinline=True)
def decayed(x, keep):
    """sgn(x) (|x| keep >> 12)."""
    sign = x >> 63
    return ((((((x ^ sign) - sign) & MAGNITUDE) * keep) >> 12) ^ sign) - sign


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


@njit(error_model="numpy", nogil=True)
def advance(u, v, a, bias, each, start, size, keep_u, keep_v, least):
    """Integrate some units; return a negative number where one may have fired. bias is one for all, or one a unit."""
    hot = np.int64(0)
    if each:
        for j in range(size):
            i = np.uint64(start + j)
            u[i] = wrapped(decayed(u[i], keep_u) + (a[i] << 6))
            v[i] = clipped(decayed(v[i], keep_v) + u[i] + bias[i])
            hot |= least - 1 - v[i]
    else:
        offset = bias[0]
        for j in range(size):
            i = np.uint64(start + j)
            u[i] = wrapped(decayed(u[i], keep_u) + (a[i] << 6))
            v[i] = clipped(decayed(v[i], keep_v) + u[i] + offset)
            hot |= least - 1 - v[i]
    return hot


@njit(error_model="numpy", nogil=True, inline="always")
def lif(r, ro, n, samples, a, ao, as_, bias, bo, bn, states, uo, vo, width, du, dv, top, form, tick):
    """Step the currents at uo and the membranes at vo of the states; r gets the list of the units that fire."""
    least = top + (0 if form & AT_LEAST else 1)
    keep_u, keep_v = np.int64(4095 - du) & 4095, np.int64(4096 - dv) & 8191
    for s in range(samples):
        at, count = ro + s * (n + 1), 0
        fired = r[at : at + n + 1]
        fired[0] = 0
        if tick < form >> 2:
            continue
        u, v = states[uo + s * width : uo + s * width + n], states[vo + s * width : vo + s * width + n]
        av, bv = a[ao + s * as_ : ao + s * as_ + n], bias[bo : bo + bn]
        for start in range(0, n, PART):
            size = min(PART, n - start)
            if advance(u, v, av, bv, bn > 1, start, size, keep_u, keep_v, least) >= 0:
                continue
            for i in range(start, start + size):
                if v[i] >= least:
                    v[i] = v[i] - top if form & SUBTRACT else 0
                    count += 1
                    fired[count] = i
        fired[0] = count


@njit(error_model="numpy", nogil=True)
def spread(r, ro, n, samples, x, xo, xs):
    """r[s, i] = 1 where the list holds i, else 0."""
    for s in range(samples):
        rv = r[ro + s * n : ro + s * n + n]
        rv[:] = 0
        for k in range(min(x[xo + s * xs], n)):
            unit = x[xo + s * xs + 1 + k]
            if 0 <= unit < n:
                rv[unit] = 1


@njit(error_model="numpy", nogil=True, inline="always")
def total(r, ro, n, samples, x, xo, xs, y, yo, ys, z, zo, zs, three):
    """r = x + y, or x + y + z."""
    for s in range(samples):
        rv, xv = r[ro + s * n : ro + s * n + n], x[xo + s * xs : xo + s * xs + n]
        yv, zv = y[yo + s * ys : yo + s * ys + n], z[zo + s * zs : zo + s * zs + n]
        if three:
            for i in range(n):
                rv[i] = narrow(xv[i] + yv[i] + zv[i])
        else:
            for i in range(n):
                rv[i] = narrow(xv[i] + yv[i])


@njit(error_model="numpy", nogil=True)
def graded(r, ro, n, samples, a, ao, as_, bias, bo, bn, vth, shift, both):
    """r = z where z > vth, or |z| > vth, else 0; z = (a + bias) >> shift, clipped."""
    for s in range(samples):
        for i in range(n):
            z = clipped((a[ao + s * as_ + i] + bias[bo + (i if bn > 1 else 0)]) >> shift)
            r[ro + s * n + i] = z if (abs(z) if both else z) > vth else 0


@njit(error_model="numpy", nogil=True)
def lookup(r, ro, n, samples, a, ao, as_, bias, bo, bn, table, to, entries, shift):
    """r = table[((a + bias) >> shift) + entries // 2], the nearest entry outside."""
    for s in range(samples):
        for i in range(n):
            place = ((a[ao + s * as_ + i] + bias[bo + (i if bn > 1 else 0)]) >> shift) + entries // 2
            r[ro + s * n + i] = narrow(table[to + min(max(place, 0), entries - 1)])


@njit(error_model="numpy", nogil=True)
def sigma(r, ro, n, samples, a, ao, as_, states, so, width):
    """r = sigma += a."""
    for s in range(samples):
        kept = states[so + s * width : so + s * width + n]
        for i in range(n):
            kept[i] = narrow(kept[i] + a[ao + s * as_ + i])
            r[ro + s * n + i] = kept[i]


@njit(error_model="numpy", nogil=True, inline="always")
def delta(r, ro, n, samples, a, ao, as_, bias, bo, bn, states, so, width, top, scale, shift, form):
    """Send what has changed once it reaches ``top``. States: sigma where SUMMED, then act, residue, error."""
    for s in range(samples):
        first = so + s * width
        held = first + (n if form & SUMMED else 0)
        for i in range(n):
            x = a[ao + s * as_ + i]
            if form & SUMMED:
                states[first + i] = narrow(states[first + i] + x)
                x = states[first + i] + bias[bo + (i if bn > 1 else 0)]
            act = narrow(x << scale)
            if form & RECTIFIED:
                act = max(act, 0)
            d = narrow(act - states[held + i] + states[held + n + i])
            error = narrow(states[held + 2 * n + i] + (d if form & CUMULATIVE else 0))
            judged = error if form & CUMULATIVE else d
            sent = d if max(judged, narrow(-judged)) >= top else 0
            if form & CUMULATIVE and sent != 0:
                error = 0
            states[held + i], states[held + n + i] = act, narrow(d - sent)
            states[held + 2 * n + i] = narrow(error)
            r[ro + s * n + i] = narrow(sent >> shift)


@njit(error_model="numpy", nogil=True)
def heat(states, so, width, n, samples, x, xo, xs, ambient, bo, bn, loss, gain, floor, started):
    """T = clip(T - decay of (T - ambient) + (x gain >> 12)), at least ``floor``, below 2^24."""
    for s in range(samples if started else 0):
        kept = states[so + s * width : so + s * width + n]
        for i in range(n):
            away = kept[i] - ambient[bo + (i if bn > 1 else 0)]
            T = kept[i] - decayed(away, loss) + (x[xo + s * xs + i] * gain >> 12)
            kept[i] = min(max(T, floor), TURN - 1)
