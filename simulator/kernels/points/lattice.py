"""A square lattice with one coupling and one field for all: a point a word of 64 sites of a colour, rows end to end.

Bit b of word w of row y is the site of that colour at x = 2 (64 w + b) + (y + colour) % 2: the words of
``gibbs.checkerboard``. Phases: thresholds are worked out and levels packed; then the colours, sweep by sweep; then
levels are unpacked.
"""

from __future__ import annotations

import math

import numpy as np

from thermoc.simulator.instructions.gibbs import SPINS
from thermoc.simulator.kernels.gibbs import multispin
from thermoc.simulator.kernels.gibbs.multispin import DIGITS, DRAWS, NONE, ONE, TERMS
from thermoc.simulator.kernels.points.philox import joined, philox
from thermoc.simulator.kernels.scalar.formats import scalar

SITES = 128
"""Of a row, in a word of each colour."""
ALL, TOP = np.uint64(2**64 - 1), np.uint64(63)


@scalar
def lattice(r, x, y, z, parameters, constants, position, words, phase, i):
    """A word's part in a phase. words: two colours' words, then thresholds of the sweeps."""
    _, _, sweeps, form, stream, couplings = parameters
    half = r.size // SITES
    if phase == 0:
        for k in range(i, TERMS * sweeps, half):
            T = z[0 if z.size == 1 else k // TERMS]
            words[2 * half + k] = _threshold(k % TERMS, constants[couplings], y[0], T, form)
        _pack(x, words, half, i)
    elif phase > 2 * sweeps:
        _unpack(r, words, half, -1 if form & SPINS else 0, i)
    else:
        sweep, colour = (phase - 1) // 2, (phase - 1) % 2
        across = round(math.sqrt(r.size)) // SITES
        counts = _neighbours(words[(1 - colour) * half : (2 - colour) * half], across, colour, i)
        P = words[2 * half + TERMS * sweep : 2 * half + TERMS * (sweep + 1)]
        element = (2 * position.sample + colour) * half + i
        tick = position.tick * sweeps + sweep
        words[colour * half + i] = np.int64(_updated(counts, P, element, tick, stream, position.key))


@scalar
def _threshold(k, J, h, T, form):
    """P of a site with k neighbours up."""
    J, h = float(J), float(h)
    return np.int64(multispin.threshold(2 * (J * (2 * k - 4) + h) if form & SPINS else J * k + h, float(T)))


@scalar
def _neighbours(opposite, across, colour, i):
    """How many of each site's four neighbours are up, a + 2 b + 4 c: the words a, b and c."""
    y, w, size = i // across, i % across, opposite.size
    above, below = i - across if y > 0 else i - across + size, i + across if i + across < size else i + across - size
    same = np.uint64(opposite[i])
    if (y + colour) % 2:
        near = np.uint64(opposite[i + 1 if w + 1 < across else i + 1 - across])
        shifted = (same >> ONE) | (near << TOP)
    else:
        near = np.uint64(opposite[i - 1 if w > 0 else i - 1 + across])
        shifted = (same << ONE) | (near >> TOP)
    up, down = np.uint64(opposite[above]), np.uint64(opposite[below])
    odd, other, both, others = up ^ down, same ^ shifted, up & down, same & shifted
    return odd ^ other, (odd & other) ^ both ^ others, both & others


@scalar
def _updated(counts, P, element, tick, stream, key):
    """The sites that go up, digit by digit until all are decided."""
    P0, P1, P2, P3, P4 = np.uint64(P[0]), np.uint64(P[1]), np.uint64(P[2]), np.uint64(P[3]), np.uint64(P[4])
    up, undecided, draw = NONE, ALL, 0
    while undecided != NONE and draw < DRAWS:
        w0, w1, w2, w3 = philox(element, tick, draw, stream, key)
        mine = _digit(counts, P0, P1, P2, P3, P4, 2 * draw)
        up, undecided = _compare(up, undecided, mine, joined(w0, w1))
        mine = _digit(counts, P0, P1, P2, P3, P4, 2 * draw + 1)
        up, undecided = _compare(up, undecided, mine, joined(w2, w3))
        draw += 1
    return (up & ~undecided) | (undecided & _digit(counts, P0, P1, P2, P3, P4, DIGITS))


@scalar
def _compare(up, undecided, mine, drawn):
    """Go on by one digit: undecided sites may go up where theirs is 1, and are decided where it differs."""
    return (up & ~undecided) | (mine & undecided), undecided & ~(mine ^ drawn)


@scalar
def _digit(counts, P0, P1, P2, P3, P4, r):
    """Digit r of the sites' P, a polynomial modulo 2 in the digits of their counts (``multispin``)."""
    a, b, c = counts
    d0, d1 = NONE - multispin.digit(P0, r), NONE - multispin.digit(P1, r)
    d2, d3, d4 = NONE - multispin.digit(P2, r), NONE - multispin.digit(P3, r), NONE - multispin.digit(P4, r)
    return d0 ^ ((d0 ^ d1) & a) ^ ((d0 ^ d2) & b) ^ ((d0 ^ d1 ^ d2 ^ d3) & a & b) ^ ((d0 ^ d4) & c)


@scalar
def _pack(x, words, half, i):
    """Set a word of each colour."""
    across = round(math.sqrt(x.size)) // SITES
    even, odd = NONE, NONE
    for b in range(64):
        even |= np.uint64(x[SITES * i + 2 * b] > 0) << np.uint64(b)
        odd |= np.uint64(x[SITES * i + 2 * b + 1] > 0) << np.uint64(b)
    # in even rows sites of colour 0 come first
    colour = i // across % 2
    words[colour * half + i], words[(1 - colour) * half + i] = np.int64(even), np.int64(odd)


@scalar
def _unpack(r, words, half, low, i):
    """Set the levels of a word of each colour."""
    colour = i // (round(math.sqrt(r.size)) // SITES) % 2
    even, odd = np.uint64(words[colour * half + i]), np.uint64(words[(1 - colour) * half + i])
    for b in range(64):
        r[SITES * i + 2 * b] = 1 if (even >> np.uint64(b)) & ONE else low
        r[SITES * i + 2 * b + 1] = 1 if (odd >> np.uint64(b)) & ONE else low
