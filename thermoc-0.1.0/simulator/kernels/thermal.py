"""Rows of Boltzmann units, and noise: Philox4x32-10 as ``thermoc.support.philox`` defines it."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from thermoc.simulator.kernels.simd.normals import box_muller
from thermoc.support.philox import MASK, MULTIPLIERS, ROUNDS, WEYL

LOW = np.uint64(MASK)
HALF = np.uint64(32)
M0, M1 = np.uint64(MULTIPLIERS[0]), np.uint64(MULTIPLIERS[1])
W0, W1 = np.uint64(WEYL[0]), np.uint64(WEYL[1])


@njit(error_model="numpy", nogil=True, inline="always")
def boltzmann(r, ro, n, samples, x, xo, xs, T, to, ts, tn, row):
    """p_i = exp(-x_i / T) / Z over rows of ``row`` units (P5), from the least energy up, shared by its equals at T = 0.

    Where a row has one temperature, energies are shifted before they are divided: that loses no digits.
    """
    step = 1 if tn == n else 0
    for s in range(samples):
        for at in range(0, n, row):
            xv, t, rv = x[xo + s * xs + at :], to + s * ts + at * step, r[ro + s * n + at : ro + s * n + at + row]
            one = True
            for i in range(1, row):
                one = one and T[t + i * step] == T[t]
            low = xv[0] if one else xv[0] / T[t]
            for i in range(row):
                rv[i] = xv[i] if one else xv[i] / T[t + i * step]
                low = min(low, rv[i])
            for i in range(row):
                above = rv[i] - low
                rv[i] = math.exp(-above / T[t] if one and above != 0 else -above)
            total = rv[0]
            for i in range(1, row):
                total += rv[i]
            for i in range(row):
                rv[i] /= total


@njit(forceinline=True)
def philox(c0, c1, c2, c3, k0, k1):
    """Return the four words of a counter under a key; every argument is a uint64 below 2^32."""
    for _ in range(ROUNDS):
        p0, p1 = c0 * M0, c2 * M1
        c0, c1, c2, c3 = (p1 >> HALF) ^ c1 ^ k0, p1 & LOW, (p0 >> HALF) ^ c3 ^ k1, p0 & LOW
        k0, k1 = (k0 + W0) & LOW, (k1 + W1) & LOW
    return c0, c1, c2, c3


@njit(forceinline=True)
def uniform64(high, low):
    """((high << 20 | low >> 12) + 1/2) / 2^52; by way of a signed integer, whose conversion vectorises."""
    return (np.float64(np.int64((high << np.uint64(20)) | (low >> np.uint64(12)))) + 0.5) * 2.0**-52


@njit(forceinline=True)
def uniform32(high):
    """((high >> 9) + 1/2) / 2^23."""
    return (np.float32(np.int64(high >> np.uint64(9))) + np.float32(0.5)) * np.float32(2.0**-23)


@njit(error_model="numpy", nogil=True)
def noise(r, ro, n, first, tick, draw, stream, key, normal, spare):
    """r[i] = a normal, or a uniform, from the block of element first + i."""
    k0, k1 = np.uint64(key) & LOW, np.uint64(key) >> HALF
    c1, c2, c3 = np.uint64(tick), np.uint64(draw), np.uint64(stream)
    u, v = r[ro : ro + n], spare[:n]
    for i in range(n):
        w0, w1, w2, w3 = philox(np.uint64(first + i), c1, c2, c3, k0, k1)
        if r.itemsize == 4:
            u[i], v[i] = uniform32(w0), uniform32(w2)
        else:
            u[i], v[i] = uniform64(w0, w1), uniform64(w2, w3)
    if normal:
        box_muller(u, v)
