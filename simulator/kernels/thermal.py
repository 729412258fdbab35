"""Rows of Boltzmann units, p-bits, and noise: Philox4x32-10 as ``thermoc.support.philox`` defines it."""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

import numpy as np
from numba import njit

from thermoc.simulator.kernels import scalar
from thermoc.simulator.kernels.elementwise import elements, end_to_end
from thermoc.simulator.kernels.operands import sample
from thermoc.simulator.kernels.simd.lanes import LANES, blocks, count_up, store_uniforms
from thermoc.support.philox import MASK, MULTIPLIERS, ROUNDS, WEYL

one_block = blocks(1)
LOW = np.uint64(MASK)
HALF = np.uint64(32)
M0, M1 = np.uint64(MULTIPLIERS[0]), np.uint64(MULTIPLIERS[1])
PART = 1024
"""Numbers made at a time: two uniforms each take 16 KiB."""
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
        low = r[i] if r[i] < low else low
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


def uniforms(r, draw, stream, position, samples):
    """r[s, i] = a uniform in (0, 1), from the block of element (sample + s) n + i."""
    u = r.array[: samples * r.size]
    fill_uniforms(u, position.sample * r.size, position.tick, draw, stream, position.key)


def p_bits(r, x, y, spins, stream, position, samples, x_scratch, y_scratch, scratch):
    """r[s, i] = 1 where x[s, i] > y[s, i] logit(u), u the uniform of element (sample + s) n + i, else 0, or -1."""
    n, rows, joined = r.size, samples, end_to_end(x, r.size) and end_to_end(y, r.size)
    first, low = position.sample * n, -spins
    if joined:
        n, rows = n * samples, 1
    for s in range(rows):
        drive, T = elements(x, s, n, joined, x_scratch, 0), elements(y, s, n, joined, y_scratch, 1)
        levels = r.array[s * n : s * n + n]
        for start in range(0, n, PART):
            stop = min(start + PART, n)
            u = scratch[2 * n : 2 * n + stop - start]
            fill_uniforms(u, first + s * n + start, position.tick, 0, stream, position.key)
            decide(levels[start:stop], drive[start:stop], T[start:stop], u, low)


@njit(error_model="numpy", nogil=True)
def decide(levels, drive, T, u, low):
    """Set those up whose drive is above T logit(u)."""
    up, down = levels.dtype.type(1), levels.dtype.type(low)
    for i in range(levels.size):
        levels[i] = up if drive[i] > T[i] * scalar.logit(u[i]) else down


@njit(error_model="numpy", nogil=True)
def fill_uniforms(u, first, tick, draw, stream, key):
    """Set u to the first uniform each of the blocks of element first + i."""
    k0, k1 = np.uint64(key) & LOW, np.uint64(key) >> HALF
    c1, c2, c3 = np.uint64(tick), np.uint64(draw), np.uint64(stream)
    vector_end = u.size - u.size % LANES
    for i in range(0, vector_end, LANES):
        store_uniforms(u, i, one_block(count_up() + np.uint64(first + i), c1, c2, c3, k0, k1)[0])
    for i in range(vector_end, u.size):
        w0, w1, _, _ = philox(np.uint64(first + i), c1, c2, c3, k0, k1)
        u[i] = uniform32(w0) if u.itemsize == 4 else uniform64(w0, w1)


@njit(error_model="numpy", nogil=True)
def fill(u, v, first, tick, draw, stream, key):
    """Set u and v to two uniforms each of the blocks of element first + i."""
    k0, k1 = np.uint64(key) & LOW, np.uint64(key) >> HALF
    c1, c2, c3 = np.uint64(tick), np.uint64(draw), np.uint64(stream)
    vector_end = u.size - u.size % LANES
    for i in range(0, vector_end, LANES):
        w01, w23 = one_block(count_up() + np.uint64(first + i), c1, c2, c3, k0, k1)
        store_uniforms(u, i, w01)
        store_uniforms(v, i, w23)
    for i in range(vector_end, u.size):
        w0, w1, w2, w3 = philox(np.uint64(first + i), c1, c2, c3, k0, k1)
        if u.itemsize == 4:
            u[i], v[i] = uniform32(w0), uniform32(w2)
        else:
            u[i], v[i] = uniform64(w0, w1), uniform64(w2, w3)


@njit(error_model="numpy", nogil=True)
def fill_normals(u, v, first, tick, draw, stream, key):
    """Set u to standard normals of the blocks of element first + i; v is scratch memory."""
    # part by part, so that what one loop leaves is in the first cache when the next one reads it
    for start in range(0, u.size, PART):
        stop = min(start + PART, u.size)
        some, second = u[start:stop], v[: stop - start]
        fill(some, second, first + start, tick, draw, stream, key)
        for i in range(some.size):
            some[i] = scalar.normal(some[i], second[i])
