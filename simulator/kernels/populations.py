"""Steps of populations of spiking units, on states in place: traces, and units whose spikes become lists."""

from __future__ import annotations

import numpy as np
from numba import njit

from thermoc.simulator.instructions.spiking import CHUNK, GREATER_EQUAL, UNIT_PARAMETERS
from thermoc.simulator.kernels.operands import sample
from thermoc.simulator.kernels.simd.listing import append_passing
from thermoc.simulator.kernels.simd.width import full_width
from thermoc.simulator.kernels.unit_rules import after_spike, membrane, passes, rested, trace

ALIKE = 4096
"""Units with the same parameters that are looked at together."""
GROUP = 64
"""Of a chunk in which a unit may have fired, those that are looked at together again."""
MARK = np.uint16(2**16 - 1)
"""In place of the ticks that a unit rests: it may have fired."""


def _traces(alike, driven):
    """Return the loop r = keep r + x over units, which are alike or each have a ``keep``; x is left out or not."""

    @njit(error_model="numpy", nogil=True)
    def step(r, x, keep):
        full_width()
        first = keep[0]
        for i in range(r.size):
            factor = first if alike else keep[i]
            r[i] = trace(r[i], x[i], factor) if driven else factor * r[i]

    return step


decay, decay_each, add_trace, add_trace_each = (_traces(a, d) for d in (False, True) for a in (True, False))


def trace_step(r, x, y, samples):
    """r[s, i] = y[s, i] r[s, i] + x[s, i]; without x where it is not given."""
    for s in range(samples if r.size else 0):
        rv, xv, keep = sample(r, s), sample(x, s), sample(y, s)
        if y.size == 1:
            add_trace(rv, xv, keep) if x.given else decay(rv, xv, keep)
        else:
            add_trace_each(rv, xv, keep) if x.given else decay_each(rv, xv, keep)


def _advance(alike):
    """Return the loop that integrates units, alike or with parameters each; it returns whether one may have fired.

    That is one at its threshold, which is compared again by the rule of ``form``.
    """
    gain_at, offset_at, threshold_at = _places(alike)

    @njit(error_model="numpy", nogil=True)
    def advance(v, x, y, z):
        full_width()
        hot, keep, gain, offset, threshold = np.int32(0), z[0], z[gain_at], z[offset_at], z[threshold_at]
        for i in range(v.size):
            if not alike:
                k = np.uint64(i)
                keep, gain, offset, threshold = z[k], z[k + gain_at], z[k + offset_at], z[k + threshold_at]
            v[i] = membrane(v[i], x[i] + y[i], keep, gain, offset)
            hot = np.int32(hot | np.int32(v[i] >= threshold))
        return hot > 0

    return advance


def _advance_rested(alike):
    """Return the loop that integrates units which do not rest and counts down the others.

    Those that may have fired get a MARK in ``resting``.
    """
    gain_at, offset_at, threshold_at = _places(alike)

    @njit(error_model="numpy", nogil=True)
    def advance(v, resting, x, y, z):
        full_width()
        keep, gain, offset, threshold = z[0], z[gain_at], z[offset_at], z[threshold_at]
        for i in range(v.size):
            if not alike:
                k = np.uint64(i)
                keep, gain, offset, threshold = z[k], z[k + gain_at], z[k + offset_at], z[k + threshold_at]
            old, left = v[i], resting[i]
            # every unit is integrated and the result chosen: a branch would keep the loop from vectorising
            new, free = membrane(old, x[i] + y[i], keep, gain, offset), left == 0
            v[i] = new if free else old
            resting[i] = MARK if free & (new >= threshold) else rested(left)

    return advance


def _places(alike):
    """Return where gain, offset and threshold stand behind ``keep``.

    Of each unit they lie CHUNK apart in one array: LLVM compares the places of few arrays before it gives up, and
    vectorises what lies at an unsigned place only (a signed one may count from the end).
    """
    return tuple(np.uint64(k * (1 if alike else CHUNK)) for k in (1, 2, 3))


advance, advance_each = _advance(True), _advance(False)
advance_rested, advance_rested_each = _advance_rested(True), _advance_rested(False)


