"""Loihi's stochastic units: logits, Gumbel numbers and normals of Philox words, in integers of 12 fractional bits."""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

import math

import numpy as np
from numba import njit

from thermoc.simulator.kernels.loihi.units import clipped, decayed
from thermoc.simulator.kernels.simd.normals import bits64
from thermoc.simulator.kernels.thermal import HALF, LOW, philox

FRACTION, ONE = 12, 4096
LN2, BEND = 45426, 1408
"""ln 2 with 16 fractional bits; the height of the parabola, log2(1 + m) = m + 0.34375 m (1 - m), with 12."""
COSINES = np.rint(ONE * np.cos(2 * np.pi * (np.arange(1024) + 0.5) / 1024)).astype(np.int64)
EXPONENT_BIAS = 1023 << FRACTION


@njit(forceinline=True)
def lg(A):
    """log2 of a whole number from 1 below 2^34: exponent and leading digits of the float are count and remainder."""
    digits = np.int64(bits64(np.float64(A)) >> np.uint64(40))
    m = digits & (ONE - 1)
    return digits - EXPONENT_BIAS + (BEND * m * (ONE - m) >> 24)


@njit(forceinline=True)
def natural(x):
    """A logarithm to base 2 as one to base e, truncated towards nought."""
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
    rest = 2**33 - (2 * np.int64(word) + 1)
    if rest > 2**32:
        return natural(lg(surprise(word)) - (FRACTION << FRACTION))
    q = rest >> 21
    return natural(lg(rest) - (33 << FRACTION)) + (q * (2048 + (1150 * q >> FRACTION)) >> FRACTION)


@njit(forceinline=True)
def normal(first, second):
    """Box and Muller's normal of two words."""
    radius = np.int64(math.sqrt(np.float64(2 * surprise(first) << FRACTION)))
    return radius * COSINES[np.int64(second >> np.uint64(22))] >> FRACTION


@njit(error_model="numpy", nogil=True, inline="always")
def fermi_dirac(
    r,
    ro,
    n,
    samples,
    a,
    ao,
    as_,
    T,
    to,
    ts,
    tn,
    settings,
    bo,
    states,
    so,
    width,
    turns,
    sweeps,
    spin,
    turn,
    stream,
    first,
    key,
):
    """Those whose turn it is go up where a + bias > (T logit) >> 20; settings: bias of each unit, then its turn."""
    k0, k1 = np.uint64(key) & LOW, np.uint64(key) >> HALF
    low, whose = -1 if spin else 0, turn % turns
    c1, c2, c3 = np.uint64(turn // (turns * sweeps)), np.uint64(turn // turns % sweeps), np.uint64(stream)
    for s in range(samples):
        kept = states[so + s * width : so + s * width + n]
        if turn < 0:
            r[ro + s * n : ro + s * n + n] = kept
            continue
        for i in range(n):
            if settings[bo + n + i] == whose:
                word = philox(np.uint64((first + s) * n + i), c1, c2, c3, k0, k1)[0]
                noise = T[to + s * ts + (i if tn > 1 else 0)] * logit(word) >> 20
                kept[i] = 1 if a[ao + s * as_ + i] + settings[bo + i] > noise else low
            r[ro + s * n + i] = kept[i]


@njit(error_model="numpy", nogil=True, inline="always")
def categorical(r, ro, n, samples, a, ao, as_, T, to, ts, tn, bias, bo, bn, row, turn, stream, first, key):
    """One of each row of units is 1: the least ((a + bias) << 20) + T g, the first of equals."""
    k0, k1 = np.uint64(key) & LOW, np.uint64(key) >> HALF
    c1, c3 = np.uint64(turn), np.uint64(stream)
    for s in range(samples):
        rv = r[ro + s * n : ro + s * n + n]
        rv[:] = 0
        if turn < 0:
            continue
        for start in range(0, n, row):
            best, least = start, np.int64(0)
            for i in range(start, start + row):
                word = philox(np.uint64((first + s) * n + i), c1, np.uint64(0), c3, k0, k1)[0]
                drive = a[ao + s * as_ + i] + bias[bo + (i if bn > 1 else 0)]
                energy = (drive << 20) + T[to + s * ts + (i if tn > 1 else 0)] * gumbel(word)
                if i == start or energy < least:
                    best, least = i, energy
            rv[best] = 1


@njit(error_model="numpy", nogil=True, inline="always")
def memory(states, so, width, n, samples, a, ao, as_, sigma, go, gs, gn, gain, keep, turn, stream, first, key):
    """m = clip(decay of m + (a gain >> 12) + (sigma z >> 12))."""
    k0, k1 = np.uint64(key) & LOW, np.uint64(key) >> HALF
    c1, c3 = np.uint64(turn), np.uint64(stream)
    for s in range(samples if turn >= 0 else 0):
        kept = states[so + s * width : so + s * width + n]
        for i in range(n):
            block = philox(np.uint64((first + s) * n + i), c1, np.uint64(0), c3, k0, k1)
            noise = sigma[go + s * gs + (i if gn > 1 else 0)] * normal(block[0], block[2]) >> 12
            kept[i] = clipped(decayed(kept[i], keep) + (a[ao + s * as_ + i] * gain >> 12) + noise)
