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
from thermoc.simulator.kernels.gibbs.multispin import BLOCK, NONE, ONE
from thermoc.simulator.kernels.gibbs.replicas import counter_of
from thermoc.simulator.kernels.operands import stopped
from thermoc.simulator.kernels.simd.lanes import LANES, count_up, flags, levels, load, positive, spread, store

TOP = np.uint64(63)
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
    across = L // 128
    half = L * across
    words, right = np.empty((2, half + 2 * across), np.uint64), np.empty(half, np.uint64)
    scratch, beside = np.empty(multispin.SCRATCH, np.uint64), np.empty(BLOCK, np.uint64)
    P, D = np.empty(multispin.TERMS, np.uint64), np.empty(multispin.TERMS * (multispin.DIGITS + 1), np.uint64)
    _pack(s, L, words)
    # which rows have their other neighbour to the right is the same in every sweep
    for y in range(L):
        for w in range(across):
            right[y * across + w] = NONE - np.uint64(y & 1)
    for sweep in range(draws.T.size):
        if stopped(halt):
            return
        for k in range(multispin.TERMS):
            P[k] = multispin.threshold(2 * (J * (2 * k - 4) + h) if spins else J * k + h, draws.T[sweep])
        multispin.polynomials(P, D)
        counter = counter_of(draws, sweep)
        for colour in range(2):
            mine, opposite, first = words[colour], words[1 - colour], (2 * draws.low + colour) * half
            # a block at a time, so that what the undecided units need is still in the cache when they go on
            for start in range(0, half, BLOCK):
                size = min(BLOCK, half - start)
                _beside(beside, opposite, start, size, across, colour, right)
                for j in range(0, size, LANES):
                    at = across + start + j
                    above, below = load(opposite, at - across), load(opposite, at + across)
                    count = multispin.four(above, below, load(opposite, at), load(beside, j))
                    element = count_up() + np.uint64(first + start + j)
                    multispin.few(scratch, j, mine, at, count, D, element, counter)
                multispin.finish(multispin.few_more, (D,), 4, scratch, size, mine, counter)
            # the outer rows are copies of the opposite ones, so that no neighbour is looked for around the end
            for w in range(across):
                mine[w], mine[across + half + w] = mine[half + w], mine[across + w]
    _unpack(s, L, words, -1 if spins else 0)


@njit(error_model="numpy", nogil=True)
def _beside(beside, opposite, start, size, across, colour, right):
    """Set the neighbours to the right where y + colour is odd, to the left elsewhere; one has the word's own place."""
    at, flip = across + start, NONE - np.uint64(colour)
    for j in range(0, size, LANES):
        word, mask = load(opposite, at + j), load(right, start + j) ^ flip
        # the outer words of a row take a bit of another row here; the loop below puts them right
        after = (word >> ONE) | (load(opposite, at + j + 1) << TOP)
        before = (word << ONE) | (load(opposite, at + j - 1) >> TOP)
        store(beside, j, (after & mask) | (before & ~mask))
    for row in range(start // across, (start + size - 1) // across + 1):
        begin = (row + 1) * across
        last = begin + across - 1
        if (row + colour) % 2:
            if last - at < size:
                beside[last - at] = (opposite[last] >> ONE) | (opposite[begin] << TOP)
        elif begin >= at:
            beside[begin - at] = (opposite[begin] << ONE) | (opposite[last] >> TOP)


@njit(error_model="numpy", nogil=True)
def _pack(s, L, words):
    across = L // 128
    for y in range(L):
        for w in range(across):
            even, odd = NONE, NONE
            for half in range(2):
                sites = NONE
                for b in range(0, 64, LANES):
                    sites |= flags(positive(s, y * L + 128 * w + 64 * half + b)) << np.uint64(b)
                even |= _every_other(sites) << np.uint64(32 * half)
                odd |= _every_other(sites >> ONE) << np.uint64(32 * half)
            at = (y + 1) * across + w
            words[y & 1, at], words[1 - (y & 1), at] = even, odd
    for c in range(2):
        for w in range(across):
            words[c, w], words[c, (L + 1) * across + w] = words[c, L * across + w], words[c, across + w]


@njit(error_model="numpy", nogil=True)
def _unpack(s, L, words, low):
    across = L // 128
    low = s.dtype.type(low)
    for y in range(L):
        for w in range(across):
            at = (y + 1) * across + w
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
