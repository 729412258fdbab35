"""Heat-bath updates of 64 binary units a word: the comparison with a uniform is done digit by digit, for all at once.

A unit goes up where U < P, U a number of 52 binary digits and P = ceil(2^52 / (1 + e^(-drive / T))) (P6). Digit r of
64 units is one word: round r of word W is half of the Philox block at (W, tick, r // 2, stream), the first two words
for even r. Units with equally many neighbours up share P. After r rounds one unit in 2^r is undecided.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from thermoc.simulator.kernels.thermal import HALF, LOW, M0, M1, W0, W1, philox
from thermoc.support.philox import ROUNDS

BLOCK = 256
"""Words decided together: what they need fits the first cache."""
SHARED = 4
"""Draws (of two digits) for all words of a block; after eight digits one word in four has a unit undecided."""
COUNTS, FEW = 9, 5
"""A unit has none to eight neighbours up; none to four on a lattice."""
DIGITS = 52
ONE, NONE = np.uint64(1), np.uint64(0)
WHOLE = np.uint64(2**DIGITS)

UP, LEFT, EVEN, ODD, ELEMENT, PLACE, DIGIT, MASK = (row * BLOCK for row in range(8))
"""Rows of the room, one array so that loops over them vectorise: units decided up, units undecided, two rounds of
digits, the numbers of the words, their places in the block, digits of thresholds, and from MASK on a row a count."""
OWN = MASK + COUNTS * BLOCK
ROOM = OWN + BLOCK
M1_, M2_, M3_, M4_ = MASK + BLOCK, MASK + 2 * BLOCK, MASK + 3 * BLOCK, MASK + 4 * BLOCK


@njit(error_model="numpy", nogil=True)
def threshold(drive, T):
    """Return ceil(2^52 / (1 + e^(-drive / T)))."""
    small = math.exp(-abs(drive) / T)
    p = 1 / (1 + small) if drive >= 0 else small / (1 + small)
    return np.uint64(np.int64(math.ceil(p * 2.0**DIGITS)))


@njit(error_model="numpy", nogil=True)
def _draw(room, n, tick, draw, stream, k0, k1):
    """Fill two rounds of n words."""
    elements, even, odd = room[ELEMENT : ELEMENT + n], room[EVEN : EVEN + n], room[ODD : ODD + n]
    for j in range(n):
        c0, c1, c2, c3 = elements[j], tick, draw, stream
        a, b = k0, k1
        for _ in range(ROUNDS):
            p0, p1 = (c0 & LOW) * M0, (c2 & LOW) * M1
            c0, c1, c2, c3 = (p1 >> HALF) ^ c1 ^ a, p1, (p0 >> HALF) ^ c3 ^ b, p0
            a, b = (a + W0) & LOW, (b + W1) & LOW
        even[j] = (c0 << HALF) | (c1 & LOW)
        odd[j] = (c2 << HALF) | (c3 & LOW)


@njit(forceinline=True)
def _digit(P, k, place):
    """Return all ones where a digit of P[k] is 1, else nought."""
    return NONE - ((P[k] >> place) & ONE)


@njit(error_model="numpy", nogil=True)
def _few(room, n, P, place):
    """Compare two digits with those of five thresholds, and decide the units where one differs."""
    d0, d1, d2, d3, d4 = (
        _digit(P, 0, place),
        _digit(P, 1, place),
        _digit(P, 2, place),
        _digit(P, 3, place),
        _digit(P, 4, place),
    )
    low = place - ONE
    e0, e1, e2, e3, e4 = _digit(P, 0, low), _digit(P, 1, low), _digit(P, 2, low), _digit(P, 3, low), _digit(P, 4, low)
    up, undecided, even, odd = room[UP : UP + n], room[LEFT : LEFT + n], room[EVEN : EVEN + n], room[ODD : ODD + n]
    m0, m1, m2 = room[MASK : MASK + n], room[M1_ : M1_ + n], room[M2_ : M2_ + n]
    m3, m4 = room[M3_ : M3_ + n], room[M4_ : M4_ + n]
    for j in range(n):
        first = (m0[j] & d0) | (m1[j] & d1) | (m2[j] & d2) | (m3[j] & d3) | (m4[j] & d4)
        second = (m0[j] & e0) | (m1[j] & e1) | (m2[j] & e2) | (m3[j] & e3) | (m4[j] & e4)
        left = undecided[j]
        won = left & first & ~even[j]
        left &= ~(first ^ even[j])
        up[j] |= won | (left & second & ~odd[j])
        undecided[j] = left & ~(second ^ odd[j])


@njit(error_model="numpy", nogil=True)
def _many(room, n, P, place):
    """As ``_few``, of nine thresholds."""
    up, undecided, even, odd = room[UP : UP + n], room[LEFT : LEFT + n], room[EVEN : EVEN + n], room[ODD : ODD + n]
    digits = room[DIGIT : DIGIT + n]
    for half in range(2):
        at = place - np.uint64(half)
        drawn = odd if half else even
        for j in range(n):
            digits[j] = NONE
        for k in range(COUNTS):
            if _digit(P, k, at) != NONE:
                mask = room[MASK + k * BLOCK : MASK + k * BLOCK + n]
                for j in range(n):
                    digits[j] |= mask[j]
        for j in range(n):
            left = undecided[j]
            up[j] |= left & digits[j] & ~drawn[j]
            undecided[j] = left & ~(digits[j] ^ drawn[j])


@njit(error_model="numpy", nogil=True)
def decide(up, n, P, count, tick, stream, k0, k1, room):
    """Set the n words of ``up``: the bits of mask k whose U is below P[k], for k below ``count``.

    room holds masks and elements of the words; it is used up. tick: tick * sweeps + sweep.
    """
    for j in range(n):
        room[UP + j], room[LEFT + j] = NONE, NONE
    for k in range(count):
        at = MASK + k * BLOCK
        if P[k] >= WHOLE:
            for j in range(n):
                room[UP + j] |= room[at + j]
        elif P[k] > NONE:
            for j in range(n):
                room[LEFT + j] |= room[at + j]
    for draw in range(SHARED):
        place = np.uint64(DIGITS - 1 - 2 * draw)
        _draw(room, n, tick, np.uint64(draw), stream, k0, k1)
        if count <= FEW:
            _few(room, n, P, place)
        else:
            _many(room, n, P, place)
    decided, undecided, places = room[UP : UP + n], room[LEFT : LEFT + n], room[PLACE : PLACE + n]
    m = 0
    for j in range(n):
        up[j], places[m] = decided[j], np.uint64(j)
        m += undecided[j] != NONE
    for k in range(-2, count):
        row = (LEFT, ELEMENT)[k + 2] if k < 0 else MASK + k * BLOCK
        held = room[row : row + n]
        for i in range(m):
            held[i] = held[np.int64(places[i])]
    for i in range(m):
        decided[i] = NONE
    draw = SHARED
    while m and draw < DIGITS // 2:
        place = np.uint64(DIGITS - 1 - 2 * draw)
        _draw(room, m, tick, np.uint64(draw), stream, k0, k1)
        if count <= FEW:
            _few(room, m, P, place)
        else:
            _many(room, m, P, place)
        draw += 1
        left = NONE
        for j in range(m):
            left |= room[LEFT + j]
        if left == NONE:
            break
    for j in range(m):
        up[np.int64(room[PLACE + j])] |= room[UP + j]


@njit(error_model="numpy", nogil=True)
def lattice(words, L, J, h, T, spins, stream, tick, key, first, room, P, parity):
    """Sweep a periodic L x L square lattice, L a multiple of 128, whose bonds are all J and whose fields are all h.

    words: (2, (L + 2) L / 128), colour by colour, rows -1 to L, of which the outer two are copies; bit b of word w of
    row y is the site of that colour at x = 2 (64 w + b) + (y + colour) % 2. Word number: first + colour * L * L / 128 +
    place in its colour. T: (sweeps,). spins: levels -1 and +1, else 0 and 1; that enters through the drives alone.
    parity: (L * L / 128,) all ones in odd rows.
    """
    k0, k1 = np.uint64(key) & LOW, np.uint64(key) >> HALF
    across = L // 128
    whole = L * across
    for sweep in range(T.size):
        for k in range(5):
            field = J * (2 * k - 4) + h if spins else J * k + h
            P[k] = threshold(2 * field if spins else field, T[sweep])
        now = np.uint64(tick * T.size + sweep)
        for colour in range(2):
            mine, other = words[colour], words[1 - colour]
            for start in range(0, whole, BLOCK):
                n = min(BLOCK, whole - start)
                _count(room, other, start, n, across, colour, parity[start : start + n])
                for j in range(n):
                    room[ELEMENT + j] = np.uint64(first + colour * whole + start + j)
                at = across + start
                decide(mine[at : at + n], n, P, 5, now, np.uint64(stream), k0, k1, room)
            for w in range(across):
                mine[w], mine[across + whole + w] = mine[whole + w], mine[across + w]


@njit(error_model="numpy", nogil=True)
def _count(room, other, start, n, across, colour, parity):
    """Set the masks to the sites that have k of their four neighbours up, by half adders."""
    at, top, flip = start + across, np.uint64(63), NONE - np.uint64(colour)
    here, above, below = other[at : at + n], other[at - across : at - across + n], other[at + across : at + across + n]
    before, after = other[at - 1 : at - 1 + n], other[at + 1 : at + 1 + n]
    beside = room[EVEN : EVEN + n]
    for i in range(n):
        right = parity[i] ^ flip
        beside[i] = (((here[i] >> ONE) | (after[i] << top)) & right) | (
            ((here[i] << ONE) | (before[i] >> top)) & ~right
        )
    for row in range(start // across * across, start + n, across):
        right = (row // across + colour) % 2 == 1
        i = row - start + (across - 1 if right else 0)
        if 0 <= i < n:
            end = here[i]
            wrapped = other[at + i - across + 1] << top if right else other[at + i + across - 1] >> top
            beside[i] = (end >> ONE if right else end << ONE) | wrapped
    m0, m1, m2 = room[MASK : MASK + n], room[M1_ : M1_ + n], room[M2_ : M2_ + n]
    m3, m4 = room[M3_ : M3_ + n], room[M4_ : M4_ + n]
    for i in range(n):
        a, b, c, d = above[i] ^ below[i], above[i] & below[i], here[i] ^ beside[i], here[i] & beside[i]
        odd, two, four = a ^ c, b ^ d ^ (a & c), b & d
        m0[i], m1[i], m2[i] = ~(odd | two | four), odd & ~two, two & ~odd
        m3[i], m4[i] = odd & two, four


@njit(error_model="numpy", nogil=True)
def replicas(words, groups, signs, table, rows, order, starts, J, h, T, spins, stream, tick, key, first, room, P):
    """Sweep a graph of degree at most eight whose couplings are all J or -J and whose fields are all h.

    words: (n * groups,), bit b of word (unit, group) being replica b of the group; its number is
    (first + group) n + unit. signs: (couplings,) all ones where the coupling is -J. table holds the other ends of each
    unit's couplings from rows on, and the units class by class, equal degrees together; starts: the classes.
    """
    k0, k1 = np.uint64(key) & LOW, np.uint64(key) >> HALF
    n = words.size // groups
    for sweep in range(T.size):
        now = np.uint64(tick * T.size + sweep)
        for c in range(starts.size - 1):
            place = starts[c]
            while place < starts[c + 1]:
                degree = _degree(table, rows, order[place])
                units = 1
                while (
                    place + units < starts[c + 1]
                    and (units + 1) * groups <= BLOCK
                    and _degree(table, rows, order[place + units]) == degree
                ):
                    units += 1
                for k in range(COUNTS):
                    field = J * (2 * k - degree) + h if spins else J * k + h
                    P[k] = threshold(2 * field if spins else field, T[sweep]) if k <= degree else NONE
                _gather(room, words, groups, signs, table, rows, order[place : place + units], n, first, degree)
                count = degree + 1
                decide(room[OWN : OWN + units * groups], units * groups, P, count, now, np.uint64(stream), k0, k1, room)
                for u in range(units):
                    for g in range(groups):
                        words[order[place + u] * groups + g] = room[OWN + u * groups + g]
                place += units


@njit(forceinline=True)
def _degree(table, rows, unit):
    return table[rows + unit + 1] - table[rows + unit]


@njit(error_model="numpy", nogil=True)
def _gather(room, words, groups, signs, table, rows, units, n, first, most):
    """Count the neighbours that are up, in binary, and set the masks and numbers of the words of some units."""
    columns = rows + n + 1
    size = units.size * groups
    one, two = room[UP : UP + size], room[LEFT : LEFT + size]
    four, eight = room[EVEN : EVEN + size], room[ODD : ODD + size]
    for j in range(size):
        one[j], two[j], four[j], eight[j] = NONE, NONE, NONE, NONE
    for u in range(units.size):
        unit, here = units[u], u * groups
        for g in range(groups):
            room[ELEMENT + here + g] = np.uint64((first + g) * n + unit)
        for e in range(table[rows + unit], table[rows + unit + 1]):
            at, sign = table[columns + e] * groups, signs[e]
            _add(one[here : here + groups], two[here:], four[here:], eight[here:], words[at : at + groups], sign)
    if most <= 4:
        _split(room, size)
        return
    for k in range(COUNTS):
        b0, b1, b2 = NONE - np.uint64(k & 1), NONE - np.uint64(k >> 1 & 1), NONE - np.uint64(k >> 2 & 1)
        b3 = NONE - np.uint64(k >> 3)
        mask = room[MASK + k * BLOCK : MASK + k * BLOCK + size]
        for j in range(size):
            mask[j] = ~((one[j] ^ b0) | (two[j] ^ b1) | (four[j] ^ b2) | (eight[j] ^ b3))


@njit(error_model="numpy", nogil=True)
def _add(one, two, four, eight, other, sign):
    """Count one neighbour more, in binary."""
    for g in range(one.size):
        x = other[g] ^ sign
        a = one[g] & x
        b = two[g] & a
        eight[g] |= four[g] & b
        one[g], two[g], four[g] = one[g] ^ x, two[g] ^ a, four[g] ^ b


@njit(error_model="numpy", nogil=True)
def _split(room, n):
    """Set five masks from counts up to four, in binary."""
    one, two, four = room[UP : UP + n], room[LEFT : LEFT + n], room[EVEN : EVEN + n]
    m0, m1, m2 = room[MASK : MASK + n], room[M1_ : M1_ + n], room[M2_ : M2_ + n]
    m3, m4 = room[M3_ : M3_ + n], room[M4_ : M4_ + n]
    for j in range(n):
        a, b, c = one[j], two[j], four[j]
        m0[j], m1[j], m2[j], m3[j], m4[j] = ~(a | b | c), a & ~b, b & ~a, a & b, c


@njit(error_model="numpy", nogil=True)
def below(P, element, bit, tick, stream, key):
    """Tell whether the uniform of one unit is below its threshold, digit by digit."""
    if P == NONE or P >= WHOLE:
        return P != NONE
    k0, k1 = np.uint64(key) & LOW, np.uint64(key) >> HALF
    for draw in range(DIGITS // 2):
        w0, w1, w2, w3 = philox(np.uint64(element) & LOW, np.uint64(tick), np.uint64(draw), np.uint64(stream), k0, k1)
        for half in range(2):
            word = (w2 << HALF) | w3 if half else (w0 << HALF) | w1
            mine = (P >> np.uint64(DIGITS - 1 - 2 * draw - half)) & ONE
            other = (word >> np.uint64(bit)) & ONE
            if mine != other:
                return mine > other
    return False
