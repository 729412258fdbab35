"""Loihi's units, a point a unit: the rules of ``loihi.units``, ``loihi.noise`` and ``loihi.conversion``."""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

import numpy as np

from thermoc.simulator.instructions.loihi import (
    AT_LEAST,
    CUMULATIVE,
    LAG,
    LEAST,
    RECTIFIED,
    SPIN,
    SPREAD,
    SUBTRACT,
    SUMMED,
    TURN_LAG,
)
from thermoc.simulator.kernels.loihi.conversion import encoded
from thermoc.simulator.kernels.loihi.noise import gumbel, logit, normal
from thermoc.simulator.kernels.loihi.units import (
    TURN,
    clipped,
    decayed,
    floored,
    narrow,
    relaxed,
    row_of_probabilities,
    wrapped,
)
from thermoc.simulator.kernels.points import lists
from thermoc.simulator.kernels.scalar.primitives import float64
from thermoc.simulator.kernels.thermal import HALF, LOW, philox


def encode(xi, scale, top):
    """rint(x scale), clipped; scale is the bits of a float64."""
    return encoded(xi, float64(scale), top)


def decode(xi, scale):
    """x / scale, in float64."""
    return np.float64(xi) / float64(scale)


def total(xi, yi, zi, z_given):
    """x + y, or x + y + z."""
    return narrow(xi + yi + zi) if z_given else narrow(xi + yi)


def graded(xi, yi, threshold, shift, magnitude):
    """z where z > threshold, or |z| > threshold, else 0; z = (x + bias) >> shift, clipped."""
    z = clipped((xi + yi) >> shift)
    return z if (abs(z) if magnitude else z) > threshold else np.int64(0)


