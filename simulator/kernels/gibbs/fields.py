"""Units whose fields are whole numbers: neighbours are counted in binary, 64 a word, and thresholds go by the sum.

A sum k is stored as planes, its binary digits. Four sums 4 j to 4 j + 3 together have one of 16 functions of the last
two digits for each digit of P: the digit of all units' P is, over all j, the function of j where k / 4 = j.

Example, eight units whose sums k are 0, 1, 2, 3, 3, 2, 1, 0: the planes are, unit by unit from the left, 01011010 (the
ones) and 00111100 (the twos). If a digit of P is 0, 1, 1, 0 for k = 0, 1, 2, 3, its function is code 0110, ones xor
twos, and the digit of all eight units is 01100110: one look-up for all of them, however the sums are spread.
"""

# pyright: reportCallIssue=false, reportGeneralTypeIssues=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

import numpy as np
from numba import njit

from thermoc.simulator.kernels.gibbs import multispin
from thermoc.simulator.kernels.gibbs.multispin import ALL, BLOCK, DIGITS, DRAWS, FACTS, NONE
from thermoc.simulator.kernels.simd.lanes import LANES, load, spread, store

GROUP = 8
"""Neighbours counted together; their lists are padded to whole groups."""
PLACES = DIGITS + 4  # four digits are read at a time, the one that tells of certainty with three more
"""Digits of P; the next tells whether U < P for certain."""


@njit(error_model="numpy", nogil=True)
def functions(P, size, codes):
    """Set where the function of sums 4 j to 4 j + 3 stands, for each digit of their P: codes[digit, j], flat."""
    quarters = codes.size // PLACES
    for r in range(PLACES):
        for j in range(quarters):
            code = NONE
            # sums beyond the greatest never occur: their digits may be anything, and 0 does
            for k in range(4 * j, min(4 * j + 4, size)):
                code |= multispin.digit(P[k], r) << np.uint64(k % 4)
            codes[r * quarters + j] = np.int64(code) * LANES


@njit(forceinline=True)
def _sum(a, b, c):
    """Return the sum of three digits, and what is carried."""
    # a ^ b serves both: five operations an adder
    return a ^ b ^ c, (a & b) | (c & (a ^ b))


@njit(forceinline=True)
def _other(packed, bonds, e, g):
    return load(packed.words, bonds.near[e] * packed.groups + g) ^ bonds.signs[e]


@njit(error_model="numpy", nogil=True)
def count(planes, height, weight, packed, bonds, number, g):
    """Add 2^weight times the neighbours of list ``number``, words g of them, to a sum."""
    # these three stay in registers along the list; only eights go by memory, once for eight neighbours
    ones, two, four = (
        load(planes, weight * LANES),
        load(planes, (weight + 1) * LANES),
        load(planes, (weight + 2) * LANES),
    )
    # a carry-save tree: seven adders count eight neighbours, and only the carry of eights ripples on
    for e in range(bonds.starts[number], bonds.starts[number + 1], GROUP):
        ones, a = _sum(ones, _other(packed, bonds, e, g), _other(packed, bonds, e + 1, g))
        ones, b = _sum(ones, _other(packed, bonds, e + 2, g), _other(packed, bonds, e + 3, g))
        ones, c = _sum(ones, _other(packed, bonds, e + 4, g), _other(packed, bonds, e + 5, g))
        ones, d = _sum(ones, _other(packed, bonds, e + 6, g), _other(packed, bonds, e + 7, g))
        two, a = _sum(two, a, b)
        two, b = _sum(two, c, d)
        four, carry = _sum(four, a, b)
        for k in range(weight + 3, height):
            old = load(planes, k * LANES)
            store(planes, k * LANES, old ^ carry)
            carry = carry & old
    store(planes, weight * LANES, ones)
    store(planes, (weight + 1) * LANES, two)
    store(planes, (weight + 2) * LANES, four)


@njit(error_model="numpy", nogil=True)
def _prepare(planes, height, table, blocks):
    """Set the 16 functions of the last two digits, and where the digits from the fifth on are those of 0, 1, 2, ..."""
    a, b = load(planes, 0), load(planes, LANES)
    store(table, 0, spread(NONE))
    for k in range(4):
        only = (a if k & 1 else ~a) & (b if k & 2 else ~b)
        # each function is one of fewer sums and one sum more: 15 operations for all of them
        for code in range(1 << k):
            store(table, (code + (1 << k)) * LANES, load(table, code * LANES) | only)
    store(blocks, 0, spread(ALL))
    size = 1
    for k in range(height - 1, 3, -1):
        plane = load(planes, k * LANES)
        # from the last to the first: the two halves of a block fall on places that have been read already
        for j in range(size - 1, -1, -1):
            block = load(blocks, j * LANES)
            store(blocks, 2 * j * LANES, block & ~plane)
            store(blocks, (2 * j + 1) * LANES, block & plane)
        size *= 2


@njit(forceinline=True)
def _four(planes, table, blocks, codes, r):
    """Return digits r to r + 3 of the units' P."""
    quarters = codes.size // PLACES
    c, d = load(planes, 2 * LANES), load(planes, 3 * LANES)
    # four digits together: where a sum lies is worked out once for all of them
    f0, f1, f2, f3 = spread(NONE), spread(NONE), spread(NONE), spread(NONE)
    for j in range(0, quarters, 4):
        block, at = load(blocks, j // 4 * LANES), r * quarters + j
        for k in range(4):
            matches = block & (c if k & 1 else ~c) & (d if k & 2 else ~d)
            f0 = f0 | (matches & load(table, codes[at + k]))
            f1 = f1 | (matches & load(table, codes[at + k + quarters]))
            f2 = f2 | (matches & load(table, codes[at + k + 2 * quarters]))
            f3 = f3 | (matches & load(table, codes[at + k + 3 * quarters]))
    return f0, f1, f2, f3


@njit(error_model="numpy", nogil=True)
def update(plan, scratch, j, words, place, element, counter):
    """Update words from a place on by eight digits; leave at j of the scratch memory what the undecided units need."""
    planes, height, table, blocks, codes = plan
    drawn = multispin.four_blocks(element, counter.tick, NONE, counter.stream, counter.k0, counter.k1)
    _prepare(planes, height, table, blocks)
    up, undecided = spread(NONE), spread(ALL)
    # eight digits decide all but one unit in 256; a block draws them in one go
    first, then = _four(planes, table, blocks, codes, 0), _four(planes, table, blocks, codes, 4)
    for k in range(4):
        up, undecided = multispin.compare(up, undecided, first[k], drawn[k])
    for k in range(4):
        up, undecided = multispin.compare(up, undecided, then[k], drawn[4 + k])
    for k in range(height):
        store(scratch, FACTS + k * BLOCK + j, load(planes, k * LANES))
    multispin.leave(scratch, j, words, place, up, undecided, element)


@njit(error_model="numpy", nogil=True)
def more(plan, scratch, i, undecided, number, drawn):
    """Go on with the words at i of the scratch memory by four digits."""
    planes, height, table, blocks, codes = plan
    for k in range(height):
        store(planes, k * LANES, load(scratch, FACTS + k * BLOCK + i))
    _prepare(planes, height, table, blocks)
    mine = _four(planes, table, blocks, codes, 2 * number)
    if number == DRAWS:
        return mine[0], spread(NONE)
    up = spread(NONE)
    for k in range(4):
        up, undecided = multispin.compare(up, undecided, mine[k], drawn[k])
    return up, undecided
