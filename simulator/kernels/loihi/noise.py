"""Loihi's stochastic units: logits, Gumbel numbers and normals of Philox words, in integers of 12 fractional bits."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from thermoc.simulator.instructions.loihi import LEAST, SPIN, SPREAD, TURN_LAG
from thermoc.simulator.kernels.loihi.units import clipped, decayed, relaxed
from thermoc.simulator.kernels.operands import sample
from thermoc.simulator.kernels.scalar.primitives import bits64
from thermoc.simulator.kernels.thermal import HALF, LOW, philox

FRACTION, ONE = 12, 4096
LN2, BEND = 45426, 1408
"""ln 2 with 16 fractional bits; the height of the parabola, log2(1 + m) = m + 0.34375 m (1 - m), with 12."""
COSINES = np.rint(ONE * np.cos(2 * np.pi * (np.arange(1024) + 0.5) / 1024)).astype(np.int64)
EXPONENT_BIAS = 1023 << FRACTION


@njit(forceinline=True)
def lg(A):
    """log2 of a whole number from 1 below 2^34: exponent and leading digits of the float are count and remainder."""
    # the conversion to a float counts leading zeros for us, and it vectorises
    digits = bits64(np.float64(A)) >> 40
    m = digits & (ONE - 1)
    return digits - EXPONENT_BIAS + (BEND * m * (ONE - m) >> 24)


@njit(forceinline=True)
def natural(x):
    """A logarithm to base 2 as one to base e, truncated towards 0."""
    return -(-x * LN2 >> 16) if x < 0 else x * LN2 >> 16


@njit(forceinline=True)
def logit(word):
    """logit((w + 1/2) / 2^32)."""
    A = 2 * np.int64(word) + 1
    return natural(lg(A) - lg(2**33 - A))


@njit(forceinline=True)
def surprise(word):
    """-ln((w + 1/2) / 2^32), at least 1."""
    return max(natural((33 << FRACTION) - lg(2 * np.int64(word) + 1)), 1)


@njit(forceinline=True)
def gumbel(word):
    """ln(-ln u), u = (w + 1/2) / 2^32."""
    upper = 2**33 - (2 * np.int64(word) + 1)
    if upper > 2**32:
        return natural(lg(surprise(word)) - (FRACTION << FRACTION))
    # near u = 1 little is left of the digits of -ln u: with v = 1 - u, ln(-ln u) is ln v + v / 2 + 0.28 v^2
    q = upper >> 21
    return natural(lg(upper) - (33 << FRACTION)) + (q * (2048 + (1150 * q >> FRACTION)) >> FRACTION)


@njit(forceinline=True)
def normal(first, second):
    """Box and Muller's normal of two words."""
    # the square root of a whole number below 2^53 is exact enough to be the same on every machine
    radius = np.int64(math.sqrt(np.float64(2 * surprise(first) << FRACTION)))
    return radius * COSINES[np.int64(second >> np.uint64(22))] >> FRACTION


def fermi_dirac(r, x, y, z, parameters, int_states, samples, position):
    """Those whose turn it is go up where x + bias > (T logit) >> 20; z: bias of each unit, then its turn."""
    at, turns, sweeps, _, stream, form = parameters
    k0, k1, n = np.uint64(position.key) & LOW, np.uint64(position.key) >> HALF, r.size
    low, step = -1 if form & SPIN else 0, position.tick - form // TURN_LAG
    phase = step % turns
    c1, c2, c3 = np.uint64(step // (turns * sweeps)), np.uint64(step // turns % sweeps), np.uint64(stream)
    for s in range(samples):
        rv, xv, T, settings = sample(r, s), sample(x, s), sample(y, s), sample(z, s)
        first = s * int_states.stride + at
        levels = int_states.array[first : first + n]
        if step < 0:  # the messages that make up its field have not arrived yet
            rv[:] = levels
            continue
        for i in range(n):
            if settings[n + i] == phase:
                word = philox(np.uint64((position.sample + s) * n + i), c1, c2, c3, k0, k1)[0]
                noise = T[i if y.size > 1 else 0] * logit(word) >> 20
                levels[i] = 1 if xv[i] + settings[i] > noise else low
            rv[i] = levels[i]


def categorical(r, x, y, z, units, lag, stream, samples, position):
    """One of each row of units is 1: the least ((x + bias) << 20) + T g, the first of equals."""
    k0, k1, n = np.uint64(position.key) & LOW, np.uint64(position.key) >> HALF, r.size
    c1, c3 = np.uint64(position.tick - lag), np.uint64(stream)
    for s in range(samples):
        rv, xv, T, bias = sample(r, s), sample(x, s), sample(y, s), sample(z, s)
        rv[:] = 0
        if position.tick < lag:
            continue
        for start in range(0, n, units):
            best, lowest = start, np.int64(0)
            for i in range(start, start + units):
                word = philox(np.uint64((position.sample + s) * n + i), c1, np.uint64(0), c3, k0, k1)[0]
                drive = xv[i] + bias[i if z.size > 1 else 0]
                energy = (drive << 20) + T[i if y.size > 1 else 0] * gumbel(word)
                if i == start or energy < lowest:
                    best, lowest = i, energy
            rv[best] = 1


def memory(x, y, parameters, int_states, samples, position):
    """m = clip(decay of m + (x gain >> 12) + (y z >> 12))."""
    at, gain, keep, lag, stream = parameters
    k0, k1, n = np.uint64(position.key) & LOW, np.uint64(position.key) >> HALF, x.size
    c1, c3 = np.uint64(position.tick - lag), np.uint64(stream)
    for s in range(samples if position.tick >= lag else 0):
        xv, sigma, first = sample(x, s), sample(y, s), s * int_states.stride + at
        m = int_states.array[first : first + n]
        for i in range(n):
            block = philox(np.uint64((position.sample + s) * n + i), c1, np.uint64(0), c3, k0, k1)
            noise = sigma[i if y.size > 1 else 0] * normal(block[0], block[2]) >> 12
            m[i] = clipped(decayed(m[i], keep) + (xv[i] * gain >> 12) + noise)


def relaxation(x, y, z, parameters, int_states, samples, position):
    """m = clip(what is left of it + (x << lift) + (y normal << spread)); z: loss of each unit, then its shift."""
    at, floor, every, lag, stream, form = parameters
    k0, k1, n = np.uint64(position.key) & LOW, np.uint64(position.key) >> HALF, x.size
    since = position.tick - lag
    c1, c3 = np.uint64(since // every), np.uint64(stream)
    for s in range(samples if since >= 0 and (since + 1) % every == 0 else 0):
        xv, sigma, settings, first = sample(x, s), sample(y, s), sample(z, s), s * int_states.stride + at
        m, rest = int_states.array[first : first + n], int_states.array[first + n : first + 2 * n]
        for i in range(n):
            block = philox(np.uint64((position.sample + s) * n + i), c1, np.uint64(0), c3, k0, k1)
            kick = sigma[i if y.size > 1 else 0] * normal(block[0], block[2]) << form // SPREAD
            given = (xv[i] << form % SPREAD) + kick
            rest[i], m[i] = relaxed(m[i], rest[i], settings[i], settings[n + i], given, floor - LEAST)
