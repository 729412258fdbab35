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

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from thermoc.simulator.kernels.gibbs import multispin
from thermoc.simulator.kernels.gibbs.multispin import ALL, CERTAIN, DIGITS, DRAWS, FACTS, NONE, ONE, ROW
from thermoc.simulator.kernels.simd.lanes import LANES, element, load, majority, ones, parity, pick, spread, store

GROUP = 8
"""Neighbours counted together; their lists are padded to whole groups."""
PLACES = DIGITS + 4
"""Digits of P; the next tells whether U < P for certain. Four are read at a time: it is repeated three times."""
LEAST_PLANES = 4
GROUPS = PLACES // 4


class FieldPlan(NamedTuple):
    """What thresholds are looked up by. planes: the digits of a vector's sums. table: the 16 functions of the last two.

    codes: of the sums of all vectors, where the function of a digit of P stands for each quarter (sums 4 j to
    4 j + 3), [group of four digits, quarter, digit], flat. windows: [first, last + 1] sixteenths in which digits of a
    group differ; before them they are 0, behind 1. edges: the planes' digits of [last + 1] of a group, turned over.
    levels: the digits of a sixteenth's number, turned over, all ones or none.
    """

    planes: Any
    table: Any
    codes: Any
    windows: Any
    edges: Any
    levels: Any


@njit(error_model="numpy", nogil=True)
def planes_of(bound):
    """Return the number of planes of sums up to a bound."""
    height = LEAST_PLANES
    while bound >> height:
        height += 1
    return height


@njit(error_model="numpy", nogil=True)
def workspace(height):
    """Return a plan for sums of so many planes."""
    # ``count`` stores four planes at once, also from the highest on; no sum passes the bound, so those beyond stay 0
    planes, table = np.zeros((height + 4) * LANES, np.uint64), np.empty(16 * LANES, np.uint64)
    high, sixteenths = height - LEAST_PLANES, 1 << (height - LEAST_PLANES)
    codes, windows = np.empty(PLACES * 4 * sixteenths, np.int16), np.empty(2 * GROUPS, np.int64)
    edges, levels = np.empty(GROUPS * high, np.uint64), np.empty(sixteenths * high, np.uint64)
    for j in range(sixteenths):
        for k in range(high):
            levels[j * high + k] = NONE - np.uint64((~j >> k) & 1)
    return FieldPlan(planes, table, codes, windows, edges, levels)


@njit(error_model="numpy", nogil=True)
def functions(P, size, plan):
    """Set codes, windows and edges of a plan from the thresholds of sums 0 to size - 1."""
    quarters = plan.codes.size // PLACES
    high, last = plan.levels.size * 4 // quarters, quarters // 4
    digits = np.empty(4 * quarters, np.uint64)
    for k in range(4 * quarters):
        # sums beyond the greatest never occur: their digits may be anything, and 1 keeps windows narrow
        certain = k >= size or P[k] >= CERTAIN
        digits[k] = ALL if certain else P[k] << np.uint64(PLACES - DIGITS)
    for group in range(GROUPS):
        codes = plan.codes[4 * group * quarters : 4 * (group + 1) * quarters]
        for j in range(quarters):
            for d in range(4):
                plane, code = np.uint64(PLACES - 1 - 4 * group - d), NONE
                for k in range(4):
                    code |= ((digits[4 * j + k] >> plane) & ONE) << np.uint64(k)
                codes[4 * j + d] = np.int64(code) * LANES
        low, top = 0, last
        while low < last and (codes[16 * low : 16 * low + 16] == 0).all():
            low += 1
        while top > low and (codes[16 * top - 16 : 16 * top] == 15 * LANES).all():
            top -= 1
        plan.windows[2 * group], plan.windows[2 * group + 1] = low, top
        for k in range(high):
            plan.edges[group * high + k] = NONE - np.uint64((~top >> k) & 1)


@njit(forceinline=True)
def _add(total, x, y):
    """Return the sum of three digits, and what is carried."""
    return parity(total, x, y), majority(total, x, y)


@njit(forceinline=True)
def _other(packed, near, e, g):
    return load(packed.words, np.int64(element(near, e)) * packed.groups + g)


@njit(forceinline=True)
def _eight(singles, twos, fours, packed, near, e, g):
    """Add eight neighbours to a sum of three digits; return it and the eights that are carried."""
    singles, a = _add(singles, _other(packed, near, e, g), _other(packed, near, e + 1, g))
    singles, b = _add(singles, _other(packed, near, e + 2, g), _other(packed, near, e + 3, g))
    twos, c = _add(twos, a, b)
    singles, a = _add(singles, _other(packed, near, e + 4, g), _other(packed, near, e + 5, g))
    singles, b = _add(singles, _other(packed, near, e + 6, g), _other(packed, near, e + 7, g))
    twos, d = _add(twos, a, b)
    fours, carry = _add(fours, c, d)
    return singles, twos, fours, carry


