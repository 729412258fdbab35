"""Rows of Boltzmann units, and noise: Philox4x32-10 as ``thermoc.support.philox`` defines it."""

from __future__ import annotations

import numpy as np
from numba import njit

from thermoc.simulator.kernels import scalar
from thermoc.simulator.kernels.operands import sample
from thermoc.support.philox import MASK, MULTIPLIERS, ROUNDS, WEYL

LOW = np.uint64(MASK)
HALF = np.uint64(32)
M0, M1 = np.uint64(MULTIPLIERS[0]), np.uint64(MULTIPLIERS[1])
W0, W1 = np.uint64(WEYL[0]), np.uint64(WEYL[1])


def boltzmann(r, x, y, units, samples):
    """p_i = exp(-x_i / T) / Z over rows of units (P5), from the least energy up, shared by its equals at T = 0.

    Where a row has one temperature, energies are shifted before they are divided: that loses no digits.
    """
    step = 1 if y.size == r.size else 0
    for s in range(samples):
        rv, xv, T = sample(r, s), sample(x, s), sample(y, s)
        for first in range(0, r.size, units):
            boltzmann_row(rv[first : first + units], xv[first : first + units], T, first * step, step)


@njit(error_model="numpy", nogil=True)
def boltzmann_row(r, x, T, at, step):
    """One row of ``boltzmann``; unit i has the temperature T[at + i step]."""
    # an energy minus the least is exact where both are near; a quotient minus another has lost digits already
    alike = True
    for i in range(1, r.size):
        alike = alike and T[at + i * step] == T[at]
    low = x[0] if alike else x[0] / T[at]
    for i in range(r.size):
        r[i] = x[i] if alike else x[i] / T[at + i * step]
        low = min(low, r[i])
    for i in range(r.size):
        above = r[i] - low
        r[i] = scalar.exp(-above / T[at] if alike and above != 0 else -above)  # 0 / 0 at T = 0 would be no number
    # from an element: begun at 0, an integer, the sum of float32 would be typed as float64
    total = r[0]
    for i in range(1, r.size):
        total += r[i]
    for i in range(r.size):
        r[i] /= total


@njit(forceinline=True)
def philox(c0, c1, c2, c3, k0, k1):
    """Return the four words of a counter under a key; every argument is a uint64 below 2^32."""
    # words are masked in 64 bits: Numba promotes shifts of 32-bit words, and the generator would be wrong
    for _ in range(ROUNDS):
        p0, p1 = c0 * M0, c2 * M1
        c0, c1, c2, c3 = (p1 >> HALF) ^ c1 ^ k0, p1 & LOW, (p0 >> HALF) ^ c3 ^ k1, p0 & LOW
        k0, k1 = (k0 + W0) & LOW, (k1 + W1) & LOW
    return c0, c1, c2, c3


@njit(forceinline=True)
def uniform64(high, low):
    """((high << 20 | low >> 12) + 1/2) / 2^52; by way of a signed integer, whose conversion vectorises."""
    # the half keeps 0 and 1 out, so that the logarithms of u and 1 - u are finite
    return (np.float64(np.int64((high << np.uint64(20)) | (low >> np.uint64(12)))) + 0.5) * 2.0**-52


@njit(forceinline=True)
def uniform32(high):
    """((high >> 9) + 1/2) / 2^23."""
    # 23 digits and the half fill a float32: with one digit more the greatest would round to 1
    return (np.float32(np.int64(high >> np.uint64(9))) + np.float32(0.5)) * np.float32(2.0**-23)


def normals(r, draw, stream, position, samples, scratch):
    """r[s, i] = a standard normal, from the block of element (sample + s) n + i."""
    n = samples * r.size
    fill_normals(r.array[:n], scratch[:n], position.sample * r.size, position.tick, draw, stream, position.key)


def uniforms(r, draw, stream, position, samples, scratch):
    """r[s, i] = a uniform in (0, 1), from the block of element (sample + s) n + i."""
    n = samples * r.size
    fill(r.array[:n], scratch[:n], position.sample * r.size, position.tick, draw, stream, position.key)


@njit(error_model="numpy", nogil=True)
def fill(u, v, first, tick, draw, stream, key):
    """Set u and v to two uniforms each of the blocks of element first + i."""
    k0, k1 = np.uint64(key) & LOW, np.uint64(key) >> HALF
    c1, c2, c3 = np.uint64(tick), np.uint64(draw), np.uint64(stream)
    # both uniforms are made even where one is enough: one loop for both formats vectorises
    for i in range(u.size):
        w0, w1, w2, w3 = philox(np.uint64(first + i), c1, c2, c3, k0, k1)
        if u.itemsize == 4:
            u[i], v[i] = uniform32(w0), uniform32(w2)
        else:
            u[i], v[i] = uniform64(w0, w1), uniform64(w2, w3)


@njit(error_model="numpy", nogil=True)
def fill_normals(u, v, first, tick, draw, stream, key):
    """Set u to standard normals of the blocks of element first + i; v is scratch memory."""
    fill(u, v, first, tick, draw, stream, key)
    for i in range(u.size):
        u[i] = scalar.normal(u[i], v[i])
