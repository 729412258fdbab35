"""Any graph whose couplings and fields are whole multiples of one number: 64 samples of a unit share a word.

With couplings q w, w whole, the field of a spin is q (2 k - W + m): k the sum of |w| over the neighbours that agree
with the sign of w, W the sum of all |w|, q m the unit's own field. That of a bit is q (k - N + m), N the sum of all
|w| of negative w. Sums start from what makes equal fields equal sums: units whose W + m are even share thresholds, and
those whose are odd.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from thermoc.simulator.kernels import fields, multispin
from thermoc.simulator.kernels.lanes import LANES, count_up, levels, load, positive, spread, store
from thermoc.simulator.kernels.multispin import BLOCK, NONE, ONE, TERMS
from thermoc.simulator.kernels.thermal import HALF, LOW

MOST_SUMS, SUMS_A_SAMPLE = 4096, 128
"""Sums are worth their binary digits up to so many, and so many for each sample."""


@njit(error_model="numpy", nogil=True)
def unit(numbers, start, stop, q):
    """Return the largest number of which q and all of these are whole multiples; 0 stands for none so far.

    A number that is tiny beside them means that there is no such number of use.
    """
    for e in range(start, stop):
        rest = abs(numbers[e])
        if q > 0 and rest == q * math.floor(rest / q + 0.5):
            continue
        while rest > q * 1e-9:
            q, rest = rest, math.fmod(q, rest)
    return q


@njit(error_model="numpy", nogil=True)
def plan(s, samples, h, ho, own, n, J, first, table, rows, spins):
    """Return q, and for each unit the largest sum, its first sum, and (with spins) whether W + m is odd.

    q is 0 where there is none, or where sums are too many. last: the largest sum of even and of odd units.
    """
    begin, bits = np.zeros(n, np.int64), np.zeros(n, np.int64)
    last = np.zeros(2, np.int64)
    entries = table[rows + n]
    q = unit(J, first, first + entries, 0.0)
    if own:
        q = unit(h, ho, ho + n, q)
    if q == 0:
        q = 1.0
    most = min(MOST_SUMS, SUMS_A_SAMPLE * samples)
    return q, begin, bits, last, most
