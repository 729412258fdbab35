"""Samples that share words, 64 of a unit each: kernels that sweep them as ``gibbs.dispatch`` laid them out.

Example, eight samples and two units: units 0 and 1 are up in samples 0, 2, 5 and in samples 1, 2, so their words are,
from sample 0 on, 10100100 and 01100000. Where the coupling is positive, unit 1 counts unit 0's word as it is, where it
is negative, the word with all digits turned over, 01011011: eight fields by one operation.
"""

# pyright: reportCallIssue=false, reportGeneralTypeIssues=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from thermoc.simulator.kernels.gibbs import fields, multispin
from thermoc.simulator.kernels.gibbs.multispin import COUNTS, NONE, ONE, ROW, TERMS, WAITING, Counter, Waiting
from thermoc.simulator.kernels.operands import stopped
from thermoc.simulator.kernels.simd.lanes import LANES, count_up, element, levels, load, positive, spread, store
from thermoc.simulator.kernels.thermal import HALF, LOW


class Packed(NamedTuple):
    """Words of 64 samples each, unit by unit: ``groups`` of each unit, whole vectors; one more unit is always down."""

    words: Any
    groups: int


class FourNeighbours(NamedTuple):
    """near: four units a unit, whose words are counted; those whose sign is all ones count where they are down."""

    near: Any
    signs: Any


class NeighbourLists(NamedTuple):
    """near: the units whose words are counted, list by list from starts on: of a unit, a list for each digit of its
    negative weights, then of its positive ones. begin: what each unit's sum starts from.
    """

    near: Any
    starts: Any
    begin: Any


class Runs(NamedTuple):
    """The units, run by run from cuts on; thresholds of even runs and of odd ones differ."""

    order: Any
    cuts: Any


class SumLaw(NamedTuple):
    """The drive of sum k is scale (step k - none) + field; last is the greatest sum. Both of even and of odd runs."""

    scale: float
    step: int
    field: float
    none: Any
    last: Any


class Draws(NamedTuple):
    """Temperatures of the sweeps, and the noise: number of the first group of samples, stream, tick, seed."""

    T: Any
    low: int
    stream: int
    tick: int
    key: Any


@njit(forceinline=True)
def counter_of(draws, sweep):
    """Return the counter of a sweep."""
    key = np.uint64(draws.key)
    # Philox's third word counts the digits of a unit, so that the sweep must go into the tick's word
    return Counter(np.uint64(draws.tick * draws.T.size + sweep), np.uint64(draws.stream), key & LOW, key >> HALF)


@njit(error_model="numpy", nogil=True)
def few_replicas(packed, bonds, runs, law, draws, halt):
    """Sweep units that count four neighbours each."""
    words, groups, order, cuts = packed.words, packed.groups, runs.order, runs.cuts
    # five sums at most: digits of thresholds are polynomials in three digits of the count
    n, P, rows = order.size, np.zeros(TERMS, np.uint64), np.empty(multispin.FACTS + COUNTS * ROW, np.uint64)
    polynomials_of_kind = np.empty((2, TERMS * (multispin.DIGITS + 1)), np.uint64)
    for sweep in range(draws.T.size):
        if stopped(halt):
            return
        waiting = Waiting(rows, words, counter_of(draws, sweep))
        for kind in range(2):
            _thresholds(P, law, kind, draws.T[sweep])
            multispin.polynomials(P, polynomials_of_kind[kind])
        for run in range(cuts.size - 1):
            D, m = polynomials_of_kind[run % 2], 0
            for position in range(cuts[run], cuts[run + 1]):
                i = order[position]
                for g in range(0, groups, LANES):
                    x, y = _neighbour(packed, bonds, 4 * i, g), _neighbour(packed, bonds, 4 * i + 1, g)
                    z, t = _neighbour(packed, bonds, 4 * i + 2, g), _neighbour(packed, bonds, 4 * i + 3, g)
                    count = multispin.four(x, y, z, t)
                    # as ``rows.digits`` counts: a sample has the same noise whichever kernel runs it
                    number = count_up() * np.uint64(n) + np.uint64((draws.low + g) * n + i)
                    m = multispin.few(waiting, m, i * groups + g, count, D, number)
                    if m > WAITING - LANES:
                        multispin.finish(multispin.few_more, (D,), COUNTS, waiting, m)
                        m = 0
            # units of one run are not coupled, so that they may wait for each other; those of the next are
            multispin.finish(multispin.few_more, (D,), COUNTS, waiting, m)


