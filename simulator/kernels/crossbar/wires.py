"""Potentials of a crossbar with wire resistance: conjugate gradients, preconditioned by the wires of both kinds.

Word line i runs from its source through a wire resistance to each of its n cells; bit line j from its first cell
through one after each of its m cells to ground. With A_W and A_B the matrices of the lines, W x = A_W^-1 G x and
U x = A_B^-1 G x, the potentials of the bit lines solve b = U (w0 + W b), w0 those of the word lines where all bit
lines are at 0 V: the word lines' Schur complement S = A_W - G U, preconditioned by A_W, in terms of b. What is
missing is stored as x = U w - b, a residual G x of the word lines.

A line is solved as the ladder it is, from its far end: Y_j = G_j + Y_{j+1} / (1 + r Y_{j+1}) is what the source end
sees from cell j on, and c_j = 1 / (1 + r Y_j) what it leaves of a potential. Nothing is subtracted, so r may be
0. With F what currents f have gathered at each cell on their way, f A^-1 f is the sum of r c F^2, known before
the way back.
Rows are padded to ``leading`` elements, so that those of neighbouring rows do not fall on the same lines of the cache.
"""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from thermoc.simulator.kernels.crossbar.columns import gather_row, lift_row, onward_row, step_row
from thermoc.simulator.kernels.crossbar.word_lines import gather, spread
from thermoc.simulator.kernels.simd.vectors import LANES

SCRATCH = 3
"""Arrays of the size of G that a solution works in."""


