"""Floats into Loihi's integers and back."""

from __future__ import annotations

import numpy as np

from thermoc.simulator.kernels.operands import sample
from thermoc.simulator.kernels.scalar.primitives import float64


def encode(r, x, scale, top, samples):
    """r = rint(x scale), halves to even, clipped to +-top; scale is the bits of a float64."""
    factor = float64(scale)
    for s in range(samples):
        rv, xv = sample(r, s), sample(x, s)
        for i in range(r.size):
            y = np.rint(np.float64(xv[i]) * factor)
            # clipped as a float: one beyond 64 bits has no defined conversion
            rv[i] = np.int64(min(max(y, -np.float64(top)), np.float64(top)))


def decode(r, x, scale, samples):
    """r = x / scale, in float64 before it is rounded to the format of r."""
    factor = float64(scale)
    for s in range(samples):
        rv, xv = sample(r, s), sample(x, s)
        for i in range(r.size):
            rv[i] = np.float64(xv[i]) / factor
