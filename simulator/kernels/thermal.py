"""Rows of Boltzmann units, and noise: Philox4x32-10 as ``thermoc.support.philox`` defines it."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from thermoc.support.philox import MASK, MULTIPLIERS, ROUNDS, WEYL

LOW = np.uint64(MASK)
HALF = np.uint64(32)
M0, M1 = np.uint64(MULTIPLIERS[0]), np.uint64(MULTIPLIERS[1])
W0, W1 = np.uint64(WEYL[0]), np.uint64(WEYL[1])


@njit(error_model="numpy", nogil=True)
def boltzmann(r, ro, n, samples, x, xo, xs, T, to, ts, ti, row):
    """p_i = exp(-x_i / T) / Z over rows of ``row`` units (P5), from the least energy up."""
    for s in range(samples):
        for at in range(0, n, row):
            e, t, out = xo + s * xs + at, to + s * ts + at * ti, ro + s * n + at
            if ti == 0:  # one temperature: shift first, divide after
                low = x[e]
                for i in range(1, row):
                    low = min(low, x[e + i])
                for i in range(row):
                    r[out + i] = (x[e + i] - low) / T[t]
            else:
                low = x[e] / T[t]
                for i in range(row):
                    r[out + i] = x[e + i] / T[t + i]
                    low = min(low, r[out + i])
                for i in range(row):
                    r[out + i] -= low
            total = r[ro] * 0
            for i in range(row):
                r[out + i] = math.exp(-r[out + i])
                total += r[out + i]
            for i in range(row):
                r[out + i] /= total


@njit(nogil=True)
def philox(c0, c1, c2, c3, k0, k1):
    """Return the four words of a counter under a key; every argument is a uint64 below 2^32."""
    for _ in range(ROUNDS):
        p0, p1 = c0 * M0, c2 * M1
        c0, c1, c2, c3 = (p1 >> HALF) ^ c1 ^ k0, p1 & LOW, (p0 >> HALF) ^ c3 ^ k1, p0 & LOW
        k0, k1 = (k0 + W0) & LOW, (k1 + W1) & LOW
    return c0, c1, c2, c3


@njit(nogil=True)
def uniform64(high, low):
    """((high << 20 | low >> 12) + 1/2) / 2^52."""
    return (np.float64((high << np.uint64(20)) | (low >> np.uint64(12))) + 0.5) * 2.0**-52


@njit(nogil=True)
def uniform32(high):
    """((high >> 9) + 1/2) / 2^23."""
    return (np.float32(high >> np.uint64(9)) + np.float32(0.5)) * np.float32(2.0**-23)


@njit(error_model="numpy", nogil=True)
def noise(r, ro, n, samples, first, tick, draw, stream, key, normal):
    """Fill r[s, i] from the block of element (first + s) n + i: Box-Muller normals, or uniforms."""
    k0, k1 = np.uint64(key) & LOW, np.uint64(key) >> HALF
    c1, c2, c3 = np.uint64(tick), np.uint64(draw), np.uint64(stream)
    single = r.itemsize == 4
    for s in range(samples):
        for i in range(n):
            w0, w1, w2, w3 = philox(np.uint64((first + s) * n + i), c1, c2, c3, k0, k1)
            if single:
                u = uniform32(w0)
                if normal:
                    u = math.sqrt(np.float32(-2.0) * math.log(u)) * math.cos(np.float32(2.0 * np.pi) * uniform32(w2))
                r[ro + s * n + i] = u
            else:
                v = uniform64(w0, w1)
                if normal:
                    v = math.sqrt(-2.0 * math.log(v)) * math.cos(2.0 * np.pi * uniform64(w2, w3))
                r[ro + s * n + i] = v
