"""Heat-bath updates of 64 binary units a word: the comparison with a uniform is done digit by digit, for all at once.

A unit goes up where U < P, U a number of 52 binary digits and P = ceil(2^52 / (1 + e^(-drive / T))) (P6). Digit r of
64 units is one word: round r of word W is half of the Philox block at (W, tick, r // 2, stream), the first two words
for even r. After r rounds one unit in 2^r is undecided: all words draw eight digits, then those go on that must.

Units with equally many neighbours up share P. Where these are four at most, digit r of the units' P is a polynomial
modulo 2 in their counts' digits a, b, c: d0 + d1 a + d2 b + d3 a b + d4 c.

Example, eight units and two digits: P of the units is 3, 1, 2, 0, 3, 1, 2, 2 of 4, U is 1, 1, 2, 3, 3, 0, 0, 1. Unit by
unit from the left, the high digits of P are the word 10101011, those of U 00111000. Where they differ, the unit is
decided, and goes up where its own is 1: 10000011 up, 01101100 left. The low digits, P 11001100 and U 11011001, decide
the sixth of those left (00000100 up); the others of them have U = P, and so are not up: 10000111.
"""

# pyright: reportCallIssue=false, reportGeneralTypeIssues=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from thermoc.simulator.kernels import scalar
from thermoc.simulator.kernels.simd.lanes import LANES, blocks, count_up, first_bit, flags, load, spread, store
from thermoc.simulator.kernels.thermal import HALF, LOW, philox

BLOCK = 512
"""Words updated together, before those go on that have a unit undecided; what they need fits the first two caches."""
SHARED = 4
"""Draws (of two digits) for all words; after eight digits one word in four has a unit undecided."""
DIGITS, DRAWS = 52, 26
TERMS = 5
"""Coefficients of a digit's polynomial."""
ONE, NONE, ALL = np.uint64(1), np.uint64(0), np.uint64(2**64 - 1)
CERTAIN = np.uint64(2**DIGITS)
"""P of a unit that goes up whatever U is."""

UP, SOME, LEFT, ELEMENT, PLACE, FACTS = (row * BLOCK for row in range(6))
"""Rows of the scratch memory: units decided up, which words have a unit undecided, units undecided, the numbers of the
words, their places, and from FACTS on what their units' P follow from."""
X1, X2, X3, X4 = (FACTS + row * BLOCK for row in range(4))
SCRATCH = FACTS + 4 * BLOCK


class Counter(NamedTuple):
    """What the Philox blocks of a sweep have in common: the words of the counter but the first and third, the key."""

    tick: Any
    stream: Any
    k0: Any
    k1: Any


four_blocks, two_blocks = blocks(4), blocks(2)


@njit(error_model="numpy", nogil=True)
def threshold(drive, T):
    """Return ceil(2^52 / (1 + e^(-drive / T)))."""
    # of the two ways to write it, the one whose exponential cannot overflow
    exponential = scalar.exp(-abs(drive) / T)
    p = 1 / (1 + exponential) if drive >= 0 else exponential / (1 + exponential)
    # by way of a signed integer: before AVX-512, x86 has no conversion to an unsigned one
    return np.uint64(np.int64(scalar.ceil(p * 2.0**DIGITS)))


@njit(forceinline=True)
def digit(P, r):
    """Return digit r of P; the 53rd tells whether U < P for certain, the others are then ones."""
    if P >= CERTAIN:
        return ONE
    return (P >> np.uint64(DIGITS - 1 - r)) & ONE if r < DIGITS else NONE


@njit(error_model="numpy", nogil=True)
def polynomials(P, D):
    """Set five words a digit, all ones or none: the coefficients of the digit of five P."""
    # Moebius inversion modulo 2: the digits of five P fix five coefficients, whatever the couplings are;
    # 0 - 1 wraps around to all ones, so that a coefficient is a mask for 64 units
    for r in range(DIGITS + 1):
        d0, d1, d2 = digit(P[0], r), digit(P[1], r), digit(P[2], r)
        at = TERMS * r
        D[at], D[at + 1], D[at + 2] = NONE - d0, NONE - (d0 ^ d1), NONE - (d0 ^ d2)
        D[at + 3], D[at + 4] = NONE - (d0 ^ d1 ^ d2 ^ digit(P[3], r)), NONE - (d0 ^ digit(P[4], r))


@njit(forceinline=True)
def four(x, y, z, t):
    """Return the number of four digits that are 1, a + 2 b + 4 c, as a, b, a b, c."""
    odd, pair, drawn_digit, advance = x ^ y, x & y, z ^ t, z & t
    a, b = odd ^ drawn_digit, pair ^ advance ^ (odd & drawn_digit)
    return a, b, a & b, pair & advance


@njit(forceinline=True)
def compare(up, undecided, mine, drawn):
    """Go on by one digit: undecided units may go up where theirs is 1, and are decided where it differs."""
    return (undecided & mine) | (~undecided & up), undecided & ~(mine ^ drawn)


@njit(forceinline=True)
def _term(D, at, count):
    """Return a digit of the units' P."""
    a, b, ab, c = count
    return D[at] ^ (D[at + 1] & a) ^ (D[at + 2] & b) ^ (D[at + 3] & ab) ^ (D[at + 4] & c)


