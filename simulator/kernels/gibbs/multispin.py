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
from thermoc.simulator.kernels.simd.lanes import (
    LANES,
    blocks,
    choose,
    count_up,
    flags,
    load,
    majority,
    ones,
    parity,
    pick,
    spread,
    store,
)
from thermoc.simulator.kernels.thermal import HALF, LOW, philox

SHARED = 4
"""Draws (of two digits) for all words; after eight digits one word in four has a unit undecided."""
DIGITS, DRAWS = 52, 26
TERMS, COUNTS = 5, 3
"""Coefficients of a digit's polynomial, and digits of a count of up to four."""
ONE, NONE, ALL = np.uint64(1), np.uint64(0), np.uint64(2**64 - 1)
CERTAIN = np.uint64(2**DIGITS)
"""P of a unit that goes up whatever U is."""

WAITING = 512
"""Words that wait, at most, before those go on that have a unit undecided; what they need fits the first two caches."""
ROW = WAITING + LANES  # the last vector may reach beyond
UP, LEFT, WHERE, FACTS = (row * ROW for row in range(4))
"""Rows of the scratch memory: units decided up, units undecided, the words' places (high half) and the numbers of their
noise (low half), and from FACTS on what their units' P follow from."""


class Counter(NamedTuple):
    """What the Philox blocks of a sweep have in common: the words of the counter but the first and third, the key."""

    tick: Any
    stream: Any
    k0: Any
    k1: Any


class Waiting(NamedTuple):
    """Words of ``words`` that have a unit undecided wait in the rows of the scratch memory."""

    rows: Any
    words: Any
    counter: Counter


four_blocks, two_blocks = blocks(4), blocks(2)


@njit(error_model="numpy", nogil=True)
def threshold(drive, T):
    """Return ceil(2^52 / (1 + e^(-drive / T))); 2^51 for drive 0 at T = 0 (P6), 0 for a NaN, which no U is below."""
    # of the two ways to write it, the one whose exponential cannot overflow
    exponential = scalar.exp(-abs(drive) / T if drive != 0 or T != 0 else 0.0)
    p = 1 / (1 + exponential) if drive >= 0 else exponential / (1 + exponential)
    # what NaN becomes as an integer differs from processor to processor
    p = p if p == p else 0.0
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
    """Return the number of four digits that are 1, a + 2 b + 4 c."""
    odd, carry = parity(x, y, z), majority(x, y, z)
    both = odd & t
    return odd ^ t, carry ^ both, carry & both


@njit(forceinline=True)
def compare(up, undecided, mine, drawn):
    """Go on by one digit: undecided units may go up where theirs is 1, and are decided where it differs."""
    return choose(undecided, mine, up), undecided & ~(mine ^ drawn)


@njit(forceinline=True)
def _term(D, at, count):
    """Return a digit of the units' P."""
    a, b, c = count
    return D[at] ^ (D[at + 1] & a) ^ (D[at + 2] & b) ^ (D[at + 3] & (a & b)) ^ (D[at + 4] & c)


@njit(forceinline=True)
def _go_on(up, undecided, count, D, first, drawn):
    """Go on by the four digits drawn, of which the first is digit ``first``."""
    at = TERMS * first
    # one by one: a loop over the digits would keep them in memory
    up, undecided = compare(up, undecided, _term(D, at, count), drawn[0])
    up, undecided = compare(up, undecided, _term(D, at + TERMS, count), drawn[1])
    up, undecided = compare(up, undecided, _term(D, at + 2 * TERMS, count), drawn[2])
    return compare(up, undecided, _term(D, at + 3 * TERMS, count), drawn[3])


@njit(forceinline=True)
def few(waiting, m, place, count, D, element):
    """Update words from a place on by eight digits; those left undecided wait behind m others. Return how many wait.

    count: of each unit's neighbours up, as ``four`` returns it.
    """
    counter = waiting.counter
    # draws 0 to 3 are used up here and ``finish`` goes on from draw SHARED, so that no digit is seen twice
    drawn = four_blocks(element, counter.tick, NONE, counter.stream, counter.k0, counter.k1)
    up, undecided = _go_on(spread(NONE), spread(ALL), count, D, 0, drawn[:4])
    up, undecided = _go_on(up, undecided, count, D, 4, drawn[4:])
    some = leave(waiting, m, place, up, undecided, element)
    for k in range(COUNTS):
        pick(waiting.rows, FACTS + k * ROW + m, count[k], some)
    return m + ones(some)


@njit(forceinline=True)
def few_more(plan, rows, i, undecided, number, drawn):
    """Go on with the words at i of the scratch memory by four digits."""
    count = load(rows, FACTS + i), load(rows, FACTS + ROW + i), load(rows, FACTS + 2 * ROW + i)
    if number < DRAWS:
        return _go_on(spread(NONE), undecided, count, plan[0], 2 * number, drawn)
    return _term(plan[0], TERMS * DIGITS, count), spread(NONE)


@njit(forceinline=True)
def leave(waiting, m, place, up, undecided, element):
    """Set the units decided of words from a place on; let the words with others wait behind m. Return which do."""
    # undecided units stay down until ``finish`` adds them by OR; no other unit that waits is their neighbour
    store(waiting.words, place, up & ~undecided)
    some = flags(undecided)
    pick(waiting.rows, LEFT + m, undecided, some)
    pick(waiting.rows, WHERE + m, (element & LOW) | ((count_up() + np.uint64(place)) << HALF), some)
    return some


@njit(error_model="numpy", nogil=True)
def finish(advance, plan, facts, waiting, m):
    """Go on with the undecided units of the m words that wait until there are none.

    advance(plan, rows, i, undecided, number, drawn) goes on by the digits of draw ``number`` and its next, as
    ``compare``; after the last it returns which go up for certain. facts: how many rows of facts it reads.
    """
    rows, words, counter, number = waiting.rows, waiting.words, waiting.counter, SHARED
    while m:
        # what fills the last vector must not count as undecided
        store(rows, LEFT + m, spread(NONE))
        survivors = 0
        for i in range(0, m, LANES):
            undecided, where, draw = load(rows, LEFT + i), load(rows, WHERE + i), np.uint64(number)
            drawn = two_blocks(where, counter.tick, draw, counter.stream, counter.k0, counter.k1)
            up, undecided_after = advance(plan, rows, i, undecided, number, drawn)
            # after the last digit ``advance`` answers for all units of a word: those decided before must not change
            store(rows, UP + i, up & undecided & ~undecided_after)
            # one by one: the words of a vector may lie anywhere
            for k in range(i, min(i + LANES, m)):
                words[np.int64(rows[WHERE + k] >> HALF)] |= rows[UP + k]
            some = flags(undecided_after)
            pick(rows, LEFT + survivors, undecided_after, some)
            for row in range(WHERE, FACTS + facts * ROW, ROW):
                pick(rows, row + survivors, load(rows, row + i), some)
            survivors += ones(some)
        m = survivors
        number += 2


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
