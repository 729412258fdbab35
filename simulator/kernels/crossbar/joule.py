"""Joule heat of a crossbar's cells and wires, from the potentials, in one go over them."""

from __future__ import annotations

from numba import njit
from numpy import empty, zeros


@njit(error_model="numpy", nogil=True, fastmath={"contract"})
def heats(G, word, bit, r_word, r_bit, cells, along, down):
    """Watts in the cells, in the wires before them along the word lines, in those after them down the bit lines (m, n).

    A wire's current is the sum of those of the cells it feeds or drains.
    """
    m, n = G.shape
    drained, current = zeros(n), empty(n)
    for i in range(m):
        # one loop for each few arrays, so that LLVM can check that none overlaps another; the last is a recurrence
        for j in range(n):
            current[j] = G[i, j] * (word[i, j] - bit[i, j])
        for j in range(n):
            cells[i, j] = current[j] * (word[i, j] - bit[i, j])
        for j in range(n):
            drained[j] += current[j]
            down[i, j] = r_bit * drained[j] * drained[j]
        fed = 0.0
        for j in range(n - 1, -1, -1):
            fed += current[j]
            along[i, j] = r_word * fed * fed
