"""Coupled binary units: heat-bath updates, class by class (P6, P12)."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from thermoc.simulator.kernels import multispin, thermal
from thermoc.simulator.opcodes import AT_ONCE, LATTICE, REPLICAS, SPINS


@njit(error_model="numpy", nogil=True)
def gibbs(
    s,
    so,
    n,
    samples,
    h,
    ho,
    hs,
    hn,
    T,
    to,
    ts,
    tn,
    J,
    table,
    at,
    classes,
    sweeps,
    form,
    stream,
    first,
    sample,
    tick,
    key,
    spare,
):
    """Sweep the units of every sample, which stand at their old levels; ``sample`` is the first one's number.

    Unit i goes up where drive > T logit(u), u the uniform of element sample n + i. A class that may be coupled is
    updated from its old levels. h and T hold one number, one a unit, one a sweep (T), or one each.
    """
    order, rows = at + classes + 1, at + classes + 1 + n
    columns = rows + n + 1
    low, factor = (-1, 2) if form & SPINS else (0, 1)
    each, later, own = step(tn, n, sweeps)[0], step(tn, n, sweeps)[1], 0 if hn == 1 else 1
    u = spare[:n]
    for k in range(samples):
        v, field0, T0 = s[so + k * n : so + k * n + n], ho + k * hs, to + k * ts
        for sweep in range(sweeps):
            thermal.noise(u, 0, n, (sample + k) * n, tick, sweep, stream, key, False, spare[n:])
            for i in range(n):
                u[i] = (math.log(u[i]) - math.log(1 - u[i])) * T[T0 + sweep * later + i * each]
            for c in range(classes):
                for place in range(table[at + c], table[at + c + 1]):
                    i = table[order + place]
                    field = h[field0 + i * own]
                    for e in range(table[rows + i], table[rows + i + 1]):
                        field += J[first + e] * v[table[columns + e]]
                    up = factor * field > u[i]
                    if form & AT_ONCE:
                        u[i] = 1 if up else low
                    else:
                        v[i] = 1 if up else low
                if form & AT_ONCE:
                    for place in range(table[at + c], table[at + c + 1]):
                        v[table[order + place]] = u[table[order + place]]


@njit(error_model="numpy", nogil=True)
def step(tn, n, sweeps):
    """Return how far apart temperatures of neighbouring units and of following sweeps stand."""
    if tn == sweeps * n:
        return 1, n
    return (1, 0) if tn == n else (0, 0 if tn == 1 else 1)


def words(
    s,
    so,
    n,
    samples,
    h,
    ho,
    hs,
    hn,
    T,
    to,
    ts,
    tn,
    J,
    table,
    at,
    classes,
    sweeps,
    form,
    stream,
    first,
    sample,
    tick,
    key,
):
    """As ``gibbs``, where 64 units of a class or 64 samples share words: unit i goes up where U < P (``multispin``)."""
    even = tn <= sweeps and tn != n and ts == 0 and hn == 1 and hs == 0
    later = 0 if tn == 1 else 1
    rates = np.empty(sweeps)
    for sweep in range(sweeps if even else 0):
        rates[sweep] = T[to + sweep * later]
    if even and form & LATTICE:
        for k in range(samples):
            _lattice(s, so + k * n, n, float(h[ho]), rates, float(J[first]), form, stream, sample + k, tick, key)
    elif even and form & REPLICAS and _alike(J, table, at + classes + 1 + n, n, first, form):
        _replicas(s, so, n, samples, float(h[ho]), rates, J, table, at, classes, form, stream, first, sample, tick, key)
    else:
        each, after = step(tn, n, sweeps)
        for k in range(samples):
            _digits(
                s,
                so + k * n,
                n,
                h,
                ho + k * hs,
                0 if hn == 1 else 1,
                T,
                to + k * ts,
                each,
                after,
                J,
                table,
                at,
                classes,
                sweeps,
                form,
                stream,
                first,
                sample + k,
                tick,
                key,
            )


@njit(error_model="numpy", nogil=True)
def _digits(
    s, so, n, h, ho, own, T, to, each, after, J, table, at, classes, sweeps, form, stream, first, sample, tick, key
):
    """Sweep one sample, each unit by its bit of the words it shares."""
    order, rows = at + classes + 1, at + classes + 1 + n
    columns = rows + n + 1
    low, factor = (-1, 2) if form & SPINS else (0, 1)
    v = s[so : so + n]
    total = 0
    for c in range(classes):
        total += (table[at + c + 1] - table[at + c] + 63) // 64
    for sweep in range(sweeps):
        word = sample * total
        for c in range(classes):
            start = table[at + c]
            for place in range(start, table[at + c + 1]):
                i = table[order + place]
                field = h[ho + i * own]
                for e in range(table[rows + i], table[rows + i + 1]):
                    field += J[first + e] * v[table[columns + e]]
                P = multispin.threshold(float(factor * field), float(T[to + sweep * after + i * each]))
                element, bit = (
                    (sample // 64 * n + i, sample % 64)
                    if form & REPLICAS
                    else (
                        word + (place - start) // 64,
                        (place - start) % 64,
                    )
                )
                v[i] = 1 if multispin.below(P, element, bit, tick * sweeps + sweep, stream, key) else low
            word += (table[at + c + 1] - start + 63) // 64


@njit(error_model="numpy", nogil=True)
def _lattice(s, so, n, h, T, J, form, stream, sample, tick, key):
    """Pack a square lattice into words, sweep them, unpack."""
    L = round(math.sqrt(n))
    across = L // 128
    words = np.zeros((2, (L + 2) * across), np.uint64)
    parity = np.zeros(L * across, np.uint64)
    low = -1 if form & SPINS else 0
    for y in range(L):
        for w in range(across):
            parity[y * across + w] = multispin.NONE - np.uint64(y & 1)
        for x in range(L):
            if s[so + y * L + x] > 0:
                k = x // 2
                words[(x + y) & 1, (y + 1) * across + k // 64] |= multispin.ONE << np.uint64(k & 63)
    for c in range(2):
        for w in range(across):
            words[c, w], words[c, (L + 1) * across + w] = words[c, L * across + w], words[c, across + w]
    room, P = np.empty(multispin.ROOM, np.uint64), np.empty(multispin.COUNTS, np.uint64)
    first = sample * 2 * L * across
    multispin.lattice(words, L, J, h, T, form & SPINS > 0, stream, tick, key, first, room, P, parity)
    for y in range(L):
        for x in range(L):
            k = x // 2
            up = (words[(x + y) & 1, (y + 1) * across + k // 64] >> np.uint64(k & 63)) & multispin.ONE
            s[so + y * L + x] = 1 if up else low


@njit(error_model="numpy", nogil=True)
def _replicas(s, so, n, samples, h, T, J, table, at, classes, form, stream, first, sample, tick, key):
    """Pack the samples into words by unit, sweep them, unpack."""
    rows = at + classes + 1 + n
    begin, end = sample // 64, (sample + samples - 1) // 64 + 1
    groups, low = end - begin, -1 if form & SPINS else 0
    words = np.zeros(n * groups, np.uint64)
    for k in range(samples):
        group, bit = (sample + k) // 64 - begin, np.uint64((sample + k) % 64)
        for i in range(n):
            if s[so + k * n + i] > 0:
                words[i * groups + group] |= multispin.ONE << bit
    entries = table[rows + n]
    signs, size = np.zeros(entries, np.uint64), float(abs(J[first])) if entries else 0.0
    for e in range(entries):
        signs[e] = multispin.NONE - np.uint64(J[first + e] < 0)
    starts, order = table[at : at + classes + 1], table[at + classes + 1 : rows]
    room, P = np.empty(multispin.ROOM, np.uint64), np.empty(multispin.COUNTS, np.uint64)
    multispin.replicas(
        words,
        groups,
        signs,
        table,
        rows,
        order,
        starts,
        size,
        h,
        T,
        form & SPINS > 0,
        stream,
        tick,
        key,
        begin,
        room,
        P,
    )
    for k in range(samples):
        group, bit = (sample + k) // 64 - begin, np.uint64((sample + k) % 64)
        for i in range(n):
            s[so + k * n + i] = 1 if (words[i * groups + group] >> bit) & multispin.ONE else low


@njit(error_model="numpy", nogil=True)
def _alike(J, table, rows, n, first, form):
    """Tell whether all couplings are of one size, and of one sign for bits, and no unit has more than eight."""
    for i in range(n):
        if table[rows + i + 1] - table[rows + i] >= multispin.COUNTS:
            return False
    alike = True
    for e in range(table[rows + n]):
        alike = alike and abs(J[first + e]) == abs(J[first]) and (form & SPINS > 0 or J[first + e] > 0)
    return alike
