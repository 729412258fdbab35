"""Floats into Loihi's integers and back."""

from __future__ import annotations

import numpy as np

from thermoc.simulator.kernels.operands import sample
from thermoc.simulator.kernels.scalar.formats import scalar
from thermoc.simulator.kernels.scalar.primitives import float64

WHOLE = 1.5 * 2.0**52


@scalar
def encoded(x, factor, top):
    """rint(x factor), halves to even, clipped to +-top, 0 for NaN, in float64."""
    y, limit = np.float64(x) * factor, np.float64(top)
    # clipped as a float: NaN and one beyond 64 bits have no conversion that is the same on every processor
    y = limit if y > limit else -limit if y < -limit else y if y == y else 0.0
    # a float that is added and taken away again leaves the nearest whole number
    return np.int64((y + WHOLE) - WHOLE)


def encode(r, x, scale, top, samples):
    """r = rint(x scale), halves to even, clipped to +-top; scale is the bits of a float64."""
    factor = float64(scale)
    for s in range(samples):
        rv, xv = sample(r, s), sample(x, s)
        for i in range(r.size):
            rv[i] = encoded(xv[i], factor, top)


def decode(r, x, scale, samples):
    """r = x / scale, in float64 before it is rounded to the format of r."""
    factor = float64(scale)
    for s in range(samples):
        rv, xv = sample(r, s), sample(x, s)
        for i in range(r.size):
            rv[i] = np.float64(xv[i]) / factor
