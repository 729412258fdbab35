"""ln x for float64 and float32, without a branch: within one unit of the last place. The polynomial is fdlibm's."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from thermoc.simulator.kernels.scalar.formats import by_format, scalar
from thermoc.simulator.kernels.scalar.primitives import bits32, bits64, float32, float64, fma, low32, polynomial

# as in fdlibm: the high part ends in zeros, so that k times it is exact
LN2_HIGH, LN2_LOW = 6.93147180369123816490e-01, 1.90821492927058770002e-10
SERIES64 = (
    1.479819860511658591e-01,
    1.531383769920937332e-01,
    1.818357216161805012e-01,
    2.222219843214978396e-01,
    2.857142874366239149e-01,
    3.999999999940941908e-01,
    6.666666666666735130e-01,
)
SERIES32 = tuple(map(np.float32, SERIES64[3:]))
LN2_32 = np.float32(math.log(2))
ROOT_HALF64, ROOT_HALF32 = 0x3FE6A09E667F3BCD, 0x3F3504F3
SHIFT64, SHIFT32 = 0x3FF0000000000000 - ROOT_HALF64, 0x3F800000 - ROOT_HALF32
FRACTION64, FRACTION32 = 0x000FFFFFFFFFFFFF, 0x007FFFFF
TWO_52 = 0x4330000000000000
NORMAL64, NORMAL32 = 2.0**-1022, np.float32(2.0**-126)
"""The least normal numbers."""
RAISED64, RAISED32 = 54.0, np.float32(25)
"""Powers of 2 by which smaller ones are raised."""
NONE64, NONE32, INF64, INF32 = 0.0, np.float32(0), math.inf, np.float32(math.inf)
LOG_0_64, LOG_0_32, NAN64, NAN32 = -math.inf, np.float32(-math.inf), math.nan, np.float32(math.nan)
ONE, TWO, HALF, BIAS = map(np.float32, (1, 2, 0.5, 127))
RAISE64, RAISE32 = 2.0**54, np.float32(2.0**25)


@scalar
def fraction64(x, raised):
    """(k, f) of x = 2^(k + raised) (1 + f), sqrt(1/2) <= 1 + f < sqrt(2), of a normal positive float64."""
    # shifted so that the fraction lies in [sqrt(1/2), sqrt(2)): f is small on both sides, and 0 at x = 1
    shifted = bits64(x) + SHIFT64
    # in the last bits of 2^52: AVX2 cannot convert 64-bit integers
    k = float64(((shifted >> 52) & 0x7FF) | TWO_52) - (2.0**52 + 1023) - raised
    return k, float64((shifted & FRACTION64) + ROOT_HALF64) - 1.0


@scalar
def ln64(x, raised):
    """ln(x / 2^raised) of a normal positive float64."""
    k, f = fraction64(x, raised)
    s = f / (f + 2.0)
    z = s * s
    half = 0.5 * f * f
    return fma(k, LN2_HIGH, f - (half - fma(s, fma(polynomial(z, SERIES64), z, half), k * LN2_LOW)))


@scalar
def ln32(x, raised):
    """ln(x / 2^raised) of a normal positive float32."""
    shifted = low32(bits32(x) + SHIFT32)
    k = np.float32(low32(shifted >> 23)) - BIAS - raised
    f = float32((shifted & FRACTION32) + ROOT_HALF32) - ONE
    s = f / (f + TWO)
    z = s * s
    half = HALF * f * f
    return fma(k, LN2_32, f - (half - s * fma(polynomial(z, SERIES32), z, half)))


@scalar
def log64(x):
    """``log`` in float64."""
    subnormal = x < NORMAL64
    y = ln64(x * RAISE64 if subnormal else x, RAISED64 if subnormal else NONE64)
    y = y if x < INF64 else x
    return y if x > NONE64 else LOG_0_64 if x == NONE64 else NAN64


@scalar
def log32(x):
    """``log`` in float32."""
    subnormal = x < NORMAL32
    y = ln32(x * RAISE32 if subnormal else x, RAISED32 if subnormal else NONE32)
    y = y if x < INF32 else x
    return y if x > NONE32 else LOG_0_32 if x == NONE32 else NAN32


@by_format(log64, log32)
def log(x: Any) -> Any:
    """ln x, -inf at 0, NaN below."""