def lookup(xi, yi, z, shift):
    """z[((x + bias) >> shift) + half the length of z], the nearest entry outside."""
    return narrow(z[min(max(((xi + yi) >> shift) + z.size // 2, 0), z.size - 1)])


def sigma(xi, int_states, at, i):
    """The sum += x."""
    int_states[at + i] = narrow(int_states[at + i] + xi)
    return int_states[at + i]


def delta(xi, yi, int_states, parameters, n, i):
    """What is sent of a change."""
    at, threshold, scale, shift, form = parameters
    value, slot = xi, at + i
    if form & SUMMED:
        int_states[slot] = narrow(int_states[slot] + value)
        value = int_states[slot] + yi
        slot += n
    act = narrow(value << scale)
    if form & RECTIFIED:
        act = max(act, 0)
    change = narrow(act - int_states[slot] + int_states[slot + n])
    error = narrow(int_states[slot + 2 * n] + (change if form & CUMULATIVE else 0))
    judged = error if form & CUMULATIVE else change
    # |judged| in 32 bits: that of -2^31 is negative, as on the chip
    sent = change if max(judged, narrow(-judged)) >= threshold else np.int64(0)
    if form & CUMULATIVE and sent != 0:
        error = 0
    int_states[slot], int_states[slot + n] = act, narrow(change - sent)
    int_states[slot + 2 * n] = narrow(error)
    return narrow(sent >> shift)


def heat(xi, yi, int_states, parameters, tick, i):
    """T after a tick; its place is what is returned to nobody."""
    at, loss, gain, floor, lag = parameters
    if tick >= lag:
        T = int_states[at + i]
        warmed = T - decayed(T - yi, loss) + (xi * gain >> 12)
        int_states[at + i] = min(max(warmed, floor), TURN - 1)


def heat_node(xi, yi, int_states, at, every, lag, tick, n, i):
    """T, after its step where this tick has one."""
    if tick > lag and (tick - lag) % every == 0:
        quanta = int_states[at + n + i] + xi
        d = floored(quanta, yi)
        int_states[at + i] = clipped(int_states[at + i] + d)
        int_states[at + n + i] = narrow(quanta - d * yi)
    return int_states[at + i]


def lif(r, x, y, parameters, int_states, int_scratch, tick, phase, i):
    """Unit i's step, then its part in the list of those that fired."""
    currents, membranes, du, dv, threshold, form = parameters
    if phase != lists.MARK:
        lists.build(phase, int_scratch, r, i)
        return
    if tick < form // LAG or i >= r.size - 1:
        return
    u = wrapped(decayed(int_states[currents + i], 4095 - du) + (x[i] << 6))
    v = clipped(decayed(int_states[membranes + i], 4096 - dv) + u + y[i if y.size > 1 else 0])
    if v >= threshold + (0 if form & AT_LEAST else 1):
        v = v - threshold if form & SUBTRACT else np.int64(0)
        lists.mark(int_scratch, i)
    int_states[currents + i], int_states[membranes + i] = u, v


def fermi_dirac(xi, yi, z, parameters, int_states, position, n, i):
    """Unit i goes up where it is its turn and x + bias > (T logit) >> 20; z: bias of each unit, then its turn."""
    at, turns, sweeps, _, stream, form = parameters
    step = position.tick - form // TURN_LAG
    # before, the messages that make up its field have not arrived yet
    if step >= 0 and z[n + i] == step % turns:
        k0, k1 = np.uint64(position.key) & LOW, np.uint64(position.key) >> HALF
        c1, c2 = np.uint64(step // (turns * sweeps)), np.uint64(step // turns % sweeps)
        word = philox(np.uint64(position.sample * n + i), c1, c2, np.uint64(stream), k0, k1)[0]
        low = -1 if form & SPIN else 0
        int_states[at + i] = 1 if xi + z[i] > yi * logit(word) >> 20 else low
    return int_states[at + i]


def categorical(r, x, y, z, units, lag, stream, position, i):
    """Row i: one unit is 1, that of the least ((x + bias) << 20) + T g, the first of equals."""
    k0, k1 = np.uint64(position.key) & LOW, np.uint64(position.key) >> HALF
    best, lowest = i * units, np.int64(0)
    for j in range(i * units, (i + 1) * units):
        r[j] = 0
        if position.tick < lag:
            continue
        element, tick = np.uint64(position.sample * r.size + j), np.uint64(position.tick - lag)
        word = philox(element, tick, np.uint64(0), np.uint64(stream), k0, k1)[0]
        drive = x[j] + z[j if z.size > 1 else 0]
        energy = (drive << 20) + y[j if y.size > 1 else 0] * gumbel(word)
        if j == i * units or energy < lowest:
            best, lowest = j, energy
    if position.tick >= lag:
        r[best] = 1


def boltzmann(r, x, y, z, units, lag, fraction, tick, i):
    """Row i of probabilities."""
    row_of_probabilities(r, x, y, z, i * units, (i + 1) * units, fraction, tick >= lag)


def memory(xi, yi, parameters, int_states, position, n, i):
    """m = clip(decay of m + (x gain >> 12) + (y z >> 12))."""
    at, gain, keep, lag, stream = parameters
    if position.tick >= lag:
        k0, k1 = np.uint64(position.key) & LOW, np.uint64(position.key) >> HALF
        element, tick = np.uint64(position.sample * n + i), np.uint64(position.tick - lag)
        block = philox(element, tick, np.uint64(0), np.uint64(stream), k0, k1)
        noise = yi * normal(block[0], block[2]) >> 12
        int_states[at + i] = clipped(decayed(int_states[at + i], keep) + (xi * gain >> 12) + noise)


def relaxation(xi, yi, z, parameters, int_states, position, n, i):
    """m = clip(what is left of it + (x << lift) + (y normal << spread)); z: loss of each unit, then its shift."""
    at, floor, every, lag, stream, form = parameters
    since = position.tick - lag
    if since >= 0 and (since + 1) % every == 0:
        k0, k1 = np.uint64(position.key) & LOW, np.uint64(position.key) >> HALF
        element = np.uint64(position.sample * n + i)
        block = philox(element, np.uint64(since // every), np.uint64(0), np.uint64(stream), k0, k1)
        given = (xi << form % SPREAD) + (yi * normal(block[0], block[2]) << form // SPREAD)
        m, rest = int_states[at + i], int_states[at + n + i]
        int_states[at + n + i], int_states[at + i] = relaxed(m, rest, z[i], z[n + i], given, floor - LEAST)
