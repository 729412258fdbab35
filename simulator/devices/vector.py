"""e^x and sin 2 pi a in arithmetic alone, so that loops over devices vectorise, to some units of the last place."""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

import math

import numpy as np
from numba import njit

from thermoc.simulator.kernels.simd.fused import fma
from thermoc.simulator.kernels.simd.normals import (
    LN2_HIGH,
    LN2_LOW,
    S0,
    S1,
    S2,
    S3,
    S4,
    S5,
    S6,
    S7,
    S8,
    S9,
    S10,
    float64,
)

# added and subtracted, 1.5 * 2^52 rounds to the nearest whole number without a branch or a conversion
LOG2E, MAGIC, FAR = 1 / math.log(2), 1.5 * 2.0**52, 700.0
BIAS, SHIFT = np.int64(1023), np.int64(52)
E2, E3, E4, E5, E6, E7, E8, E9, E10, E11, E12, E13 = (1 / math.factorial(k) for k in range(2, 14))


@njit(error_model="numpy", forceinline=True)
def exponential(x):
    """e^x, x held within +-700."""
    # beyond some 708 the exponent shifted in below would leave its 11 bits
    x = min(max(x, -FAR), FAR)
    k = (x * LOG2E + MAGIC) - MAGIC
    # ln 2 in two parts: one float of it, times k, would cost the remainder its last digits
    r = fma(-k, LN2_LOW, fma(-k, LN2_HIGH, x))
    p = fma(fma(fma(fma(fma(fma(E13, r, E12), r, E11), r, E10), r, E9), r, E8), r, E7)
    p = fma(fma(fma(fma(fma(fma(fma(p, r, E6), r, E5), r, E4), r, E3), r, E2), r, 1.0), r, 1.0)
    # the integer k becomes the exponent of a float64 by a shift: 2^k without a call
    return p * float64(np.uint64((np.int64(k) + BIAS) << SHIFT))


@njit(error_model="numpy", forceinline=True)
def sine_of_turns(a):
    """sin 2 pi a for |a| below 2^51."""
    # whole turns are taken off, then the rest is folded: the polynomial holds for a quarter turn to either side only
    a -= (a + MAGIC) - MAGIC
    half = 0.5 if a > 0 else -0.5
    a = half - a if abs(a) > 0.25 else a
    w = a * a
    q = fma(fma(fma(fma(fma(fma(S10, w, S9), w, S8), w, S7), w, S6), w, S5), w, S4)
    return a * fma(fma(fma(fma(q, w, S3), w, S2), w, S1), w, S0)
