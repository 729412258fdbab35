"""Steps of populations of spiking units, on states in place: traces, and units whose spikes become lists."""

from __future__ import annotations

import numpy as np
from numba import njit

from thermoc.simulator.instructions.spiking import CHUNK, UNIT_PARAMETERS
from thermoc.simulator.kernels.operands import sample
from thermoc.simulator.kernels.simd.width import full_width
from thermoc.simulator.kernels.unit_rules import after_spike, membrane, passes, rested, trace

GROUP = 32
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
            kept = first if alike else keep[i]
            r[i] = trace(r[i], x[i], kept) if driven else kept * r[i]

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


def _advance(alike, rests):
    """Return the loop that integrates units, which are alike or have parameters each, and may rest or not.

    It marks in ``resting`` those that may have fired, and returns whether there is one: one at its threshold counts.
    """

    # parameters of each unit lie CHUNK apart in one array: LLVM compares the places of few arrays before it gives up,
    # and vectorises what lies at an unsigned place only (a signed one may count from the end)
    apart, offset_at, threshold_at = (np.uint64(k * (1 if alike else CHUNK)) for k in (1, 2, 3))

    @njit(error_model="numpy", nogil=True)
    def advance(v, resting, x, y, z):
        full_width()
        hot = np.uint16(0)
        keep, gain, offset, threshold = z[0], z[apart], z[offset_at], z[threshold_at]
        for i in range(v.size):
            if not alike:
                k = np.uint64(i)
                keep, gain, offset, threshold = z[k], z[k + apart], z[k + offset_at], z[k + threshold_at]
            new = membrane(v[i], x[i] + y[i], keep, gain, offset)
            # every unit is integrated and the result chosen: a branch would keep the loop from vectorising
            free = resting[i] == 0 if rests else True
            fires = free & (new >= threshold)
            v[i] = new if free else v[i]
            if rests:
                resting[i] = MARK if fires else rested(resting[i])
            hot |= np.uint16(fires)
        return hot

    return advance


advance, advance_each, advance_free, advance_free_each = (
    _advance(alike, rests) for rests in (False, True) for alike in (True, False)
)


def lif_step(r, x, y, z, float_states, int_states, membranes, counters, form, refractory, samples):
    """v = keep v + (gain (x + y) + offset), compare, reset, rest for some ticks; r gets the list of those that fired.

    z holds one number of each parameter, or for each chunk of units CHUNK of each. Few chunks hold a unit that fires:
    those are gone through again, unit by unit.
    """
    n, alike = r.size - 1, z.size == UNIT_PARAMETERS
    for s in range(samples):
        count, fired = 0, sample(r, s)
        state, rest = s * float_states.stride + membranes, s * int_states.stride + counters
        v = float_states.array[state : state + n]
        resting = int_states.array[rest : rest + ((n + 3) // 4 if refractory > 0 else 0)].view(np.uint16)
        xv, yv, parameters = sample(x, s), sample(y, s), sample(z, s)
        for start in range(0, n, CHUNK):
            stop = min(start + CHUNK, n)
            some = parameters if alike else parameters[start * UNIT_PARAMETERS : (start + CHUNK) * UNIT_PARAMETERS]
            units = v[start:stop], resting[start:stop], xv[start:stop], yv[start:stop], some
            if refractory > 0:
                hot = advance_free(*units) if alike else advance_free_each(*units)
            else:
                hot = advance(*units) if alike else advance_each(*units)
            # few units fire in a tick: a second look at their chunk alone costs little, a test within the first loop
            # much
            if hot:
                count = fire(fired, count, start, units, form, refractory)
        fired[0] = count


@njit(error_model="numpy", nogil=True)
def fire(fired, count, start, units, form, refractory):
    """Reset and list the units of a chunk that fire; return the length of the list."""
    v, resting, _, _, z = units
    alike = z.size == UNIT_PARAMETERS
    for group in range(0, v.size, GROUP):
        if refractory > 0 and not marked(resting[group : group + GROUP]):
            continue
        for i in range(group, min(group + GROUP, v.size)):
            if refractory > 0:
                if resting[i] != MARK:
                    continue
                resting[i] = 0
            threshold, v_reset = (z[3], z[4]) if alike else (z[3 * CHUNK + i], z[4 * CHUNK + i])
            # the vector loops compare with >=: here a unit at its threshold is told from one above it
            if passes(v[i], threshold, form):
                v[i] = after_spike(v[i], threshold, v_reset, form)
                if refractory > 0:
                    resting[i] = refractory
                count += 1
                fired[count] = start + i
    return count


@njit(error_model="numpy", nogil=True)
def marked(resting):
    """Return whether one of some units may have fired."""
    most = np.uint16(0)
    for i in range(resting.size):
        most = max(most, resting[i])
    return most == MARK


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