@njit(forceinline=True)
def _neighbour(packed, bonds, e, g):
    """Return the words of a neighbour."""
    return load(packed.words, np.int64(element(bonds.near, e)) * packed.groups + g) ^ element(bonds.signs, e)


@njit(error_model="numpy", nogil=True)
def _thresholds(P, law, kind, T):
    for k in range(law.last[kind] + 1):
        P[k] = multispin.threshold(law.scale * (law.step * k - law.none[kind]) + law.field, T)


@njit(error_model="numpy", nogil=True)
def wide_replicas(packed, bonds, runs, law, draws, halt):
    """Sweep units of any sums; a unit has lists of neighbours for each sign and each digit of its weights."""
    words, groups, order, cuts = packed.words, packed.groups, runs.order, runs.cuts
    n, bound = order.size, max(law.last[0], law.last[1])
    bits, height = (bonds.starts.size - 1) // (2 * n), fields.planes_of(bound)
    plan = fields.workspace(height), fields.workspace(height)
    rows, P = np.empty(multispin.FACTS + height * ROW, np.uint64), np.zeros(bound + 1, np.uint64)
    for sweep in range(draws.T.size):
        if stopped(halt):
            return
        waiting = Waiting(rows, words, counter_of(draws, sweep))
        for kind in range(2):
            _thresholds(P, law, kind, draws.T[sweep])
            fields.functions(P, law.last[kind] + 1, plan[kind])
        for run in range(cuts.size - 1):
            mine, m = plan[run % 2], 0
            for position in range(cuts[run], cuts[run + 1]):
                i = order[position]
                for g in range(0, groups, LANES):
                    fields.add_up(mine.planes, height, bits, packed, bonds, i, g)
                    number = count_up() * np.uint64(n) + np.uint64((draws.low + g) * n + i)
                    m = fields.update(mine, height, waiting, m, i * groups + g, number)
                    if m > WAITING - LANES:
                        multispin.finish(fields.more, mine, height, waiting, m)
                        m = 0
            multispin.finish(fields.more, mine, height, waiting, m)


@njit(error_model="numpy", nogil=True)
def pack(s, n, samples, shift, packed):
    """Set bit b of word (unit, group) where the unit is up in sample 64 group + b - shift."""
    words, groups = packed.words, packed.groups
    for k in range(0, samples + shift, 64):
        begin, stop = max(k, shift), min(k + 64, samples + shift)
        for i in range(0, n - n % LANES, LANES):
            up = spread(NONE)
            for b in range(begin, stop):
                up = up | (positive(s, (b - shift) * n + i) & (ONE << np.uint64(b - k)))
            # units that are neighbours in s lie ``groups`` words apart here: vectors along s, then word by word
            vector = np.empty(LANES, np.uint64)
            store(vector, 0, up)
            for lane in range(LANES):
                words[(i + lane) * groups + k // 64] = vector[lane]
        for i in range(n - n % LANES, n):
            for b in range(begin, stop):
                if s[(b - shift) * n + i] > 0:
                    words[i * groups + k // 64] |= ONE << np.uint64(b - k)


@njit(error_model="numpy", nogil=True)
def unpack(s, n, samples, shift, packed, low):
    """Undo ``pack``."""
    words, groups = packed.words, packed.groups
    low, high = s.dtype.type(low), s.dtype.type(1)
    for k in range(0, samples + shift, 64):
        begin, stop = max(k, shift), min(k + 64, samples + shift)
        for i in range(0, n - n % LANES, LANES):
            vector = np.empty(LANES, np.uint64)
            for lane in range(LANES):
                vector[lane] = words[(i + lane) * groups + k // 64]
            up = load(vector, 0)
            for b in range(begin, stop):
                levels(s, (b - shift) * n + i, up >> np.uint64(b - k), low)
        for i in range(n - n % LANES, n):
            for b in range(begin, stop):
                up = (words[i * groups + k // 64] >> np.uint64(b - k)) & ONE
                s[(b - shift) * n + i] = high if up else low
