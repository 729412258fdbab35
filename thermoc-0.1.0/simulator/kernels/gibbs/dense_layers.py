"""Layers of binary units, densely coupled from class to class: heat-bath updates as products of matrices (P6, P12)."""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

import numpy as np
from numba import njit

from thermoc.simulator.kernels.gibbs.lookups import DEEP, STATES, VECTOR_BYTES, add_states, lanes
from thermoc.simulator.kernels.gibbs.rows import step
from thermoc.simulator.kernels.operands import stopped
from thermoc.simulator.kernels.simd.normals import logits
from thermoc.simulator.kernels.thermal import HALF, LOW, philox, uniform32, uniform64
from thermoc.simulator.opcodes import COLUMNS, FOUR, SPINS


@njit(error_model="numpy", nogil=True, inline="always")
def gibbs_layers(
    s,
    so,
    n,
    samples,
    x,
    xo,
    xs,
    h,
    ho,
    hs,
    hn,
    T,
    to,
    ts,
    tn,
    w,
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
    halt,
):
    """Sweep the units of every sample from x to s as ``sampling.gibbs`` does, class by class for all samples.

    w holds from ``first`` on, for each class, the couplings of its units (columns, in bands of ``COLUMNS``) with those
    of the others (rows, in the order of the table, each class filled up to a multiple of ``FOUR``).
    """
    starts, order = table[at : at + classes + 1], table[at + classes + 1 : at + classes + 1 + n]
    spins, (each, later), own = form & SPINS > 0, step(tn, n, sweeps, form), 0 if hn == 1 else 1
    places, widest = np.zeros(classes + 1, np.int64), 0
    for c in range(classes):
        size = starts[c + 1] - starts[c]
        places[c + 1] = places[c] + (size + FOUR - 1) // FOUR
        widest = max(widest, (size + COLUMNS - 1) // COLUMNS * COLUMNS)
    groups = places[classes]
    codes, odd = np.zeros(samples * groups, np.uint16), np.zeros(samples, np.bool_)
    fields, tables = _aligned(samples * widest, s), _aligned(DEEP * STATES * lanes(s), s)
    u, row, up = np.empty(widest, s.dtype), np.empty(widest, s.dtype), np.zeros(widest, np.uint8)
    k0, k1 = np.uint64(key) & LOW, np.uint64(key) >> HALF
    for k in range(samples):
        v = s[so + k * n : so + k * n + n]
        for i in range(n):
            v[i] = x[xo + k * xs + i]
        odd[k] = _encode(v, order, starts, places, spins, codes[k * groups : k * groups + groups], up, row)
    for sweep in range(sweeps):
        if stopped(halt):
            return
        wo = first
        for c in range(classes):
            units = order[starts[c] : starts[c + 1]]
            columns = (units.size + COLUMNS - 1) // COLUMNS * COLUMNS
            rows = (groups - places[c + 1] + places[c]) * FOUR
            _fields(fields, samples, w, wo, rows, columns, places[c], places[c + 1], groups, spins, codes, tables)
            for k in range(samples):
                v = s[so + k * n : so + k * n + n]
                if odd[k] and sweep == 0:
                    _weigh(fields, k, samples, w, wo, rows, columns, v, order, starts, places, c)
                _uniforms(u[: units.size], units, (sample + k) * n, tick, sweep, stream, k0, k1)
                T0, h0 = to + k * ts + sweep * later, ho + k * hs
                _decide(v, units, fields, k, samples, u, row, h, h0, own, T, T0, each, spins, up)
                _pack(up, codes[k * groups + places[c] : k * groups + places[c + 1]])
            wo += rows * columns


@njit(error_model="numpy", nogil=True)
def _aligned(size, like):
    """Return an array whose first element stands at the start of a vector."""
    room = np.empty(size + lanes(like), like.dtype)
    skip = (-np.int64(room.ctypes.data)) % VECTOR_BYTES // like.itemsize
    return room[skip : skip + size]


@njit(error_model="numpy", nogil=True)
def _encode(v, order, starts, places, spins, codes, up, row):
    """Set the states of a sample's units, four a code; tell whether one stands at neither of its levels."""
    low, high, odd = v.dtype.type(-1 if spins else 0), v.dtype.type(1), False
    for c in range(starts.size - 1):
        units = order[starts[c] : starts[c + 1]]
        values = _part(v, units) if _in_a_row(units) else row[: units.size]
        if not _in_a_row(units):
            for j in range(units.size):
                values[j] = v[units[j]]
        for j in range(units.size):
            up[j] = values[j] > low
            odd |= (values[j] != low) & (values[j] != high)
        _fill(up, units.size)
        _pack(up, codes[places[c] : places[c + 1]])
    return odd


@njit(error_model="numpy", nogil=True)
def _in_a_row(units):
    """Tell whether units follow one another, so that loops over them need no look-up."""
    same = units.size > 0
    for j in range(units.size):
        same &= units[j] == units[0] + j
    return same


@njit(error_model="numpy", nogil=True)
def _part(v, units):
    """Return the values of units in a row."""
    return v[units[0] : units[0] + units.size]


@njit(error_model="numpy", nogil=True)
def _fill(up, size):
    """Let the units that fill up the last code be down: their rows are nought."""
    for j in range(size, min(up.size, size + FOUR)):
        up[j] = 0


@njit(error_model="numpy", nogil=True)
def _pack(up, codes):
    """Set the codes of units, which are where the entries of their tables start, in bytes."""
    for g in range(codes.size):
        state = up[FOUR * g] + 2 * up[FOUR * g + 1] + 4 * up[FOUR * g + 2] + 8 * up[FOUR * g + 3]
        codes[g] = state * VECTOR_BYTES


@njit(error_model="numpy", nogil=True)
def _fields(fields, samples, w, wo, rows, columns, begin, end, groups, spins, codes, tables):
    """Set what the units of all other classes do to those of one, vector by vector, sample by sample."""
    wide = lanes(fields)
    for j in range(0, columns, wide):
        place = j * samples
        fields[place : place + samples * wide] = 0
        band = wo + j // COLUMNS * rows * COLUMNS + j % COLUMNS
        add_states(fields, place, samples, w, band, begin, spins, codes, 0, groups, tables, 0)
        band += begin * FOUR * COLUMNS
        add_states(fields, place, samples, w, band, groups - end, spins, codes, end, groups, tables, 0)


@njit(error_model="numpy", nogil=True)
def _weigh(fields, k, samples, w, wo, rows, columns, v, order, starts, places, c):
    """As ``_fields`` for one sample whose units stand anywhere."""
    wide, row = lanes(fields), 0
    for j in range(columns):
        fields[j // wide * wide * samples + k * wide + j % wide] = 0
    for other in range(starts.size - 1):
        if other == c:
            continue
        for place in range(starts[other], starts[other + 1]):
            here = wo + (row + place - starts[other]) * COLUMNS
            for j in range(columns):
                weight = w[here + j // COLUMNS * rows * COLUMNS + j % COLUMNS]
                fields[j // wide * wide * samples + k * wide + j % wide] += weight * v[order[place]]
        row += (places[other + 1] - places[other]) * FOUR


@njit(error_model="numpy", nogil=True)
def _uniforms(u, units, first, tick, sweep, stream, k0, k1):
    """Set the uniforms of some units of a sample, element first + unit."""
    c1, c2, c3 = np.uint64(tick), np.uint64(sweep), np.uint64(stream)
    for j in range(u.size):
        w0, w1, _, _ = philox(np.uint64(first + units[j]), c1, c2, c3, k0, k1)
        u[j] = uniform32(w0) if u.itemsize == 4 else uniform64(w0, w1)


@njit(error_model="numpy", nogil=True)
def _decide(v, units, fields, k, samples, u, row, h, ho, own, T, to, each, spins, up):
    """Let each unit of a class go up where drive > T logit(u)."""
    n, wide = units.size, lanes(fields)
    logits(u[:n])
    for start in range(0, n, wide):
        place = start * samples + k * wide
        for lane in range(wide):
            row[start + lane] = fields[place + lane]
    if own == 0 and each == 0:
        field, t = h[ho], T[to]
        for j in range(n):
            drive = row[j] + field
            up[j] = (drive + drive if spins else drive) > t * u[j]
    else:
        for j in range(n):
            drive = row[j] + h[ho + units[j] * own]
            up[j] = (drive + drive if spins else drive) > T[to + units[j] * each] * u[j]
    _fill(up, n)
    low, high = v.dtype.type(-1 if spins else 0), v.dtype.type(1)
    if _in_a_row(units):
        values = _part(v, units)
        for j in range(n):
            values[j] = high if up[j] else low
    else:
        for j in range(n):
            v[units[j]] = high if up[j] else low
