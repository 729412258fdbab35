"""Potentials of a crossbar with wire resistance: conjugate gradients, preconditioned by the wires of both kinds.

Word line i runs from its source through a wire resistance to each of its n cells; bit line j from its first cell
through one after each of its m cells to ground. With A_W and A_B the matrices of the lines, W x = A_W^-1 G x and
U x = A_B^-1 G x, the potentials of the bit lines solve b = U (w0 + W b), w0 those of the word lines where all bit
lines are at nought: the word lines' Schur complement S = A_W - G U, preconditioned by A_W, in terms of b. What is
missing is kept as x = U w - b, a residual G x of the word lines.

A line is solved as the ladder it is, from its far end: Y_j = G_j + Y_{j+1} / (1 + r Y_{j+1}) is what the source end
sees from cell j on, and c_j = 1 / (1 + r Y_j) what it leaves of a potential. Nothing is subtracted, so r may be
nought. With F what currents f have gathered at each cell on their way, f A^-1 f is the sum of r c F^2, known before
the way back.
Rows are padded to ``leading`` elements, so that those of neighbouring rows do not fall on the same lines of the cache.
"""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

import numpy as np
from numba import njit

from thermoc.simulator.kernels.crossbar.columns import gather_row, lift_row, onward_row, step_row
from thermoc.simulator.kernels.crossbar.word_lines import gather, spread
from thermoc.simulator.kernels.simd.vectors import LANES

ROOM = 3
"""Arrays of the size of G that a solution works in."""


def leading(n: int) -> int:
    """Return the padded length of a row of n elements."""
    return -(-n // LANES) * LANES + LANES


@njit(error_model="numpy", nogil=True, fastmath={"reassoc", "contract"})
def ladders(G, r_word, r_bit, m, n, word, bit, taken):
    """word, bit = c of the word lines (groups, padded n, lanes) and of the bit lines (padded m, n), nought before.

    taken (padded m) = the power of the cells of each word line at one volt without bit lines.
    """
    flow, Y = np.zeros(LANES), np.zeros(n)
    for i in range(0, m, LANES):
        flow[:] = 0
        for j in range(n - 1, -1, -1):
            for k in range(LANES):
                seen = G[i + k, j] + flow[k]
                word[i // LANES, j, k] = 1 / (1 + r_word * seen)
                flow[k] = seen * word[i // LANES, j, k]
    for i in range(m):
        potential = 1.0
        for j in range(n):
            potential *= word[i // LANES, j, i % LANES]
            taken[i] += potential * potential * G[i, j]
        for j in range(n):
            Y[j] += G[i, j]
            bit[i, j] = 1 / (1 + r_bit * Y[j])
            Y[j] *= bit[i, j]


@njit(error_model="numpy", nogil=True)
def bits(G, bit, r_bit, w, b, less, F, u, m, n):
    """b = U w - less b; F may be w, which is then lost."""
    width, tiles = G.shape[1], n // LANES
    u[:] = 0
    for i in range(m):
        gather_row(G, w, bit, F, u, i * width, tiles)
    u[:] = 0
    for i in range(m - 1, -1, -1):
        lift_row(bit, r_bit, F, u, b, less, i * width, tiles)


@njit(error_model="numpy", nogil=True)
def onward(x, z, beta, p, q, G, bit, F, u, m, n):
    """p = z + beta p, q = x + beta q; F = currents of G p, gathered towards ground; return p G q, sum of F^2 bit."""
    squares, passed = 0.0, 0.0
    u[:] = 0
    for i in range(m):
        found = onward_row(x, z, beta, p, q, G, bit, F, u, i * G.shape[1], n // LANES)
        squares += found[0]
        passed += found[1]
    return squares, passed


@njit(error_model="numpy", nogil=True)
def solved(G, word, r_word, x, V, z, first, carried, n):
    """z = the potentials of LANES word lines from ``first`` on of sources V, bit lines at x; return x G W x."""
    width, tiles = G.shape[1], n // LANES
    total = gather(G, x, first * width, width, word, first * width, tiles, carried)
    spread(z, first * width, width, word, first * width, tiles, carried, r_word, V, first)
    return r_word * total


@njit(error_model="numpy", nogil=True)
def potentials(G, word, bit, taken, r_word, r_bit, V, w, b, sizes, tolerance, most, room):
    """Solve for one input V (padded m), b a guess of the bit lines: word potentials w, bit potentials b (padded m, n).

    Return the iterations, -1 where there were too many. sizes: m, n as a whole number of LANES. room: ``ROOM`` arrays
    of the size of G, of whatever was in them. b is nought where G is padded.
    """
    m, n = sizes
    rows, width = G.shape
    x, p, q = room[0], room[1], room[2]
    z, F = w, w  # on the way down F takes the place of z row by row, on the way up z that of F
    x[m:], p[:], q[:] = 0, 0, 0
    u, carried, none = np.zeros(width), np.empty((width, LANES)), np.zeros(rows)
    goal, left, beta, count = 0.0, 0.0, 0.0, 0
    for i in range(m):
        goal += tolerance * tolerance * taken[i] * V[i] * V[i]
        x[i] = b[i]
    for first in range(0, rows, LANES):
        solved(G, word, r_word, b, V, w, first, carried, n)
    bits(G, bit, r_bit, w, x, 1.0, F, u, m, n)
    for first in range(0, rows, LANES):
        left += solved(G, word, r_word, x, none, z, first, carried, n)
    while left > goal and count < most:
        count += 1
        squares, passed = onward(x, z, beta, p, q, G, bit, F, u, m, n)
        alpha, old, left = left / (squares - r_bit * passed), left, 0.0
        u[:] = 0
        for first in range(rows - LANES, -1, -LANES):
            for i in range(min(first + LANES, m) - 1, first - 1, -1):
                step_row(bit, r_bit, F, u, q, alpha, x, b, i * width, n // LANES)
            left += solved(G, word, r_word, x, none, z, first, carried, n)
        beta = left / old
    for first in range(0, rows, LANES):
        solved(G, word, r_word, b, V, w, first, carried, n)
    bits(G, bit, r_bit, w, b, 0.0, p, u, m, n)
    return count if left <= goal else -1


@njit(error_model="numpy", nogil=True)
def responses(G, word, bit, taken, r_word, r_bit, sizes, first, last, K, tolerance, most, room):
    """K[j, i] = the current out of bit line j for a unit input on word line i, first <= i < last; False where not."""
    m, _ = sizes
    n = K.shape[0]
    V, w, b = np.zeros(G.shape[0]), np.zeros_like(G), np.zeros_like(G)
    for i in range(first, last):
        V[i] = 1.0
        b[:] = 0
        if potentials(G, word, bit, taken, r_word, r_bit, V, w, b, sizes, tolerance, most, room) < 0:
            return False
        V[i] = 0.0
        for j in range(n):
            K[j, i] = 0.0
        for k in range(m):
            for j in range(n):
                K[j, i] += G[k, j] * (w[k, j] - b[k, j])
    return True
