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
from thermoc.simulator.kernels.multispin import ALL, BLOCK, NONE, ONE, TERMS
from thermoc.simulator.kernels.thermal import HALF, LOW

NIL, ROUNDING = 1e-9, 4e-16
MOST_SUMS, SUMS_A_SAMPLE = 4096, 128
"""Sums are worth their binary digits up to so many, and so many for each sample."""


@njit(error_model="numpy", nogil=True)
def unit(numbers, start, stop, q):
    """Return the largest number of which q and all of these are whole multiples; 0 stands for none so far."""
    for e in range(start, stop):
        rest = abs(float(numbers[e]))
        if q > 0 and rest == q * math.floor(rest / q + 0.5):
            continue
        while rest > q * NIL:
            q, rest = rest, q % rest
    return q


@njit(error_model="numpy", nogil=True)
def multiples(numbers, start, q, found):
    """Find numbers in units of q; tell whether they are that, to rounding, and not above ``MOST_SUMS``."""
    fits = True
    for e in range(found.size):
        x = float(numbers[start + e])
        if abs(x) > MOST_SUMS * q:
            return False
        found[e] = np.int64(math.floor(x / q + 0.5))
        fits = fits and abs(found[e] * q - x) <= ROUNDING * abs(x)
    return fits


@njit(error_model="numpy", nogil=True)
def sums(w, m, table, rows, spins):
    """Return where each unit's sum starts, which thresholds it has, and for both kinds the sum of no field, the last."""
    n = m.size
    begin, kind = np.zeros(n, np.int64), np.zeros(n, np.int64)
    total, none, last = np.zeros(n, np.int64), np.full(2, -1), np.full(2, -1)
    for i in range(n):
        for e in range(table[rows + i], table[rows + i + 1]):
            total[i] += abs(w[e])
            begin[i] += 0 if spins else min(w[e], 0)
        begin[i] += m[i]
        if spins:
            begin[i] -= total[i]
            kind[i] = begin[i] & 1
        none[kind[i]] = max(none[kind[i]], -begin[i], begin[i] + 2 * total[i] if spins else 0)
    for i in range(n):
        begin[i] += none[kind[i]]
        if spins:
            begin[i] //= 2
        last[kind[i]] = max(last[kind[i]], begin[i] + total[i])
    return begin, kind, none, last


