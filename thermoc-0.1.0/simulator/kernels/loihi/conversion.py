"""Floats into Loihi's integers and back."""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

import numpy as np
from numba import njit

from thermoc.simulator.kernels.simd.normals import float64


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
