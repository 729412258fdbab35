"""Potentials of a crossbar with wire resistance: conjugate gradients on the word lines, preconditioned by their wires.

Word line i runs from its source through a wire resistance to each of its n cells; bit line j from its first cell
through one after each of its m cells to ground. Eliminating the bit lines leaves S w = (A_W - G A_B^-1 G) w. A line is
solved as the ladder it is, from its far end: Y_j = G_j + Y_{j+1} / (1 + r Y_{j+1}) is what the source end sees from
cell j on, and c_j = 1 / (1 + r Y_j) what it leaves of a potential. Nothing is subtracted, so r may be nought.
Rows are padded to ``leading`` elements, so that those of neighbouring rows do not fall on the same lines of the cache.
"""

from __future__ import annotations

import numpy as np
from numba import njit

LANES = 8
"""Right-hand sides solved together, and rows of one right-hand side that run abreast."""
FAST = {"reassoc", "contract"}


def leading(n: int) -> int:
    """Return the padded length of a row of n elements."""
    return -(-n // LANES) * LANES + LANES


@njit(error_model="numpy", nogil=True)
def ladders(G, r_word, r_bit, n):
    """Return (c of the word lines, c of the bit lines), arrays of the shape of G (m, padded n)."""
    m = G.shape[0]
    word, bit = np.zeros_like(G), np.zeros_like(G)
    for i in range(m):
        Y = 0.0
        for j in range(n - 1, -1, -1):
            Y = G[i, j] + Y / (1 + r_word * Y)
            word[i, j] = 1 / (1 + r_word * Y)
    Y = np.zeros(n)
    for i in range(m):
        for j in range(n):
            Y[j] = G[i, j] + Y[j] / (1 + r_bit * Y[j])
            bit[i, j] = 1 / (1 + r_bit * Y[j])
    return word, bit


@njit(error_model="numpy", nogil=True, fastmath=FAST)
def down(G, bit, p, F, n):
    """F = the currents of G p, gathered along the bit lines towards ground."""
    m = p.shape[0]
    for i in range(m):
        if i == 0:
            for j in range(n):
                F[i, j] = G[i, j] * p[i, j]
        else:
            for j in range(n):
                F[i, j] = G[i, j] * p[i, j] + bit[i - 1, j] * F[i - 1, j]


@njit(error_model="numpy", nogil=True, fastmath=FAST)
def up(bit, r_bit, F, n):
    """F becomes the potentials of the bit lines."""
    m = F.shape[0]
    for j in range(n):
        F[m - 1, j] = bit[m - 1, j] * r_bit * F[m - 1, j]
    for i in range(m - 2, -1, -1):
        for j in range(n):
            F[i, j] = bit[i, j] * (r_bit * F[i, j] + F[i + 1, j])


@njit(error_model="numpy", nogil=True, fastmath=FAST)
def along(word, r_word, r, F, z, n, first):
    """z = A_W^-1 r on the rows first to first + LANES, abreast; return r z."""
    carry, total = np.zeros(LANES), np.zeros(LANES)
    for j in range(n - 1, -1, -1):
        for k in range(LANES):
            carry[k] = r[first + k, j] + word[first + k, j + 1] * carry[k]
            F[k, j] = carry[k]
    for k in range(LANES):
        carry[k] = 0.0
    for j in range(n):
        for k in range(LANES):
            carry[k] = word[first + k, j] * (r_word * F[k, j] + carry[k])
            z[first + k, j] = carry[k]
            total[k] += carry[k] * r[first + k, j]
    return total.sum()


@njit(error_model="numpy", nogil=True, fastmath=FAST)
def step(w, p, r, q, alpha, first, n):
    """w += alpha p, r -= alpha q on LANES rows."""
    for i in range(first, first + LANES):
        for j in range(n):
            w[i, j] += alpha * p[i, j]
            r[i, j] -= alpha * q[i, j]


@njit(error_model="numpy", nogil=True, fastmath=FAST)
def turn(p, Mp, z, r, beta, n):
    """p = z + beta p, Mp = r + beta Mp."""
    for i in range(p.shape[0]):
        for j in range(n):
            p[i, j] = z[i, j] + beta * p[i, j]
            Mp[i, j] = r[i, j] + beta * Mp[i, j]


@njit(error_model="numpy", nogil=True, fastmath=FAST)
def apply(G, bit, r_bit, p, Mp, F, q, m, n):
    """q = S p, where Mp = A_W p; return p q."""
    down(G, bit, p[:m], F, n)
    total = 0.0
    for j in range(n):
        F[m - 1, j] = bit[m - 1, j] * r_bit * F[m - 1, j]
        q[m - 1, j] = Mp[m - 1, j] - G[m - 1, j] * F[m - 1, j]
        total += p[m - 1, j] * q[m - 1, j]
    for i in range(m - 2, -1, -1):
        for j in range(n):
            F[i, j] = bit[i, j] * (r_bit * F[i, j] + F[i + 1, j])
            q[i, j] = Mp[i, j] - G[i, j] * F[i, j]
            total += p[i, j] * q[i, j]
    return total


@njit(error_model="numpy", nogil=True)
def potentials(G, word, bit, r_word, r_bit, V, w, b, n, warm, tolerance, most):
    """Solve for one input V (m): word potentials w and bit potentials b (m, padded n). Return the iterations.

    warm: w holds a guess, else it starts from the word lines without bit lines. G, word, w, b have rows up to a whole
    number of LANES, nought beyond m.
    """
    m, rows, width = V.size, G.shape[0], G.shape[1]
    F, q, p, Mp = np.zeros((rows, width)), np.zeros((rows, width)), np.zeros((rows, width)), np.zeros((rows, width))
    r, z, abreast = np.zeros((rows, width)), np.zeros((rows, width)), np.zeros((LANES, width))
    scale = 0.0
    for i in range(m):
        free = V[i]
        for j in range(n):
            free = word[i, j] * free
            scale += free * free * G[i, j]
            if not warm:
                w[i, j] = free
    down(G, bit, w[:m], F, n)
    up(bit, r_bit, F[:m], n)
    for i in range(m):  # r = (A_W - G A_B^-1 G) applied to what is missing of w
        for j in range(n):
            r[i, j] = G[i, j] * F[i, j]
        if warm:
            kirchhoff(G[i], w[i], V[i], r_word, r[i], n)
    rz = 0.0
    for first in range(0, rows, LANES):
        rz += along(word, r_word, r, abreast, z, n, first)
    turn(p, Mp, z, r, 0.0, n)
    goal, count = tolerance * tolerance * scale, 0
    while rz > goal and count < most:
        count += 1
        pq = apply(G, bit, r_bit, p, Mp, F, q, m, n)
        alpha, old, rz = rz / pq, rz, 0.0
        for first in range(0, rows, LANES):
            step(w, p, r, q, alpha, first, n)
            rz += along(word, r_word, r, abreast, z, n, first)
        turn(p, Mp, z, r, rz / old, n)
    down(G, bit, w[:m], b, n)
    up(bit, r_bit, b[:m], n)
    return count if rz <= goal else -1


@njit(error_model="numpy", nogil=True)
def responses(G, word, bit, r_word, r_bit, n, first, last, K, tolerance, most):
    """K[j, i] = the current out of bit line j for a unit input on word line i, first <= i < last; False where not."""
    rows, width, m = G.shape[0], G.shape[1], K.shape[1]
    V, w, b = np.zeros(m), np.zeros((rows, width)), np.zeros((m, width))
    for i in range(first, last):
        V[i] = 1.0
        if potentials(G, word, bit, r_word, r_bit, V, w, b, n, False, tolerance, most) < 0:
            return False
        V[i] = 0.0
        for j in range(n):
            K[j, i] = 0.0
        for k in range(m):
            for j in range(n):
                K[j, i] += G[k, j] * (w[k, j] - b[k, j])
    return True


@njit(error_model="numpy", nogil=True)
def kirchhoff(G, w, V, r_word, r, n):
    """r -= A_W w - (the source's current): what a guess w of one word line leaves over; wires of no resistance do."""
    if r_word == 0:
        return
    before = V
    for j in range(n):
        into = (before - w[j]) / r_word
        onward = (w[j] - w[j + 1]) / r_word if j + 1 < n else 0.0
        r[j] += into - onward - G[j] * w[j]
        before = w[j]
