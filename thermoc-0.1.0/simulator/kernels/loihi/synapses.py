"""Loihi's synapses: what arrives in a tick is added to a ring of activations, to be read one tick later or more.

The ring has a row for each tick to come; the row of the tick that ends is cleared and becomes the last. Sums are walked
by the messages that are not 0, so a unit that is silent costs nothing.
"""

from __future__ import annotations

from numba import njit

from thermoc.simulator.kernels.loihi.units import HALF, TURN, narrow

GRADED = 1
"""The form of a synapse, in bits: messages count as what they are, not as 1. Above it a shift: 8 + to the left of a
convolution, to the right of the others."""
SIZES = 15
"""Of a convolution, in the table: channels, height, width; out, height, width; window; stride; padding in front;
dilation; groups."""


@njit(error_model="numpy", nogil=True)
def arrive(r, ro, n, samples, states, so, width):
    """r = a row of the ring, brought into 32 bits."""
    for s in range(samples):
        rv, kept = r[ro + s * n : ro + s * n + n], states[so + s * width : so + s * width + n]
        for i in range(n):
            rv[i] = narrow(kept[i])


@njit(error_model="numpy", nogil=True)
def walk(r, graded, x, m, listed, w, wo, table, starts, targets, whole, base):
    """Add up the connections of every unit that sends: x holds a message a unit, or lists those that fired.

    whole: each unit is connected to all, its weights side by side in w; else r[base + target] += weight message over a
    unit's connections, around the end of the ring: target and weight stand in the table, one behind the other.
    """
    size = r.size
    for k in range(min(x[0], m) if listed else m):
        unit = x[1 + k] if listed else k
        if not 0 <= unit < m or (not listed and x[k] == 0):
            continue
        message = x[k] if graded and not listed else 1
        if whole:
            wv = w[wo + unit * size : wo + unit * size + size]
            for i in range(size):
                r[i] += wv[i] * message
            continue
        for e in range(table[starts + unit], table[starts + unit + 1]):
            place = base + table[targets + 2 * e]
            r[place - size if place >= size else place] += table[targets + 2 * e + 1] * message


@njit(error_model="numpy", nogil=True, inline="always")
def synapse(
    work,
    ro,
    samples,
    states,
    so,
    width,
    n,
    rows,
    now,
    x,
    xo,
    xs,
    xn,
    listed,
    w,
    wo,
    table,
    starts,
    targets,
    whole,
    form,
):
    """Clear row ``now`` of the ring of ``rows`` rows of n, and add what x sends to the rows that follow it.

    A shift to the right is taken of the whole sum: then ``work`` holds the sum, row by row.
    """
    size, shift, m = rows * n, form >> 1, xn - 1 if listed else xn
    base = (now + 1) % rows * n
    for s in range(samples):
        ring, xv = states[so + s * width : so + s * width + size], x[xo + s * xs : xo + s * xs + xn]
        ring[now * n : now * n + n] = 0
        if shift == 0:
            walk(ring, form & GRADED, xv, m, listed, w, wo, table, starts, targets, whole, base)
            continue
        sums = work[ro + s * size : ro + s * size + size]
        sums[:] = 0
        walk(sums, form & GRADED, xv, m, listed, w, wo, table, starts, targets, whole, 0)
        for i in range(size):
            place = base + i
            ring[place - size if place >= size else place] += sums[i] >> shift


@njit(error_model="numpy", nogil=True, inline="always")
def conv(work, ro, n, samples, states, so, width, x, xo, xs, w, wo, table, at, form):
    """The buffer becomes the correlation of x with the window, wrapped to 24 bits; weights lie (channel, y, x, out)."""
    channels, height, long, out, rows, columns = (
        table[at],
        table[at + 1],
        table[at + 2],
        table[at + 3],
        table[at + 4],
        table[at + 5],
    )
    tall, wide, sy, sx, py, px = (
        table[at + 6],
        table[at + 7],
        table[at + 8],
        table[at + 9],
        table[at + 10],
        table[at + 11],
    )
    dy, dx, groups = table[at + 12], table[at + 13], table[at + 14]
    own, plane, shift = out // groups, rows * columns, (form >> 1) - 8
    for s in range(samples):
        sums = work[ro + s * n : ro + s * n + n]
        sums[:] = 0
        for place in range(channels * height * long):
            message = x[xo + s * xs + place]
            if message == 0:
                continue
            message = message if form & GRADED else 1
            channel, i, j = place // (height * long), place // long % height, place % long
            first = channel // (channels // groups) * own
            for ky in range(tall):
                y = i + py - ky * dy
                if y < 0 or y % sy or y // sy >= rows:
                    continue
                for kx in range(wide):
                    z = j + px - kx * dx
                    if z < 0 or z % sx or z // sx >= columns:
                        continue
                    weight = wo + ((channel * tall + ky) * wide + kx) * own
                    target = first * plane + y // sy * columns + z // sx
                    for k in range(own):
                        sums[target + k * plane] += w[weight + k] * message
        for i in range(n):
            total = sums[i] << shift if shift >= 0 else sums[i] >> -shift
            states[so + s * width + i] = ((total + HALF) & (TURN - 1)) - HALF