@njit(forceinline=True)
def _count(planes, height, weight, packed, near, e, stop, g):
    """Add 2^weight times the neighbours of a list, words g of them, to a sum."""
    # four planes stay in registers along the list: only sixteens go by memory, once for sixteen neighbours
    at = weight * LANES
    singles, twos = load(planes, at), load(planes, at + LANES)
    fours, eights = load(planes, at + 2 * LANES), load(planes, at + 3 * LANES)
    while e < stop:
        singles, twos, fours, a = _eight(singles, twos, fours, packed, near, e, g)
        b = spread(NONE)
        if e + GROUP < stop:
            singles, twos, fours, b = _eight(singles, twos, fours, packed, near, e + GROUP, g)
        eights, carry = _add(eights, a, b)
        for k in range(weight + 4, height):
            old = load(planes, k * LANES)
            store(planes, k * LANES, old ^ carry)
            carry = carry & old
        e += 2 * GROUP
    store(planes, at, singles)
    store(planes, at + LANES, twos)
    store(planes, at + 2 * LANES, fours)
    store(planes, at + 3 * LANES, eights)


@njit(forceinline=True)
def add_up(planes, height, bits, packed, bonds, i, g):
    """Set the planes to the sums of unit i, words g."""
    begin, at = element(bonds.begin, i), 2 * bits * i
    for k in range(height):
        store(planes, k * LANES, spread(NONE - np.uint64((begin >> k) & 1)))
    for sign in range(2):
        for k in range(bits):
            start, stop = element(bonds.starts, at), element(bonds.starts, at + 1)
            _count(planes, height, k, packed, bonds.near, start, stop, g)
            at += 1
        if sign == 0:
            # -1 - sum: what is turned over once counts down
            for k in range(height):
                store(planes, k * LANES, ~load(planes, k * LANES))
    # the first four planes of a weight may lie beyond the highest
    for k in range(height, height + 4):
        store(planes, k * LANES, spread(NONE))


@njit(forceinline=True)
def _prepare(plan):
    """Set the 16 functions of the last two digits."""
    table, a, b = plan.table, load(plan.planes, 0), load(plan.planes, LANES)
    store(table, 0, spread(NONE))
    for k in range(4):
        only = (a if k & 1 else ~a) & (b if k & 2 else ~b)
        # each function is one of fewer sums and one sum more: 15 operations for all of them
        for code in range(1 << k):
            store(table, (code + (1 << k)) * LANES, load(table, code * LANES) | only)


@njit(forceinline=True)
def _four(plan, height, group):
    """Return four digits of the units' P."""
    planes, table, codes = plan.planes, plan.table, plan.codes
    high, first, last = height - LEAST_PLANES, element(plan.windows, 2 * group), element(plan.windows, 2 * group + 1)
    c, d, behind = load(planes, 2 * LANES), load(planes, 3 * LANES), spread(NONE)
    if last < 1 << high:
        behind = spread(ALL)
        for k in range(high):
            # whether a number is at least another: a digit 1 asks for a 1, a digit 0 is passed by a 1
            edge = spread(element(plan.edges, group * high + k))
            behind = majority(load(planes, (LEAST_PLANES + k) * LANES), edge, behind)
    f0, f1, f2, f3 = behind, behind, behind, behind
    size = codes.size // PLACES * 4
    for j in range(first, last):
        here = spread(ALL)
        for k in range(high):
            here = here & (load(planes, (LEAST_PLANES + k) * LANES) ^ spread(element(plan.levels, j * high + k)))
        at = group * size + 16 * j
        for k in range(4):
            matches = here & (c if k & 1 else ~c) & (d if k & 2 else ~d)
            f0 = f0 | (matches & load(table, np.int64(element(codes, at + 4 * k))))
            f1 = f1 | (matches & load(table, np.int64(element(codes, at + 4 * k + 1))))
            f2 = f2 | (matches & load(table, np.int64(element(codes, at + 4 * k + 2))))
            f3 = f3 | (matches & load(table, np.int64(element(codes, at + 4 * k + 3))))
    return f0, f1, f2, f3


@njit(forceinline=True)
def _compare(up, undecided, mine, drawn):
    """Go on by four digits."""
    up, undecided = multispin.compare(up, undecided, mine[0], drawn[0])
    up, undecided = multispin.compare(up, undecided, mine[1], drawn[1])
    up, undecided = multispin.compare(up, undecided, mine[2], drawn[2])
    return multispin.compare(up, undecided, mine[3], drawn[3])


@njit(forceinline=True)
def update(plan, height, waiting, m, place, number):
    """Update words from a place on by eight digits; those left undecided wait behind m others. Return how many wait."""
    counter = waiting.counter
    drawn = multispin.four_blocks(number, counter.tick, NONE, counter.stream, counter.k0, counter.k1)
    _prepare(plan)
    # eight digits decide all but one unit in 256; a block draws them in one go
    up, undecided = _compare(spread(NONE), spread(ALL), _four(plan, height, 0), drawn[:4])
    up, undecided = _compare(up, undecided, _four(plan, height, 1), drawn[4:])
    some = multispin.leave(waiting, m, place, up, undecided, number)
    for k in range(height):
        pick(waiting.rows, FACTS + k * ROW + m, load(plan.planes, k * LANES), some)
    return m + ones(some)


@njit(forceinline=True)
def more(plan, rows, i, undecided, number, drawn):
    """Go on with the words at i of the scratch memory by four digits."""
    height = plan.planes.size // LANES - 4
    for k in range(height):
        store(plan.planes, k * LANES, load(rows, FACTS + k * ROW + i))
    _prepare(plan)
    mine = _four(plan, height, number // 2)
    if number == DRAWS:
        return mine[0], spread(NONE)
    return _compare(spread(NONE), undecided, mine, drawn)