@njit(error_model="numpy", nogil=True)
def neighbours(w, begin, table, rows, wide, bits, groups):
    """Return the places of the neighbours of each unit, for each binary digit of |w|; signs; where lists start.

    A list is filled up to whole groups by a word of zeros; where ``wide`` is nought, to four neighbours, of which some
    are ones: where the sum starts.
    """
    n = begin.size
    starts = np.zeros(n * bits + 1, np.int64)
    for i in range(n):
        for e in range(table[rows + i], table[rows + i + 1]):
            for k in range(bits):
                starts[i * bits + k + 1] += (abs(w[e]) >> k) & 1
    for k in range(n * bits):
        size = -(-starts[k + 1] // fields.GROUP) * fields.GROUP if wide else 4
        starts[k + 1] = starts[k] + size
    near, signs = np.full(starts[-1], n * groups), np.zeros(starts[-1], np.uint64)
    for i in range(n):
        for k in range(bits):
            at = starts[i * bits + k]
            for e in range(table[rows + i], table[rows + i + 1]):
                if (abs(w[e]) >> k) & 1:
                    near[at] = table[rows + n + 1 + e] * groups
                    signs[at] = NONE - np.uint64(w[e] < 0)
                    at += 1
            for _ in range(0 if wide else begin[i]):
                signs[at] = ALL
                at += 1
    return near, signs, starts


@njit(error_model="numpy", nogil=True)
def runs(table, at, classes, kind):
    """Return the units class by class, those of the first kind first, and where each of these runs starts."""
    n = kind.size
    order, starts = np.empty(n, np.int64), np.zeros(2 * classes + 1, np.int64)
    place = 0
    for c in range(classes):
        for want in range(2):
            for k in range(table[at + c], table[at + c + 1]):
                i = table[at + classes + 1 + k]
                if kind[i] == want:
                    order[place] = i
                    place += 1
            starts[2 * c + want + 1] = place
    return order, starts


@njit(error_model="numpy", nogil=True)
def sweep(s, so, n, samples, h, ho, own, T, J, table, at, classes, spins, stream, first, sample, tick, key):
    """Pack the samples, sweep them at each T, unpack; return False and do nothing where this is not the way."""
    rows = at + classes + 1 + n
    most = min(MOST_SUMS, SUMS_A_SAMPLE * samples)
    w, m = np.zeros(table[rows + n], np.int64), np.zeros(n, np.int64)
    q = unit(J, first, first + w.size, 0.0)
    q = unit(h, ho, ho + n, q) if own else q
    q = q if q > 0 else 1.0
    if not multiples(J, first, q, w) or (own and not multiples(h, ho, q, m)):
        return False
    begin, kind, none, last = sums(w, m, table, rows, spins)
    if last.max() >= most:
        return False
    low = sample // 64
    groups = -(-((sample + samples - 1) // 64 + 1 - low) // LANES) * LANES
    words = np.zeros((n + 1) * groups, np.uint64)
    _pack(s, so, n, samples, sample - 64 * low, words, groups)
    bits = 1
    while w.size and np.abs(w).max() >> bits:
        bits += 1
    wide = bits > 1 or last.max() >= TERMS
    near, signs, starts = neighbours(w, begin, table, rows, wide, bits, groups)
    order, cuts = runs(table, at, classes, kind)
    field = 0.0 if own or n == 0 else float(h[ho])
    given = (words, groups, n, near, signs, starts, order, cuts)
    noise = (low, np.uint64(stream), np.uint64(key) & LOW, np.uint64(key) >> HALF)
    P = np.zeros((2, max(last.max() + 1, TERMS)), np.uint64)
    for t in range(T.size):
        for one in range(2):
            for k in range(last[one] + 1):
                drive = 2 * (q * (2 * k - none[one]) + field) if spins else q * (k - none[one]) + field
                P[one, k] = multispin.threshold(drive, T[t])
        now = np.uint64(tick * T.size + t)
        if wide:
            _sweep_wide(given, noise, now, P, last, begin, bits)
        else:
            _sweep_few(given, noise, now, P)
    _unpack(s, so, n, samples, sample - 64 * low, words, groups, -1 if spins else 0)
    return True


@njit(error_model="numpy", nogil=True)
def _sweep_few(given, noise, tick, P):
    """Sweep units of at most four neighbours, one unit of coupling each."""
    words, groups, n, near, signs, starts, order, cuts = given
    low, stream, k0, k1 = noise
    room, D = np.empty(multispin.ROOM, np.uint64), np.empty(TERMS * (multispin.DIGITS + 1), np.uint64)
    for run in range(cuts.size - 1):
        j = 0
        multispin.polynomials(P[run % 2], D)
        for place in range(cuts[run], cuts[run + 1]):
            i = order[place]
            for g in range(0, groups, LANES):
                e = 4 * i
                x, y = load(words, near[e] + g) ^ signs[e], load(words, near[e + 1] + g) ^ signs[e + 1]
                z, t = load(words, near[e + 2] + g) ^ signs[e + 2], load(words, near[e + 3] + g) ^ signs[e + 3]
                a, b, ab, c = multispin.four(x, y, z, t)
                element = count_up() * np.uint64(n) + np.uint64((low + g) * n + i)
                multispin.few(room, j, words, i * groups + g, a, b, ab, c, D, element, tick, stream, k0, k1)
                j += LANES
                if j == BLOCK:
                    multispin.rest(multispin.few_more, (D,), 4, room, j, words, tick, stream, k0, k1)
                    j = 0
        multispin.rest(multispin.few_more, (D,), 4, room, j, words, tick, stream, k0, k1)


@njit(error_model="numpy", nogil=True)
def _sweep_wide(given, noise, tick, P, last, begin, bits):
    """Sweep units of any sums."""
    words, groups, n, near, signs, starts, order, cuts = given
    low, stream, k0, k1 = noise
    height = 4
    while last.max() >> height:
        height += 1
    planes, table = np.zeros((height + 3) * LANES, np.uint64), np.empty(16 * LANES, np.uint64)
    parts = np.empty((1 << (height - 4)) * LANES, np.uint64)
    codes = np.empty((last.max() // 16 + 1) * 4 * fields.PLACES, np.int64)
    plan = (planes, height, table, parts, codes)
    room = np.empty(multispin.FACTS + height * BLOCK, np.uint64)
    for run in range(cuts.size - 1):
        j = 0
        if cuts[run + 1] > cuts[run]:
            fields.functions(P[run % 2], last[run % 2] + 1, codes)
        for place in range(cuts[run], cuts[run + 1]):
            i = order[place]
            for g in range(0, groups, LANES):
                for k in range(height):
                    store(planes, k * LANES, spread(NONE - np.uint64((begin[i] >> k) & 1)))
                for k in range(bits):
                    fields.count(planes, height, k, words, near, signs, starts[i * bits + k], starts[i * bits + k + 1], g)
                element = count_up() * np.uint64(n) + np.uint64((low + g) * n + i)
                fields.update(plan, room, j, words, i * groups + g, element, tick, stream, k0, k1)
                j += LANES
                if j == BLOCK:
                    multispin.rest(fields.more, plan, height, room, j, words, tick, stream, k0, k1)
                    j = 0
        multispin.rest(fields.more, plan, height, room, j, words, tick, stream, k0, k1)


@njit(error_model="numpy", nogil=True)
def _pack(s, so, n, samples, shift, words, groups):
    """Set bit b of word (unit, group) where the unit is up in sample 64 group + b - shift."""
    for k in range(0, samples + shift, 64):
        begin, end = max(k, shift), min(k + 64, samples + shift)
        for i in range(0, n - n % LANES, LANES):
            up = spread(NONE)
            for b in range(begin, end):
                up = up | (positive(s, so + (b - shift) * n + i) & (ONE << np.uint64(b - k)))
            held = np.empty(LANES, np.uint64)
            store(held, 0, up)
            for lane in range(LANES):
                words[(i + lane) * groups + k // 64] = held[lane]
        for i in range(n - n % LANES, n):
            for b in range(begin, end):
                if s[so + (b - shift) * n + i] > 0:
                    words[i * groups + k // 64] |= ONE << np.uint64(b - k)


@njit(error_model="numpy", nogil=True)
def _unpack(s, so, n, samples, shift, words, groups, low):
    """Undo ``_pack``."""
    low, high = s.dtype.type(low), s.dtype.type(1)
    for k in range(0, samples + shift, 64):
        begin, end = max(k, shift), min(k + 64, samples + shift)
        for i in range(0, n - n % LANES, LANES):
            held = np.empty(LANES, np.uint64)
            for lane in range(LANES):
                held[lane] = words[(i + lane) * groups + k // 64]
            up = load(held, 0)
            for b in range(begin, end):
                levels(s, so + (b - shift) * n + i, up >> np.uint64(b - k), low)
        for i in range(n - n % LANES, n):
            for b in range(begin, end):
                up = (words[i * groups + k // 64] >> np.uint64(b - k)) & ONE
                s[so + (b - shift) * n + i] = high if up else low
