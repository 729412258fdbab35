"""Products of spikes with a matrix: by events where few units fire, else by the dense product; the bits are the same.

Both sum in the order of the units, each product entering by one fused operation. A unit that does not fire adds 0 to a
sum, which changes nothing but the sign of a zero: that is dropped at the end. It would change much where a weight is
infinite or not a number, so there the product is dense.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from thermoc.simulator.instructions.spiking import FEW
from thermoc.simulator.kernels.operands import sample
from thermoc.simulator.kernels.simd.gathered import sum_chosen
from thermoc.simulator.kernels.simd.listing import append_nonzero
from thermoc.simulator.kernels.simd.tiles import add_product
from thermoc.simulator.kernels.simd.width import full_width


def spike_matmul(r, x, y, z, rows, inner, columns, finite, samples):
    """r = z + x y for x (rows, inner) of every sample and y (inner, columns); z is one row."""
    sent, outputs = rows * inner, rows * columns
    # all samples meet one matrix, most times: each part of it is then read once for all
    some = samples if x.stride == sent and y.stride == 0 and z.stride == 0 else 1
    for s in range(0, samples, some):
        results = r.array[s * outputs : (s + some) * outputs]
        spikes = x.array[s * x.stride : s * x.stride + some * sent]
        bias = sample(z, s) if z.given else np.zeros(columns, r.array.dtype)
        firing = count(spikes)
        if few(firing, spikes.size, sample(y, s), finite):
            sum_chosen(results, bias, spikes, inner, sample(y, s), columns, *chosen(spikes, inner, firing))
        else:
            dense(results, bias, spikes, sample(y, s), inner)


def listed_matmul(r, x, y, z, rows, inner, columns, finite, samples):
    """The same of one row of each sample, whose list x holds which units fire."""
    some = samples if y.stride == 0 and z.stride == 0 else 1
    for s in range(0, samples, some):
        results = r.array[s * columns : (s + some) * columns]
        bias = sample(z, s) if z.given else np.zeros(columns, r.array.dtype)
        units, ends = listed(x, s, some)
        if few(units.size, some * inner, sample(y, s), finite):
            ones = np.ones(inner, r.array.dtype)
            sum_chosen(results, bias, ones, 0, sample(y, s), columns, units, ends)
        else:
            dense(results, bias, spread(units, ends, inner, r.array.dtype), sample(y, s), inner)


@njit(error_model="numpy", nogil=True)
def few(firing, units, y, finite):
    """Return whether the sum is to go by events."""
    return firing <= FEW * units and (finite or no_special(y))


@njit(error_model="numpy", nogil=True)
def dense(r, z, x, y, inner):
    """r = z + x y for rows that lie end to end."""
    columns = z.size
    for i in range(0, r.size, columns):
        r[i : i + columns] = z
    add_product(r, 0, x, 0, y, 0, x.size // inner, inner, columns)
    unsigned_zeros(r)


@njit(error_model="numpy", nogil=True)
def listed(x, first, samples):
    """Return the units that some samples' lists name, and where each one's begin and end."""
    ends = np.zeros(samples + 1, np.int64)
    for s in range(samples):
        ends[s + 1] = ends[s] + max(0, min(sample(x, first + s)[0], x.size - 1))
    units, filled, start = np.empty(ends[samples], np.int32), 0, 0
    for s in range(samples):
        fired, end = sample(x, first + s), ends[s + 1]
        for k in range(end - start):
            # what a list says is data that may come from a file
            if 0 <= fired[1 + k] < x.size - 1:
                units[filled] = fired[1 + k]
                filled += 1
        ends[s + 1], start = filled, end
    return units[:filled], ends


@njit(error_model="numpy", nogil=True)
def spread(units, ends, inner, dtype):
    """Return rows of ones where units fire, zeros elsewhere."""
    x = np.zeros((ends.size - 1) * inner, dtype)
    for i in range(ends.size - 1):
        for e in range(ends[i], ends[i + 1]):
            x[i * inner + units[e]] = 1
    return x


@njit(error_model="numpy", nogil=True)
def unsigned_zeros(r):
    """Turn -0.0 into 0.0."""
    full_width()
    for i in range(r.size):
        r[i] += r.dtype.type(0)


@njit(error_model="numpy", nogil=True)
def count(x):
    """Return how many elements are not 0."""
    full_width()
    total = 0
    for i in range(x.size):
        total += np.int64(x[i] != 0)
    return total


@njit(error_model="numpy", nogil=True)
def no_special(y):
    """Return whether all elements are finite."""
    full_width()
    special = np.int32(0)
    for i in range(y.size):
        # 0 times infinity, and what is not a number, differ from themselves
        special |= np.int32(y[i] * 0 != 0)
    return special == 0


@njit(error_model="numpy", nogil=True)
def chosen(x, inner, firing):
    """Return the units that fire, row by row of x, and where each row's begin and end."""
    units, ends = np.empty(firing, np.int32), np.zeros(x.size // inner + 1, np.int64)
    for i in range(ends.size - 1):
        ends[i + 1] = append_nonzero(units, ends[i], x[i * inner : (i + 1) * inner], 0)
    return units, ends
