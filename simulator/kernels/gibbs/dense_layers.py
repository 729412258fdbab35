"""Layers of binary units, densely coupled from class to class: heat-bath updates as products of matrices (P6, P12)."""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from thermoc.simulator.instructions.gibbs import COLUMNS, FOUR, SPINS
from thermoc.simulator.kernels import scalar
from thermoc.simulator.kernels.gibbs.lookups import DEEP, STATES, VECTOR_BYTES, add_states, lanes
from thermoc.simulator.kernels.gibbs.rows import Rates, step
from thermoc.simulator.kernels.operands import sample, stopped
from thermoc.simulator.kernels.thermal import HALF, LOW, philox, uniform32, uniform64


class LayerTables(NamedTuple):
    """Classes of units: where each starts in ``order``, and its states among the ``groups`` codes of a sample.

    w holds from ``first`` on, for each class, the couplings of its units (columns, in bands of ``COLUMNS``) with those
    of the others (rows, in the order of the table, each class filled up to a multiple of ``FOUR``).
    """

    starts: Any
    order: Any
    places: Any
    groups: Any
    w: Any


class ClassMatrix(NamedTuple):
    """The couplings of one class: where they start in w, and how many rows and columns they are."""

    number: int
    first: int
    rows: int
    columns: int


class LevelCodes(NamedTuple):
    """Levels of the units of all samples, four a code, and whether levels are spins."""

    codes: Any
    spins: bool


