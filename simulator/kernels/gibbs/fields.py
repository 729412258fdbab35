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
from thermoc.simulator.kernels.simd.lanes import LANES, load, majority, ones, parity, pick, spread, store

GROUP = 8
"""Neighbours counted together; their lists are padded to whole groups."""
PLACES = DIGITS + 4
"""Digits of P; the next tells whether U < P for certain. Four are read at a time: it is repeated three times."""
LOW_PLANES, LEAST_PLANES = 2, 4


class Plan(NamedTuple):
    """What thresholds are looked up by: the planes of a vector's sums, the 16 functions of the last two digits, and
    for each node of the tree of the other digits where it is passed; of all sums the code of each function, flat
    [digit, quarter], and of each four digits which quarters they differ in, [first, last + 1]: digits of those before
    are 0, of those behind 1.
    """

    planes: Any
    table: Any
    nodes: Any
    codes: Any
    windows: Any


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
    quarters = 1 << (height - LOW_PLANES)
    nodes, codes = np.empty(2 * quarters * LANES, np.uint64), np.empty(PLACES * quarters, np.int64)
    return Plan(planes, table, nodes, codes, np.empty(PLACES // 4 * 2, np.int64))


@njit(error_model="numpy", nogil=True)
def functions(P, size, plan):
    """Set the codes and windows of a plan from the thresholds of sums 0 to size - 1."""
    quarters = plan.codes.size // PLACES
    digits = np.empty(4 * quarters, np.uint64)
    for k in range(4 * quarters):
        # sums beyond the greatest never occur: their digits may be anything, and 1 keeps windows narrow
        certain = k >= size or P[k] >= CERTAIN
        digits[k] = ALL if certain else P[k] << np.uint64(PLACES - DIGITS)
    for r in range(PLACES):
        place = np.uint64(PLACES - 1 - r)
        for j in range(quarters):
            code = NONE
            for k in range(4):
                code |= ((digits[4 * j + k] >> place) & ONE) << np.uint64(k)
            plan.codes[r * quarters + j] = np.int64(code) * LANES
    for group in range(PLACES // 4):
        codes = plan.codes[4 * group * quarters : 4 * (group + 1) * quarters]
        first, last = 0, quarters
        while first < quarters and _all(codes, quarters, first, 0):
            first += 1
        while last > first and _all(codes, quarters, last - 1, 15 * LANES):
            last -= 1
        plan.windows[2 * group], plan.windows[2 * group + 1] = first, last


@njit(error_model="numpy", nogil=True)
def _all(codes, quarters, j, code):
    """Return whether four digits of a quarter have this code."""
    one, other = codes[j] == code and codes[j + quarters] == code, codes[j + 2 * quarters] == code
    return one and other and codes[j + 3 * quarters] == code


@njit(forceinline=True)
def _other(packed, bonds, e, g):
    return load(packed.words, bonds.near[e] * packed.groups + g) ^ bonds.signs[e]


@njit(forceinline=True)
def _add(total, x, y):
    """Return the sum of three digits, and what is carried."""
    return parity(total, x, y), majority(total, x, y)


@njit(forceinline=True)
def _eight(singles, twos, fours, packed, bonds, e, g):
    """Add eight neighbours to a sum of three digits; return it and the eights that are carried."""
    singles, a = _add(singles, _other(packed, bonds, e, g), _other(packed, bonds, e + 1, g))
    singles, b = _add(singles, _other(packed, bonds, e + 2, g), _other(packed, bonds, e + 3, g))
    twos, c = _add(twos, a, b)
    singles, a = _add(singles, _other(packed, bonds, e + 4, g), _other(packed, bonds, e + 5, g))
    singles, b = _add(singles, _other(packed, bonds, e + 6, g), _other(packed, bonds, e + 7, g))
    twos, d = _add(twos, a, b)
    fours, carry = _add(fours, c, d)
    return singles, twos, fours, carry


@njit(error_model="numpy", nogil=True)
def count(planes, height, weight, packed, bonds, number, g):
    """Add 2^weight times the neighbours of list ``number``, words g of them, to a sum."""
    # four planes stay in registers along the list: only sixteens go by memory, once for sixteen neighbours
    at = weight * LANES
    singles, twos = load(planes, at), load(planes, at + LANES)
    fours, eights = load(planes, at + 2 * LANES), load(planes, at + 3 * LANES)
    e, stop = bonds.starts[number], bonds.starts[number + 1]
    while e < stop:
        singles, twos, fours, a = _eight(singles, twos, fours, packed, bonds, e, g)
        b = spread(NONE)
        if e + GROUP < stop:
            singles, twos, fours, b = _eight(singles, twos, fours, packed, bonds, e + GROUP, g)
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


@njit(error_model="numpy", nogil=True)
def _prepare(plan, height, first, last):
    """Set the 16 functions of the last two digits, and where the digits before are those of some quarters."""
    planes, table, nodes = plan.planes, plan.table, plan.nodes
    a, b = load(planes, 0), load(planes, LANES)
    store(table, 0, spread(NONE))
    for k in range(4):
        only = (a if k & 1 else ~a) & (b if k & 2 else ~b)
        # each function is one of fewer sums and one sum more: 15 operations for all of them
        for code in range(1 << k):
            store(table, (code + (1 << k)) * LANES, load(table, code * LANES) | only)
    store(nodes, LANES, spread(ALL))
    depth = height - LOW_PLANES
    for level in range(1, depth + 1):
        plane, above = load(planes, (height - level) * LANES), depth - level
        for j in range(first >> above, ((last - 1) >> above) + 1):
            node, turned = (1 << level) + j, NONE - np.uint64(~j & 1)
            store(nodes, node * LANES, load(nodes, (node >> 1) * LANES) & (plane ^ turned))


@njit(forceinline=True)
def _from(planes, height, quarter):
    """Return which sums belong to a quarter or one behind it."""
    at_least = spread(ALL)
    for k in range(LOW_PLANES, height):
        # a digit that is 1 asks for a 1 in its plane; one that is 0 is passed by a 1
        digit = NONE - np.uint64((quarter >> (k - LOW_PLANES)) & 1)
        at_least = majority(load(planes, k * LANES), spread(~digit), at_least)
    return at_least


@njit(forceinline=True)
def _four(plan, height, group):
    """Return four digits of the units' P."""
    table, nodes, codes, quarters = plan.table, plan.nodes, plan.codes, plan.codes.size // PLACES
    first, last = plan.windows[2 * group], plan.windows[2 * group + 1]
    f0 = _from(plan.planes, height, last) if last < quarters else spread(NONE)
    f1, f2, f3 = f0, f0, f0
    # four digits together: where a sum lies is worked out once for all of them
    for j in range(first, last):
        matches, at = load(nodes, (quarters + j) * LANES), 4 * group * quarters + j
        f0 = f0 | (matches & load(table, codes[at]))
        f1 = f1 | (matches & load(table, codes[at + quarters]))
        f2 = f2 | (matches & load(table, codes[at + 2 * quarters]))
        f3 = f3 | (matches & load(table, codes[at + 3 * quarters]))
    return f0, f1, f2, f3


@njit(error_model="numpy", nogil=True)
def update(plan, waiting, m, place, element):
    """Update words from a place on by eight digits; those left undecided wait behind m others. Return how many wait."""
    counter, height = waiting.counter, plan.planes.size // LANES - 4
    windows = plan.windows
    drawn = multispin.four_blocks(element, counter.tick, NONE, counter.stream, counter.k0, counter.k1)
    _prepare(plan, height, min(windows[0], windows[2]), max(windows[1], windows[3]))
    up, undecided = spread(NONE), spread(ALL)
    # eight digits decide all but one unit in 256; a block draws them in one go
    first, then = _four(plan, height, 0), _four(plan, height, 1)
    for k in range(4):
        up, undecided = multispin.compare(up, undecided, first[k], drawn[k])
    for k in range(4):
        up, undecided = multispin.compare(up, undecided, then[k], drawn[4 + k])
    some = multispin.leave(waiting, m, place, up, undecided, element)
    for k in range(height):
        pick(waiting.rows, FACTS + k * ROW + m, load(plan.planes, k * LANES), some)
    return m + ones(some)


@njit(error_model="numpy", nogil=True)
def more(plan, rows, i, undecided, number, drawn):
    """Go on with the words at i of the scratch memory by four digits."""
    height, group = plan.planes.size // LANES - 4, number // 2
    for k in range(height):
        store(plan.planes, k * LANES, load(rows, FACTS + k * ROW + i))
    _prepare(plan, height, plan.windows[2 * group], plan.windows[2 * group + 1])
    mine = _four(plan, height, group)
    if number == DRAWS:
        return mine[0], spread(NONE)
    up = spread(NONE)
    for k in range(4):
        up, undecided = multispin.compare(up, undecided, mine[k], drawn[k])
    return up, undecided