def lif_step(r, x, y, z, float_states, int_states, membranes, counters, form, refractory, samples):
    """v = keep v + (gain (x + y) + offset), compare, reset, rest for some ticks; r gets the list of those that fired.

    z holds one number of each parameter, or for each chunk of units CHUNK of each. Few chunks hold a unit that fires:
    those are gone through again, unit by unit.
    """
    n, alike = r.size - 1, z.size == UNIT_PARAMETERS
    chunk = ALIKE if alike else CHUNK
    for s in range(samples):
        count, fired = 0, sample(r, s)
        state, rest = s * float_states.stride + membranes, s * int_states.stride + counters
        v = float_states.array[state : state + n]
        resting = int_states.array[rest : rest + ((n + 3) // 4 if refractory > 0 else 0)].view(np.uint16)
        xv, yv, parameters = sample(x, s), sample(y, s), sample(z, s)
        for start in range(0, n, chunk):
            stop = min(start + chunk, n)
            some = parameters if alike else parameters[start * UNIT_PARAMETERS : (start + CHUNK) * UNIT_PARAMETERS]
            units, left = (v[start:stop], xv[start:stop], yv[start:stop], some), resting[start:stop]
            if refractory > 0:
                hot = step_rested(units, left, alike)
            else:
                hot = advance(*units) if alike else advance_each(*units)
            # few units fire in a tick: a second look at their chunk alone costs little, a test within the first loop
            # much
            if hot:
                count = fire(fired, count, start, units, left, form, refractory)
        fired[0] = count


@njit(error_model="numpy", nogil=True)
def step_rested(units, resting, alike):
    """Integrate units that may rest; return whether one may have fired."""
    v, x, y, z = units
    if alike:
        advance_rested(v, resting, x, y, z)
    else:
        advance_rested_each(v, resting, x, y, z)
    return marked(resting)


@njit(error_model="numpy", nogil=True)
def fire(fired, count, start, units, resting, form, refractory):
    """Reset and list the units of a chunk that fire; return the length of the list."""
    v, _, _, z = units
    if refractory == 0:
        return fire_all(fired, count, start, v, z, form)
    for group in range(0, v.size, GROUP):
        some, left = v[group : group + GROUP], resting[group : group + GROUP]
        if marked(left):
            count = fire_rested_group(fired, count, start + group, some, left, z, group, form, refractory)
    return count


@njit(error_model="numpy", nogil=True)
def fire_all(fired, count, start, v, z, form):
    """The same of units that never rest."""
    if z.size == UNIT_PARAMETERS:
        before, threshold, v_reset = count, z[3], z[4]
        count = append_passing(fired, 1 + count, v, start, threshold, form & GREATER_EQUAL > 0) - 1
        for k in range(before, count):
            i = np.uint64(fired[1 + k] - start)
            v[i] = after_spike(v[i], threshold, v_reset, form)
        return count
    for i in range(v.size):
        if passes(v[i], z[3 * CHUNK + i], form):
            v[i] = after_spike(v[i], z[3 * CHUNK + i], z[4 * CHUNK + i], form)
            count += 1
            fired[count] = start + i
    return count


@njit(error_model="numpy", nogil=True)
def fire_rested_group(fired, count, start, v, resting, z, group, form, refractory):
    """The same of those that have a MARK, which rest afterwards."""
    alike = z.size == UNIT_PARAMETERS
    for i in range(v.size):
        if resting[i] != MARK:
            continue
        threshold, v_reset = (z[3], z[4]) if alike else (z[3 * CHUNK + group + i], z[4 * CHUNK + group + i])
        resting[i] = 0
        # the vector loops compare with >=: here a unit at its threshold is told from one above it
        if passes(v[i], threshold, form):
            v[i], resting[i] = after_spike(v[i], threshold, v_reset, form), refractory
            count += 1
            fired[count] = start + i
    return count


@njit(error_model="numpy", nogil=True)
def marked(resting):
    """Return whether one of some units may have fired."""
    full_width()
    largest = np.uint16(0)
    for i in range(resting.size):
        largest = max(largest, resting[i])
    return largest == MARK


def spread(r, x, samples):
    """r[s, i] = 1 where the list holds i, else 0."""
    for s in range(samples):
        rv, xv = sample(r, s), sample(x, s)
        for i in range(r.size):
            rv[i] = 0
        for k in range(min(xv[0], r.size)):
            unit = xv[1 + k]
            if 0 <= unit < r.size:
                rv[unit] = 1
