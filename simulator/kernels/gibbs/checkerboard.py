"""A square lattice with one coupling and one field for all: 64 sites of a colour a word, rows end to end.

Bit b of word w of row y is the site of that colour at x = 2 (64 w + b) + (y + colour) % 2. A colour has its words in
rows -1 to L, of which the outer two are copies.

Example, eight sites of each colour, four a word: in an even row sites of colour 0 stand at x = 0, 2, 4, 6, those of
colour 1 at x = 1, 3, 5, 7. A site of colour 0 in it has neighbours in the same place of colour 1's words above, below
and beside it, and one to the left: of the word 1011 that is the word moved by one place, x101, x the last bit of
the word before it. So the four neighbours of all sites of a word are four words.
"""

# pyright: reportCallIssue=false, reportGeneralTypeIssues=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

import math

import numpy as np
from numba import njit

from thermoc.simulator.kernels.gibbs import multispin
from thermoc.simulator.kernels.gibbs.multispin import COUNTS, NONE, ONE, ROW, TERMS, WAITING, Waiting
from thermoc.simulator.kernels.gibbs.replicas import counter_of
from thermoc.simulator.kernels.operands import stopped
from thermoc.simulator.kernels.simd.lanes import LANES, choose, count_up, flags, levels, load, positive, spread

TOP = np.uint64(63)
SCRATCH = multispin.FACTS + COUNTS * ROW
PAIRS = (
    (np.uint64(0x5555555555555555), np.uint64(0)),
    (np.uint64(0x3333333333333333), np.uint64(1)),
    (np.uint64(0x0F0F0F0F0F0F0F0F), np.uint64(2)),
    (np.uint64(0x00FF00FF00FF00FF), np.uint64(4)),
    (np.uint64(0x0000FFFF0000FFFF), np.uint64(8)),
    (np.uint64(0x00000000FFFFFFFF), np.uint64(16)),
)


@njit(error_model="numpy", nogil=True)
def lattice(s, h, J, spins, draws, halt):
    """Pack the sites of sample ``draws.low``, sweep them, unpack. A site has levels -1 and +1 (spins), else 0 and 1."""
    L = round(math.sqrt(s.size))
    across, height = L // 128, L + 2 * LANES
    words, rows = np.empty((2, across * height), np.uint64), np.empty(SCRATCH, np.uint64)
    P, D = np.empty(TERMS, np.uint64), np.empty(TERMS * (multispin.DIGITS + 1), np.uint64)
    _pack(s, L, words)
    for sweep in range(draws.T.size):
        if stopped(halt):
            return
        for k in range(TERMS):
            P[k] = multispin.threshold(2 * (J * (2 * k - 4) + h) if spins else J * k + h, draws.T[sweep])
        multispin.polynomials(P, D)
        for colour in range(2):
            _around(words[1 - colour], L)
            waiting = Waiting(rows, words[colour], counter_of(draws, sweep))
            _update(waiting, words[1 - colour], L, colour, (2 * draws.low + colour) * across * L, D)
    _unpack(s, L, words, -1 if spins else 0)


@njit(error_model="numpy", nogil=True)
def _around(words, L):
    """Copy the outer rows to the opposite sides, so that no neighbour is looked for around the end."""
    height = L + 2 * LANES
    for start in range(LANES, words.size, height):
        words[start - 1], words[start + L] = words[start + L - 1], words[start]


@njit(error_model="numpy", nogil=True)
def _update(waiting, opposite, L, colour, first, D):
    """Update the sites of a colour, whose first word has the number ``first``."""
    across, height, m = L // 128, L + 2 * LANES, 0
    # rows whose other neighbour stands to the right, all ones: every second, and vectors begin at even rows
    right = spread(NONE) - ((count_up() + np.uint64(colour)) & ONE)
    for w in range(across):
        start, after, before = w * height + LANES, (w + 1) % across * height + LANES, (w - 1) % across * height + LANES
        for y in range(0, L, LANES):
            above, below = load(opposite, start + y - 1), load(opposite, start + y + 1)
            same = load(opposite, start + y)
            neighbours = choose(
                right,
                (same >> ONE) | (load(opposite, after + y) << TOP),
                (same << ONE) | (load(opposite, before + y) >> TOP),
            )
            count = multispin.four(above, below, same, neighbours)
            element = count_up() * np.uint64(across) + np.uint64(first + y * across + w)
            m = multispin.few(waiting, m, start + y, count, D, element)
            if m > WAITING - LANES:
                multispin.finish(multispin.few_more, (D,), COUNTS, waiting, m)
                m = 0
    multispin.finish(multispin.few_more, (D,), COUNTS, waiting, m)


@njit(error_model="numpy", nogil=True)
def _pack(s, L, words):
    across, height = L // 128, L + 2 * LANES
    for y in range(L):
        for w in range(across):
            even, odd = NONE, NONE
            for half in range(2):
                sites = NONE
                for b in range(0, 64, LANES):
                    sites |= flags(positive(s, y * L + 128 * w + 64 * half + b)) << np.uint64(b)
                even |= _every_other(sites) << np.uint64(32 * half)
                odd |= _every_other(sites >> ONE) << np.uint64(32 * half)
            at = w * height + LANES + y
            words[y & 1, at], words[1 - (y & 1), at] = even, odd


@njit(error_model="numpy", nogil=True)
def _unpack(s, L, words, low):
    across, height = L // 128, L + 2 * LANES
    low = s.dtype.type(low)
    for y in range(L):
        for w in range(across):
            at = w * height + LANES + y
            for half in range(2):
                even = _apart(words[y & 1, at] >> np.uint64(32 * half))
                sites = spread(even | (_apart(words[1 - (y & 1), at] >> np.uint64(32 * half)) << ONE))
                for b in range(0, 64, LANES):
                    levels(s, y * L + 128 * w + 64 * half + b, sites >> (count_up() + np.uint64(b)), low)


@njit(error_model="numpy", nogil=True)
def _every_other(x):
    """Return bits 0, 2, 4, ... side by side."""
    x &= PAIRS[0][0]
    # five steps that double the width, in the place of a loop over 32 bits
    for mask, step in PAIRS[1:]:
        x = (x | (x >> step)) & mask
    return x


@njit(error_model="numpy", nogil=True)
def _apart(x):
    """Return the first 32 bits as bits 0, 2, 4, ..."""
    x &= PAIRS[5][0]
    for k in range(5, 0, -1):
        x = (x | (x << PAIRS[k][1])) & PAIRS[k - 1][0]
    return x
