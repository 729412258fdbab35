"""Normals (Box and Muller) and logits of uniforms, in arithmetic alone: a call of log or cos would not vectorise.

ln u by the reduction and polynomial of fdlibm, cos 2 pi v by the series of the sine of the angle from the nearest
quarter turn: both within a few units of the last place. Products enter sums by ``fma``, always, so that an element is
the same whether it falls in the vectorised part of a loop or in its remainder.
"""

# pyright: reportCallIssue=false
# (an intrinsic is called without the typing context that its definition names first)

from __future__ import annotations

import math

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic, overload

from thermoc.simulator.kernels.simd.fused import fma

# as in fdlibm: the high part ends in zeros, so that k times it is exact
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
_LOG = (
    1.479819860511658591e-01,
    1.531383769920937332e-01,
    1.818357216161805012e-01,
    2.222219843214978396e-01,
    2.857142874366239149e-01,
    3.999999999940941908e-01,
    6.666666666666735130e-01,
)
# to a quarter turn, the first term left out is below 2e-18; of the seven in float32, below 7e-10
_SINE = tuple((-1.0) ** k * (2 * math.pi) ** (2 * k + 1) / math.factorial(2 * k + 1) for k in range(11))

L0, L1, L2, L3, L4, L5, L6 = _LOG
S0, S1, S2, S3, S4, S5, S6, S7, S8, S9, S10 = _SINE
F0, F1, F2, F3 = map(np.float32, _LOG[3:])
T0, T1, T2, T3, T4, T5, T6 = map(np.float32, _SINE[:7])
LN2_32 = np.float32(math.log(2))
ROOT_HALF64, ROOT_HALF32 = np.uint64(0x3FE6A09E667F3BCD), np.uint32(0x3F3504F3)
SHIFT64, SHIFT32 = np.uint64(0x3FF0000000000000) - ROOT_HALF64, np.uint32(0x3F800000) - ROOT_HALF32
FRACTION64, FRACTION32 = np.uint64(0x000FFFFFFFFFFFFF), np.uint32(0x007FFFFF)
EXPONENT64, EXPONENT32 = np.uint64(52), np.uint32(23)
TWO_52 = np.uint64(0x4330000000000000)


def _reinterpreted(given, wanted, kind):
    """Return the intrinsic that takes the bits of one format for those of another."""

    @intrinsic
    def reinterpret(typingctx, x):
        return wanted(given), lambda context, builder, signature, args: builder.bitcast(args[0], kind)

    return reinterpret


bits64 = _reinterpreted(types.float64, types.uint64, ir.IntType(64))
float64 = _reinterpreted(types.uint64, types.float64, ir.DoubleType())
bits32 = _reinterpreted(types.float32, types.uint32, ir.IntType(32))
float32 = _reinterpreted(types.uint32, types.float32, ir.FloatType())


@njit(error_model="numpy", forceinline=True)
def ln64(x):
    """ln x of a normal positive number."""
    # shifted so that the fraction lies in [sqrt(1/2), sqrt(2)): f is small on both sides, and 0 at x = 1
    shifted = bits64(x) + SHIFT64
    k = float64((shifted >> EXPONENT64) | TWO_52) - (2.0**52 + 1023)  # AVX2 cannot convert 64-bit integers
    f = float64((shifted & FRACTION64) + ROOT_HALF64) - 1.0
    s = f / (f + 2.0)
    z = s * s
    p = fma(fma(fma(fma(fma(fma(L0, z, L1), z, L2), z, L3), z, L4), z, L5), z, L6)
    half = 0.5 * f * f
    return fma(k, LN2_HIGH, f - (half - fma(s, fma(p, z, half), k * LN2_LOW)))


@njit(error_model="numpy", forceinline=True)
def ln32(x):
    """ln x of a normal positive number."""
    one, two, half = np.float32(1), np.float32(2), np.float32(0.5)
    shifted = np.uint32(bits32(x) + SHIFT32)
    k = np.float32(np.int32(np.uint32(shifted >> EXPONENT32))) - np.float32(127)
    f = float32(np.uint32((shifted & FRACTION32) + ROOT_HALF32)) - one
    s = f / (f + two)
    z = s * s
    p = fma(fma(fma(F0, z, F1), z, F2), z, F3)
    square = half * f * f
    return fma(k, LN2_32, f - (square - s * fma(p, z, square)))


def box_muller(u, v):
    """u[i] = sqrt(-2 ln u[i]) cos(2 pi v[i]): standard normals of two rows of uniforms."""
    raise NotImplementedError  # compiled only


@overload(box_muller, inline="always")
def _by_format(u, v):
    if u.dtype == types.float32:
        return lambda u, v: box_muller32(u, v)
    return lambda u, v: box_muller64(u, v)


@njit(error_model="numpy", forceinline=True)
def normal64(u, v):
    """A standard normal of two uniforms, in float64."""
    # the cosine of a whole turn by a sine of a quarter: the polynomial needs no reduction of its argument
    t = abs(v - 0.5) - 0.25
    w = t * t
    q = fma(fma(fma(fma(fma(S10, w, S9), w, S8), w, S7), w, S6), w, S5)
    q = fma(fma(fma(fma(fma(q, w, S4), w, S3), w, S2), w, S1), w, S0)
    return math.sqrt(-2.0 * ln64(u)) * (q * t)


@njit(error_model="numpy", forceinline=True)
def normal32(u, v):
    """A standard normal of two uniforms, in float32."""
    t = abs(v - np.float32(0.5)) - np.float32(0.25)
    w = t * t
    q = fma(fma(fma(fma(fma(fma(T6, w, T5), w, T4), w, T3), w, T2), w, T1), w, T0)
    return math.sqrt(np.float32(-2) * ln32(u)) * (q * t)


@njit(error_model="numpy", nogil=True)
def box_muller64(u, v):
    """``box_muller`` in float64."""
    for i in range(u.size):
        u[i] = normal64(u[i], v[i])


@njit(error_model="numpy", nogil=True)
def box_muller32(u, v):
    """``box_muller`` in float32."""
    for i in range(u.size):
        u[i] = normal32(u[i], v[i])


def logits(u):
    """u[i] = ln(u[i] / (1 - u[i])), for uniforms whose 1 - u is exact; the error is that of a quotient and of ln."""
    raise NotImplementedError  # compiled only


@overload(logits, inline="always")
def _logits_by_format(u):
    if u.dtype == types.float32:
        return lambda u: logits32(u)
    return lambda u: logits64(u)


@njit(error_model="numpy", forceinline=True)
def logit64(u):
    """ln(u / (1 - u)) in float64."""
    return ln64(u / (1.0 - u))


@njit(error_model="numpy", forceinline=True)
def logit32(u):
    """ln(u / (1 - u)) in float32."""
    return ln32(u / (np.float32(1) - u))


@njit(error_model="numpy", nogil=True)
def logits64(u):
    """``logits`` in float64."""
    for i in range(u.size):
        u[i] = logit64(u[i])


@njit(error_model="numpy", nogil=True)
def logits32(u):
    """``logits`` in float32."""
    for i in range(u.size):
        u[i] = logit32(u[i])