def gibbs_layers(r, x, y, z, parameters, samples, table, constants, position, halt):
    """Sweep the units of every sample from x to r as ``sampling.gibbs`` does, class by class for all samples."""
    at, classes, sweeps, form, stream, first = parameters
    n, starts = r.size, table[at : at + classes + 1]
    order = table[at + classes + 1 : at + classes + 1 + n]
    (unit_step, later), field_step = step(z.size, n, sweeps, form), 0 if y.size == 1 else 1
    places, widest = np.zeros(classes + 1, np.int64), 0
    for c in range(classes):
        size = starts[c + 1] - starts[c]
        places[c + 1] = places[c] + (size + FOUR - 1) // FOUR
        widest = max(widest, (size + COLUMNS - 1) // COLUMNS * COLUMNS)
    groups = places[classes]
    layers = LayerTables(starts, order, places, groups, constants)
    states, odd = LevelCodes(np.zeros(samples * groups, np.uint16), form & SPINS > 0), np.zeros(samples, np.bool_)
    # vectors that straddle two cache lines are loaded at half the speed
    fields, tables = _aligned(samples * widest, r.array), _aligned(DEEP * STATES * lanes(r.array), r.array)
    u, row, up = np.empty(widest, r.array.dtype), np.empty(widest, r.array.dtype), np.zeros(widest, np.uint8)
    for k in range(samples):
        v, old = sample(r, k), sample(x, k)
        for i in range(n):
            v[i] = old[i]
        odd[k] = _encode(v, layers, states, k, up, row)
    for sweep in range(sweeps):
        if stopped(halt):
            return
        matrix_first = first
        for c in range(classes):
            units = order[starts[c] : starts[c + 1]]
            columns = (units.size + COLUMNS - 1) // COLUMNS * COLUMNS
            matrix = ClassMatrix(c, matrix_first, (groups - places[c + 1] + places[c]) * FOUR, columns)
            # the fields of all samples before any of them is updated: each table of 16 sums then serves the whole block
            _fields(fields, samples, layers, matrix, states, tables)
            for k in range(samples):
                v = sample(r, k)
                # an initial state may stand between the levels; after one sweep none does
                if odd[k] and sweep == 0:
                    _weigh(fields, k, samples, layers, matrix, v)
                _uniforms(u[: units.size], units, n, k, sweep, stream, position)
                _drives(row, fields, k, samples, u[: units.size])
                rates = Rates(sample(y, k), field_step, sample(z, k)[sweep * later :], unit_step, later)
                _decide(v, units, u, row, rates, states.spins, up)
                _pack(up, states.codes[k * groups + places[c] : k * groups + places[c + 1]])
            matrix_first += matrix.rows * columns


@njit(error_model="numpy", nogil=True)
def _aligned(size, like):
    """Return an array whose first element stands at the start of a vector."""
    padded = np.empty(size + lanes(like), like.dtype)
    skip = (-np.int64(padded.ctypes.data)) % VECTOR_BYTES // like.itemsize
    return padded[skip : skip + size]


@njit(error_model="numpy", nogil=True)
def _encode(v, layers, states, k, up, row):
    """Set the codes of a sample's units; return whether one stands at neither of its levels."""
    low, high, odd = v.dtype.type(-1 if states.spins else 0), v.dtype.type(1), False
    codes = states.codes[k * layers.groups : (k + 1) * layers.groups]
    for c in range(layers.starts.size - 1):
        units = layers.order[layers.starts[c] : layers.starts[c + 1]]
        values = _span(v, units) if _in_a_row(units) else row[: units.size]
        if not _in_a_row(units):
            for j in range(units.size):
                values[j] = v[units[j]]
        for j in range(units.size):
            up[j] = values[j] > low
            # & and |=, where ``and`` would branch and keep the loop from vectorising
            odd |= (values[j] != low) & (values[j] != high)
        _fill(up, units.size)
        _pack(up, codes[layers.places[c] : layers.places[c + 1]])
    return odd


@njit(error_model="numpy", nogil=True)
def _in_a_row(units):
    """Return whether units follow one another, so that loops over them need no look-up."""
    same = units.size > 0
    for j in range(units.size):
        same &= units[j] == units[0] + j
    return same


@njit(error_model="numpy", nogil=True)
def _span(v, units):
    """Return the values of units in a row."""
    return v[units[0] : units[0] + units.size]


@njit(error_model="numpy", nogil=True)
def _fill(up, size):
    """Let the units that fill up the last code be down: their rows are zero."""
    for j in range(size, min(up.size, size + FOUR)):
        up[j] = 0


@njit(error_model="numpy", nogil=True)
def _pack(up, codes):
    """Set the codes of units, which are where the entries of their tables start, in bytes."""
    for g in range(codes.size):
        state = up[FOUR * g] + 2 * up[FOUR * g + 1] + 4 * up[FOUR * g + 2] + 8 * up[FOUR * g + 3]
        codes[g] = state * VECTOR_BYTES


@njit(error_model="numpy", nogil=True)
def _fields(fields, samples, layers, matrix, states, tables):
    """Set what the units of all other classes do to those of one, vector by vector, sample by sample."""
    wide, spins, groups = lanes(fields), states.spins, layers.groups
    begin, last_group = layers.places[matrix.number], layers.places[matrix.number + 1]
    for j in range(0, matrix.columns, wide):
        vector = fields[j * samples : (j + wide) * samples]
        vector[:] = 0
        band = matrix.first + j // COLUMNS * matrix.rows * COLUMNS + j % COLUMNS
        add_states(vector, samples, layers.w, band, begin, spins, states.codes, 0, groups, tables)
        # units of a class are not coupled: the matrix has no rows for them, and their codes are passed over
        band += begin * FOUR * COLUMNS
        add_states(
            vector, samples, layers.w, band, groups - last_group, spins, states.codes, last_group, groups, tables
        )


@njit(error_model="numpy", nogil=True)
def _weigh(fields, k, samples, layers, matrix, v):
    """As ``_fields`` for one sample whose units stand anywhere: codes know two levels, so it is weighed in full."""
    wide, row, starts, places = lanes(fields), 0, layers.starts, layers.places
    for j in range(matrix.columns):
        fields[j // wide * wide * samples + k * wide + j % wide] = 0
    for source_class in range(starts.size - 1):
        if source_class == matrix.number:
            continue
        for position_in_class in range(starts[source_class], starts[source_class + 1]):
            at_weight = matrix.first + (row + position_in_class - starts[source_class]) * COLUMNS
            for j in range(matrix.columns):
                weight = layers.w[at_weight + j // COLUMNS * matrix.rows * COLUMNS + j % COLUMNS]
                fields[j // wide * wide * samples + k * wide + j % wide] += weight * v[layers.order[position_in_class]]
        row += (places[source_class + 1] - places[source_class]) * FOUR


@njit(error_model="numpy", nogil=True)
def _uniforms(u, units, n, k, sweep, stream, position):
    """Set the uniforms of some units of sample k, element (sample + k) n + unit."""
    k0, k1 = np.uint64(position.key) & LOW, np.uint64(position.key) >> HALF
    c1, c2, c3 = np.uint64(position.tick), np.uint64(sweep), np.uint64(stream)
    first = (position.sample + k) * n
    for j in range(u.size):
        # counted by the unit's number, not its place in the class: the same noise as ``rows.gibbs`` draws
        w0, w1, _, _ = philox(np.uint64(first + units[j]), c1, c2, c3, k0, k1)
        u[j] = uniform32(w0) if u.itemsize == 4 else uniform64(w0, w1)


@njit(error_model="numpy", nogil=True)
def _drives(row, fields, k, samples, u):
    """Set the fields of one sample side by side, and u to its logits."""
    wide = lanes(fields)
    for j in range(u.size):
        u[j] = scalar.logit(u[j])
    # fields lie vector by vector for all samples; side by side they let ``_decide`` run in vectors
    for start in range(0, u.size, wide):
        position_in_class = start * samples + k * wide
        for lane in range(wide):
            row[start + lane] = fields[position_in_class + lane]


@njit(error_model="numpy", nogil=True)
def _decide(v, units, u, row, rates, spins, up):
    """Let each unit of a class go up where drive > T logit(u)."""
    n, h, T = units.size, rates.h, rates.T
    # the common case apart: its loop reads no index and vectorises
    if rates.own == 0 and rates.each == 0:
        field, t = h[0], T[0]
        for j in range(n):
            # drive + drive: Numba types 2 * drive as float64 where drive is a float32
            drive = row[j] + field
            up[j] = (drive + drive if spins else drive) > t * u[j]
    else:
        for j in range(n):
            drive = row[j] + h[units[j] * rates.own]
            up[j] = (drive + drive if spins else drive) > T[units[j] * rates.each] * u[j]
    _fill(up, n)
    low, high = v.dtype.type(-1 if spins else 0), v.dtype.type(1)
    if _in_a_row(units):
        values = _span(v, units)
        for j in range(n):
            values[j] = high if up[j] else low
    else:
        for j in range(n):
            v[units[j]] = high if up[j] else low
