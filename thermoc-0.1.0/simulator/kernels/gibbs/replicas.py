"""Samples that share words, 64 of a unit each: kernels that sweep them as ``gibbs.dispatch`` laid them out.

Words lie unit by unit, ``groups`` of each, whole vectors; one more unit is all noughts. near: the units whose words are
counted, list by list; those whose sign is all ones count where they are down. order: the units, run by run from cuts
on; thresholds of even runs and of odd ones differ. The drive of sum k is scale (step k - none) + field.
"""

# pyright: reportCallIssue=false, reportGeneralTypeIssues=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

import numpy as np
from numba import njit

from thermoc.simulator.kernels.gibbs import fields, multispin
from thermoc.simulator.kernels.gibbs.multispin import BLOCK, NONE, ONE, TERMS
from thermoc.simulator.kernels.operands import stopped
from thermoc.simulator.kernels.simd.lanes import LANES, count_up, levels, load, positive, spread, store
from thermoc.simulator.kernels.thermal import HALF, LOW


@njit(error_model="numpy", nogil=True)
def few_replicas(words, groups, near, signs, order, cuts, law, none, last, T, low, stream, tick, key, halt):
    """Sweep units that count four neighbours each. law: (scale, step, field). low: the number of the first group."""
    stream, k0, k1, n = np.uint64(stream), np.uint64(key) & LOW, np.uint64(key) >> HALF, order.size
    room, both = np.empty(multispin.ROOM, np.uint64), np.empty((2, TERMS * (multispin.DIGITS + 1)), np.uint64)
    P = np.zeros(TERMS, np.uint64)
    for sweep in range(T.size):
        if stopped(halt):
            return
        now = np.uint64(tick * T.size + sweep)
        for kind in range(2):
            _thresholds(P, law, none[kind], last[kind], T[sweep])
            multispin.polynomials(P, both[kind])
        for run in range(cuts.size - 1):
            D, j = both[run % 2], 0
            for place in range(cuts[run], cuts[run + 1]):
                i = order[place]
                for g in range(0, groups, LANES):
                    x, y = _neighbour(words, groups, near, signs, 4 * i, g)
                    z, t = _neighbour(words, groups, near, signs, 4 * i + 2, g)
                    a, b, ab, c = multispin.four(x, y, z, t)
                    element = count_up() * np.uint64(n) + np.uint64((low + g) * n + i)
                    multispin.few(room, j, words, i * groups + g, a, b, ab, c, D, element, now, stream, k0, k1)
                    j += LANES
                    if j == BLOCK:
                        multispin.rest(multispin.few_more, (D,), 4, room, j, words, now, stream, k0, k1)
                        j = 0
            multispin.rest(multispin.few_more, (D,), 4, room, j, words, now, stream, k0, k1)


@njit(forceinline=True)
def _neighbour(words, groups, near, signs, e, g):
    """Return the words of two neighbours."""
    return load(words, near[e] * groups + g) ^ signs[e], load(words, near[e + 1] * groups + g) ^ signs[e + 1]


@njit(error_model="numpy", nogil=True)
def _thresholds(P, law, none, last, T):
    scale, step, field = law
    for k in range(last + 1):
        P[k] = multispin.threshold(scale * (step * k - none) + field, T)


@njit(error_model="numpy", nogil=True)
def wide_replicas(
    words, groups, near, signs, starts, begin, order, cuts, law, none, last, most, T, low, stream, tick, key, halt
):
    """Sweep units of any sums up to ``most``, which start at ``begin``; starts: those of each unit's lists, a digit of
    the weights each."""
    stream, k0, k1, n = np.uint64(stream), np.uint64(key) & LOW, np.uint64(key) >> HALF, order.size
    bits, height = (starts.size - 1) // n, 4
    while most >> height:
        height += 1
    planes, table = np.zeros((height + 3) * LANES, np.uint64), np.empty(16 * LANES, np.uint64)
    parts = np.empty((1 << (height - 4)) * LANES, np.uint64)
    codes = np.empty((2, (most // 16 + 1) * 4 * fields.PLACES), np.int64)
    room, P = np.empty(multispin.FACTS + height * BLOCK, np.uint64), np.zeros(most + 1, np.uint64)
    for sweep in range(T.size):
        if stopped(halt):
            return
        now = np.uint64(tick * T.size + sweep)
        for kind in range(2):
            _thresholds(P, law, none[kind], last[kind], T[sweep])
            fields.functions(P, last[kind] + 1, codes[kind])
        for run in range(cuts.size - 1):
            plan, j = (planes, height, table, parts, codes[run % 2]), 0
            for place in range(cuts[run], cuts[run + 1]):
                i = order[place]
                for g in range(0, groups, LANES):
                    for k in range(height):
                        store(planes, k * LANES, spread(NONE - np.uint64((begin[i] >> k) & 1)))
                    for k in range(bits):
                        e, stop = starts[i * bits + k], starts[i * bits + k + 1]
                        fields.count(planes, height, k, words, groups, near, signs, e, stop, g)
                    element = count_up() * np.uint64(n) + np.uint64((low + g) * n + i)
                    fields.update(plan, room, j, words, i * groups + g, element, now, stream, k0, k1)
                    j += LANES
                    if j == BLOCK:
                        multispin.rest(fields.more, plan, height, room, j, words, now, stream, k0, k1)
                        j = 0
            multispin.rest(fields.more, plan, height, room, j, words, now, stream, k0, k1)


@njit(error_model="numpy", nogil=True)
def pack(s, so, n, samples, shift, words, groups):
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
def unpack(s, so, n, samples, shift, words, groups, low):
    """Undo ``pack``."""
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
