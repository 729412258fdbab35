"""Rows of Loihi's integer arithmetic: each opcode to its kernel, called once for a block of samples."""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

import numpy as np
from numba import njit

from thermoc.simulator.kernels import loihi_noise, loihi_synapses, loihi_units
from thermoc.simulator.kernels.normals import float64
from thermoc.simulator.opcodes import Opcode


@njit(error_model="numpy", nogil=True)
def encode(r, ro, n, samples, x, xo, xs, scale, top):
    """r = rint(x scale), halves to even, clipped to +-top; scale is the bits of a float64."""
    factor = float64(np.uint64(scale))
    for s in range(samples):
        for i in range(n):
            y = np.rint(np.float64(x[xo + s * xs + i]) * factor)
            r[ro + s * n + i] = np.int64(min(max(y, -np.float64(top)), np.float64(top)))


@njit(error_model="numpy", nogil=True)
def decode(r, ro, n, samples, x, xo, xs, scale):
    """r = x / scale, in float64 before it is rounded to the format of r."""
    factor = float64(np.uint64(scale))
    for s in range(samples):
        for i in range(n):
            r[ro + s * n + i] = np.float64(x[xo + s * xs + i]) / factor


@njit(error_model="numpy", nogil=True)
def row(
    op, work, ro, n, samples, x, xo, xs, xn, y, yo, ys, yn, z, zo, zs, zn, third,
    states, here, width, table, p0, p1, p2, p3, p4, p5, since, tick, first, key,
):  # fmt: skip
    """Run a row on integers. here: where the states of the first sample start; width: how many a sample has.

    third: whether there is an operand z. since: how many ticks are behind, for the rings. tick, first: for the noise.
    """
    at = here + p0
    if op == Opcode.LOIHI_ARRIVE:
        loihi_synapses.arrive(work, ro, n, samples, states, at + since % p1 * n, width)
    elif op == Opcode.LOIHI_SYNAPSE or op == Opcode.LOIHI_SYNAPSE_LIST or op == Opcode.LOIHI_MATRIX:
        listed, whole = op == Opcode.LOIHI_SYNAPSE_LIST or p5 & 2 > 0, op == Opcode.LOIHI_MATRIX
        loihi_synapses.synapse(
            work, ro, samples, states, at, width, p2, p1, since % p1, x, xo, xs, xn, listed, y, yo, table, p3, p4,
            whole, p5 & 1 | p5 >> 2 << 1,
        )  # fmt: skip
    elif op == Opcode.LOIHI_CONV:
        loihi_synapses.conv(work, ro, n, samples, states, at, width, x, xo, xs, y, yo, table, p1, p2)
    elif op == Opcode.LOIHI_LIF:
        loihi_units.lif(
            work, ro, n - 1, samples, x, xo, xs, y, yo, yn, states, at, here + p1, width, p2, p3, p4, p5, tick
        )
    elif op == Opcode.LOIHI_SPREAD:
        loihi_units.spread(work, ro, n, samples, x, xo, xs)
    elif op == Opcode.LOIHI_TOTAL:
        loihi_units.total(work, ro, n, samples, x, xo, xs, y, yo, ys, z, zo, zs, third)
    elif op == Opcode.LOIHI_GRADED:
        loihi_units.graded(work, ro, n, samples, x, xo, xs, y, yo, yn, p0, p1, p2)
    elif op == Opcode.LOIHI_LOOKUP:
        loihi_units.lookup(work, ro, n, samples, x, xo, xs, y, yo, yn, z, zo, zn, p0)
    elif op == Opcode.LOIHI_SIGMA:
        loihi_units.sigma(work, ro, n, samples, x, xo, xs, states, at, width)
    elif op == Opcode.LOIHI_DELTA:
        loihi_units.delta(work, ro, n, samples, x, xo, xs, y, yo, yn, states, at, width, p1, p2, p3, p4)
    elif op == Opcode.LOIHI_HEAT:
        loihi_units.heat(states, at, width, xn, samples, x, xo, xs, y, yo, yn, p1, p2, p3, tick >= p4)
    elif op == Opcode.LOIHI_FERMI_DIRAC:
        loihi_noise.fermi_dirac(
            work, ro, n, samples, x, xo, xs, y, yo, ys, yn, z, zo, states, at, width, p1, p2, p5 & 1, tick - (p5 >> 1),
            p4, first, key,
        )  # fmt: skip
    elif op == Opcode.LOIHI_CATEGORICAL:
        loihi_noise.categorical(
            work, ro, n, samples, x, xo, xs, y, yo, ys, yn, z, zo, zn, p0, tick - p1, p2, first, key
        )
    elif op == Opcode.LOIHI_MEMORY:
        loihi_noise.memory(states, at, width, xn, samples, x, xo, xs, y, yo, ys, yn, p1, p2, tick - p3, p4, first, key)