@njit(forceinline=True)
def _go_on(up, undecided, count, D, first, drawn):
    """Go on by the digits drawn, of which the first is digit ``first``."""
    for k in range(len(drawn)):
        up, undecided = compare(up, undecided, _term(D, TERMS * (first + k), count), drawn[k])
    return up, undecided


@njit(forceinline=True)
def few(scratch, j, words, place, count, D, element, counter):
    """Update words from a place on by eight digits; leave at j of the scratch memory what the undecided units need.

    count: of each unit's neighbours up, as ``four`` returns it.
    """
    # draws 0 to 3 are used up here and ``finish`` goes on from draw SHARED, so that no digit is seen twice
    drawn = four_blocks(element, counter.tick, NONE, counter.stream, counter.k0, counter.k1)
    up, undecided = _go_on(spread(NONE), spread(ALL), count, D, 0, drawn)
    for k in range(4):
        store(scratch, FACTS + k * BLOCK + j, count[k])
    leave(scratch, j, words, place, up, undecided, element)


@njit(forceinline=True)
def few_more(plan, scratch, i, undecided, number, drawn):
    """Go on with the words at i of the scratch memory by four digits."""
    count = (load(scratch, X1 + i), load(scratch, X2 + i), load(scratch, X3 + i), load(scratch, X4 + i))
    if number < DRAWS:
        return _go_on(spread(NONE), undecided, count, plan[0], 2 * number, drawn)
    return _term(plan[0], TERMS * DIGITS, count), spread(NONE)


@njit(forceinline=True)
def leave(scratch, j, words, place, up, undecided, element):
    """Set the units decided of words from a place on; leave at j who they are and who is undecided."""
    # undecided units stay down until ``finish`` adds them by OR; no other unit of the block is their neighbour
    store(words, place, up & ~undecided)
    store(scratch, ELEMENT + j, element)
    store(scratch, PLACE + j, count_up() + np.uint64(place))
    _undecided(scratch, j, undecided)


@njit(forceinline=True)
def _undecided(scratch, j, undecided):
    """Note the units undecided of words at j, and which words have some: a bit a word, 64 of them together."""
    bits = flags(undecided) << np.uint64(j % 64)
    store(scratch, LEFT + j, undecided)
    scratch[SOME + j // 64] = bits if j % 64 == 0 else scratch[SOME + j // 64] | bits


@njit(error_model="numpy", nogil=True)
def finish(advance, plan, facts, scratch, n, words, counter):
    """Go on with the undecided units of the n words in the scratch memory until there are none.

    more(plan, scratch, i, left, number, drawn) goes on by the digits of draw ``number`` and its next, as ``compare``;
    after the last it returns which go up for certain. facts: how many rows of the scratch memory it reads.
    """
    # one unit in 256 is undecided here: it pays to pack their words before going on
    number = SHARED
    m = _compact(scratch, n, facts)
    while m:
        for i in range(0, m, LANES):
            undecided, draw = load(scratch, LEFT + i), np.uint64(number)
            element = load(scratch, ELEMENT + i)
            drawn = two_blocks(element, counter.tick, draw, counter.stream, counter.k0, counter.k1)
            up, undecided_after = advance(plan, scratch, i, undecided, number, drawn)
            # after the last digit ``advance`` answers for all units of a word: those decided before must not change
            store(scratch, UP + i, up & undecided & ~undecided_after)
            _undecided(scratch, i, undecided_after)
        # one by one: once packed, the words of a vector may lie anywhere
        for i in range(m):
            words[np.int64(scratch[PLACE + i])] |= scratch[UP + i]
        m = _compact(scratch, m, facts)
        number += 2


@njit(error_model="numpy", nogil=True)
def _compact(scratch, n, facts):
    """Move the words that have a unit undecided to the front; return their number."""
    m, index = 0, scratch[UP : UP + BLOCK]
    for start in range(0, n, 64):
        some = scratch[SOME + start // 64]
        while some != NONE:
            index[m] = np.uint64(start + first_bit(some))
            some &= some - ONE
            m += 1
    # index[i] >= i, so that each word is read before its place is written
    for first in range(LEFT, FACTS + facts * BLOCK, BLOCK):
        row = scratch[first : first + BLOCK]
        for i in range(m):
            row[i] = row[np.int64(index[i])]
    # what is left of the last vector must not count as undecided
    for i in range(LEFT + m, LEFT - -m // LANES * LANES):
        scratch[i] = NONE
    return m


@njit(error_model="numpy", nogil=True)
def below(P, element, bit, tick, stream, key):
    """Return whether the uniform of one unit is below its threshold, digit by digit."""
    if P == NONE or P >= CERTAIN:
        return P != NONE
    k0, k1 = np.uint64(key) & LOW, np.uint64(key) >> HALF
    for draw in range(DRAWS):
        # masked as in ``blocks``, where the low half of an element counts: both must draw the same digits
        w0, w1, w2, w3 = philox(np.uint64(element) & LOW, np.uint64(tick), np.uint64(draw), np.uint64(stream), k0, k1)
        for half in range(2):
            word = (w2 << HALF) | w3 if half else (w0 << HALF) | w1
            mine = (P >> np.uint64(DIGITS - 1 - 2 * draw - half)) & ONE
            drawn_digit = (word >> np.uint64(bit)) & ONE
            if mine != drawn_digit:
                return mine > drawn_digit
    return False
