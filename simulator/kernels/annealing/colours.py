"""Greedy colouring, compiled: with many couplings a loop in Python takes longer than short annealing."""

from __future__ import annotations

import numpy as np
from numba import njit

from thermoc.simulator.cache import keep


@njit(error_model="numpy", nogil=True)
def least_free_colours(order, offsets, columns):
    """Return colours (n,) that are given to units in an order, each the least that no neighbour has.

    Neighbours of unit i, in both directions, are columns[offsets[i] : offsets[i + 1]].
    """
    colors = np.full(order.size, -1, np.int64)
    # the unit that last found a colour taken; no unit sees more colours than there are units
    seen = np.full(order.size + 1, -1, np.int64)
    for i in order:
        for j in columns[offsets[i] : offsets[i + 1]]:
            if colors[j] >= 0:
                seen[colors[j]] = i
        color = 0
        while seen[color] == i:
            color += 1
        colors[i] = color
    return colors


keep(least_free_colours, "the colouring of couplings", 1.0)
