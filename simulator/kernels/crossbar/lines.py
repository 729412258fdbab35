"""One line of a crossbar with wire resistance at a time: the steps of ``wires``, as a thread of a GPU takes them.

Arrays are flat: cells (m, n) row by row, ``word`` and ``bit`` the shares of ``wires.ladders`` in the same order.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from numba import njit

from thermoc.simulator.kernels.scalar.primitives import fma


class LineCells(NamedTuple):
    """LineCells G and the shares of their lines, (m n,) each; ohms of a wire; m and n."""

    G: Any
    word: Any
    bit: Any
    r_word: float
    r_bit: float
    m: int
    n: int


@njit(error_model="numpy", nogil=True)
def solve_word_line(cells, i, V, x, z):
    """z = the potentials of word line i behind a source of V volts, bit lines at x; return its part of x G W x."""
    first, carry, beyond, total = i * cells.n, 0.0, 0.0, 0.0
    for j in range(cells.n - 1, -1, -1):
        at = first + j
        carry = fma(beyond, carry, cells.G[at] * x[at])
        beyond = cells.word[at]
        total = fma(carry * carry, beyond, total)
        z[at] = carry
    potential = V
    for j in range(cells.n):
        at = first + j
        share = cells.word[at]
        potential = fma(share, potential, share * cells.r_word * z[at])
        z[at] = potential
    return cells.r_word * total


@njit(error_model="numpy", nogil=True)
def solve_bit_line(cells, j, w, less, F, b):
    """b = U w - less b of bit line j; F: what currents gather on their way to ground."""
    u, n = 0.0, cells.n
    for i in range(cells.m):
        at = i * n + j
        F[at] = fma(cells.G[at], w[at], u)
        u = F[at] * cells.bit[at]
    u = 0.0
    for i in range(cells.m - 1, -1, -1):
        at = i * n + j
        u = cells.bit[at] * fma(cells.r_bit, F[at], u)
        b[at] = fma(-less, b[at], u)


@njit(error_model="numpy", nogil=True)
def search(cells, j, x, z, beta, p, q, F):
    """p = z + beta p, q = x + beta q of bit line j, F the currents of G p; return its p G q and sum of F^2 bit."""
    u, squares, passed, n = 0.0, 0.0, 0.0, cells.n
    for i in range(cells.m):
        at = i * n + j
        p[at] = fma(beta, p[at], z[at])
        q[at] = fma(beta, q[at], x[at])
        current = cells.G[at] * p[at]
        F[at] = current + u
        u = F[at] * cells.bit[at]
        squares = fma(current, q[at], squares)
        passed = fma(F[at], u, passed)
    return squares, passed


@njit(error_model="numpy", nogil=True)
def move(cells, j, alpha, F, q, x, b):
    """x -= alpha (q - U p), b += alpha q of bit line j, U p being the potentials that F makes."""
    u, n = 0.0, cells.n
    for i in range(cells.m - 1, -1, -1):
        at = i * n + j
        u = cells.bit[at] * fma(cells.r_bit, F[at], u)
        x[at] = fma(alpha, u - q[at], x[at])
        b[at] = fma(alpha, q[at], b[at])