def leading(n: int) -> int:
    """Return the padded length of a row of n elements."""
    return -(-n // LANES) * LANES + LANES


@njit(error_model="numpy", nogil=True, fastmath={"reassoc", "contract"})
def ladders(G, r_word, r_bit, m, n, word, bit, taken):
    """word, bit = c of the word lines (groups, padded n, lanes) and of the bit lines (padded m, n), zero before.

    taken (padded m) = the power of the cells of each word line at one volt without bit lines.
    """
    flow, Y = np.zeros(LANES), np.zeros(n)
    for i in range(0, m, LANES):
        flow[:] = 0
        # eight lines at a time: each is a recurrence from its far end, which no vector along it could follow
        for j in range(n - 1, -1, -1):
            for k in range(LANES):
                Y_word = G[i + k, j] + flow[k]
                word[i // LANES, j, k] = 1 / (1 + r_word * Y_word)
                flow[k] = Y_word * word[i // LANES, j, k]
    for i in range(m):
        potential = 1.0
        for j in range(n):
            potential *= word[i // LANES, j, i % LANES]
            taken[i] += potential * potential * G[i, j]
        for j in range(n):
            Y[j] += G[i, j]
            bit[i, j] = 1 / (1 + r_bit * Y[j])
            Y[j] *= bit[i, j]


class Wires(NamedTuple):
    """Cells G and the ladders of their lines (``ladders``); ohms of a wire; m, and n as a whole number of LANES."""

    G: Any
    word: Any
    bit: Any
    r_word: float
    r_bit: float
    m: int
    n: int


@njit(error_model="numpy", nogil=True)
def bits(wires, w, b, less, F, u):
    """b = U w - less b; F may be w, which is then lost."""
    width, tiles = wires.G.shape[1], wires.n // LANES
    u[:] = 0
    for i in range(wires.m):
        gather_row(wires.G, w, wires.bit, F, u, i * width, tiles)
    u[:] = 0
    for i in range(wires.m - 1, -1, -1):
        lift_row(wires.bit, wires.r_bit, F, u, b, less, i * width, tiles)


@njit(error_model="numpy", nogil=True)
def onward(wires, x, z, beta, p, q, F, u):
    """p = z + beta p, q = x + beta q; F = currents of G p, gathered towards ground; return p G q, sum of F^2 bit."""
    squares, passed = 0.0, 0.0
    u[:] = 0
    width, tiles = wires.G.shape[1], wires.n // LANES
    for i in range(wires.m):
        square, flow = onward_row(x, z, beta, p, q, wires.G, wires.bit, F, u, i * width, tiles)
        squares += square
        passed += flow
    return squares, passed


@njit(error_model="numpy", nogil=True)
def solved(wires, x, V, z, first, carried):
    """z = the potentials of LANES word lines from ``first`` on of sources V, bit lines at x; return x G W x."""
    width, tiles = wires.G.shape[1], wires.n // LANES
    total = gather(wires.G, x, first * width, width, wires.word, first * width, tiles, carried)
    spread(z, first * width, width, wires.word, first * width, tiles, carried, wires.r_word, V, first)
    return wires.r_word * total


@njit(error_model="numpy", nogil=True)
def potentials(G, word, bit, taken, r_word, r_bit, V, w, b, sizes, tolerance, most, scratch):
    """Solve for one input V (padded m), b a guess of the bit lines: word potentials w, bit potentials b (padded m, n).

    Return the iterations, -1 where there were too many. sizes: m, n as a whole number of LANES. scratch: ``SCRATCH``
    arrays of the size of G, of whatever was in them. b is zero where G is padded.
    """
    wires = Wires(G, word, bit, r_word, r_bit, sizes[0], sizes[1])
    m, (rows, width), tiles = wires.m, G.shape, wires.n // LANES
    x, p, q = scratch[0], scratch[1], scratch[2]
    z, F = w, w  # on the way down F takes the place of z row by row, on the way up z that of F
    # beta starts at 0, but 0 times a NaN that the scratch memory holds is NaN
    x[m:], p[:], q[:] = 0, 0, 0
    u, carried, none = np.zeros(width), np.empty((width, LANES)), np.zeros(rows)
    goal, residual, beta, count = 0.0, 0.0, 0.0, 0
    for i in range(m):
        # the residual x G W x is a power, and so is measured by that of the cells: volts and siemens cancel
        goal += tolerance * tolerance * taken[i] * V[i] * V[i]
        x[i] = b[i]
    # the residual of the guess: that of a warm start is small already
    for first in range(0, rows, LANES):
        solved(wires, b, V, w, first, carried)
    bits(wires, w, x, 1.0, F, u)
    for first in range(0, rows, LANES):
        residual += solved(wires, x, none, z, first, carried)
    while residual > goal and count < most:
        count += 1
        squares, passed = onward(wires, x, z, beta, p, q, F, u)
        # the wires of the bit lines take r F^2 of what the cells give: known without another pass
        alpha, old, residual = residual / (squares - r_bit * passed), residual, 0.0
        u[:] = 0
        for first in range(rows - LANES, -1, -LANES):
            for i in range(min(first + LANES, m) - 1, first - 1, -1):
                step_row(bit, r_bit, F, u, q, alpha, x, b, i * width, tiles)
            residual += solved(wires, x, none, z, first, carried)
        beta = residual / old
    for first in range(0, rows, LANES):
        solved(wires, b, V, w, first, carried)
    bits(wires, w, b, 0.0, p, u)
    return count if residual <= goal else -1


@njit(error_model="numpy", nogil=True)
def responses(G, word, bit, taken, r_word, r_bit, sizes, first, last, K, tolerance, most, scratch):
    """K[j, i] = the current out of bit line j for a unit input on word line i, first <= i < last; False where not."""
    m, _ = sizes
    n = K.shape[0]
    V, w, b = np.zeros(G.shape[0]), np.zeros_like(G), np.zeros_like(G)
    for i in range(first, last):
        V[i] = 1.0
        # each from zero: begun from its neighbour's, a response would depend on where the range starts
        b[:] = 0
        if potentials(G, word, bit, taken, r_word, r_bit, V, w, b, sizes, tolerance, most, scratch) < 0:
            return False
        V[i] = 0.0
        for j in range(n):
            K[j, i] = 0.0
        for k in range(m):
            for j in range(n):
                K[j, i] += G[k, j] * (w[k, j] - b[k, j])
    return True
