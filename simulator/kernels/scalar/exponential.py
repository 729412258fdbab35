"""e^x, e^x - 1, tanh x for float64 and float32, without a branch: within 1, 2, 3 units of the last place; sinh, cosh.

x is k ln 2 + r with |r| <= ln 2 / 2; of r a polynomial is taken, and 2^k goes into the exponent by two factors, so that
results below the normal numbers are rounded once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from thermoc.simulator.kernels.scalar.formats import by_format, scalar
from thermoc.simulator.kernels.scalar.primitives import bits32, bits64, float32, float64, fma, low32, polynomial

# (e^r - 1 - r) / r^2 for |r| <= ln 2 / 2: Chebyshev fits, relative errors of e^r 4e-19 and 4e-10
SERIES64 = (
    2.0914686968086876e-09,
    2.5105217004720745e-08,
    2.75572736431103e-07,
    2.7557255400206422e-06,
    2.4801587325547743e-05,
    0.00019841269874820627,
    0.0013888888888883748,
    0.008333333333326136,
    0.04166666666666667,
    0.1666666666666667,
    0.5,
)
SERIES32 = tuple(
    map(np.float32, (0.0001989099, 0.001393365, 0.00833331092548, 0.0416664649253, 0.16666666681623, 0.5000000013))
)
# ln 2 in two parts: k times the first, rounded by fma alone, leaves a remainder that the second makes exact enough
LOG2E64, LN2_HIGH64, LN2_LOW64 = 1.4426950408889634, 0.6931471805599453, 2.3190468138462996e-17
LOG2E32, LN2_HIGH32, LN2_LOW32 = np.float32(1.442695), np.float32(0.6931472), np.float32(-1.904654e-09)
# added and subtracted, these round to the nearest integer, which is then found in the last bits
MAGIC64, MAGIC32 = 1.5 * 2.0**52, np.float32(1.5 * 2.0**23)
MAGIC_BITS64, MAGIC_BITS32 = 0x4338000000000000, 0x4B400000
HIGHEST64, LOWEST64 = 710.0, -746.0
HIGHEST32, LOWEST32 = np.float32(89), np.float32(-104)
# below these e^x - 1 is -1
LEAST64, LEAST32 = -40.0, np.float32(-20)
NONE, ONE, TWO, TWELVE = map(np.float32, (0, 1, 2, 12))
TINY64, TINY32 = 1e-300, np.float32(1e-30)
"""Below it a function that starts like x is x."""


@scalar
def reduced64(x):
    """(k, e^r - 1) of x = k ln 2 + r; NaN leaves k undefined."""
    shifted = fma(x, LOG2E64, MAGIC64)
    k = shifted - MAGIC64
    r = fma(-k, LN2_LOW64, fma(-k, LN2_HIGH64, x))
    return bits64(shifted) - MAGIC_BITS64, fma(r * r, polynomial(r, SERIES64), r)


@scalar
def powers64(k):
    """Two powers of 2 whose product is 2^k, for -2044 <= k <= 2046."""
    half = k >> 1
    return float64((half + 1023) << 52), float64((k - half + 1023) << 52)


@scalar
def exp64(x):
    """``exp`` in float64."""
    x = HIGHEST64 if x > HIGHEST64 else x
    x = LOWEST64 if x < LOWEST64 else x
    k, above_one = reduced64(x)
    first, second = powers64(k)
    return (1.0 + above_one) * first * second


@scalar
def expm1_64(x):
    """``expm1`` in float64."""
    y = HIGHEST64 if x > HIGHEST64 else x
    y = LEAST64 if y < LEAST64 else y
    k, above_one = reduced64(y)
    first, second = powers64(k)
    # 2^k (e^r - 1) + 2^k - 1, over the second factor, which could make the first product infinite
    result = fma(first, above_one, first - 1.0 / second) * second
    return x if abs(x) < TINY64 else result


@scalar
def reduced32(x):
    """(k, e^r - 1) of x = k ln 2 + r; NaN leaves k undefined."""
    shifted = fma(x, LOG2E32, MAGIC32)
    k = shifted - MAGIC32
    r = fma(-k, LN2_LOW32, fma(-k, LN2_HIGH32, x))
    return low32(bits32(shifted) - MAGIC_BITS32), fma(r * r, polynomial(r, SERIES32), r)


@scalar
def powers32(k):
    """Two powers of 2 whose product is 2^k, for -252 <= k <= 254."""
    half = low32(k >> 1)
    return float32((half + 127) << 23), float32((k - half + 127) << 23)


@scalar
def exp32(x):
    """``exp`` in float32."""
    x = HIGHEST32 if x > HIGHEST32 else x
    x = LOWEST32 if x < LOWEST32 else x
    k, above_one = reduced32(x)
    first, second = powers32(k)
    return (ONE + above_one) * first * second


@scalar
def expm1_32(x):
    """``expm1`` in float32."""
    y = HIGHEST32 if x > HIGHEST32 else x
    y = LEAST32 if y < LEAST32 else y
    k, above_one = reduced32(y)
    first, second = powers32(k)
    result = fma(first, above_one, first - ONE / second) * second
    return x if abs(x) < TINY32 else result


@by_format(exp64, exp32)
def exp(x: Any) -> Any:
    """e^x."""


@by_format(expm1_64, expm1_32)
def expm1(x: Any) -> Any:
    """e^x - 1, exact near 0."""


@scalar
def tanh64(x):
    """``tanh`` in float64."""
    above_one = expm1_64(2.0 * abs(x))
    y = 1.0 if abs(x) > 22.0 else above_one / (above_one + 2.0)
    y = -y if x < 0.0 else y
    return x if abs(x) < TINY64 else y


@scalar
def tanh32(x):
    """``tanh`` in float32."""
    above_one = expm1_32(TWO * abs(x))
    y = ONE if abs(x) > TWELVE else above_one / (above_one + TWO)
    y = -y if x < NONE else y
    return x if abs(x) < TINY32 else y


@by_format(tanh64, tanh32)
def tanh(x: Any) -> Any:
    """tanh x."""


@scalar
def sinh64(x):
    """``sinh`` in float64."""
    above_one = expm1_64(abs(x))
    # where e^x is so large that its reciprocal is lost the quotient of two infinities would be no number
    y = 0.5 * above_one if abs(x) > 40.0 else 0.5 * (above_one + above_one / (above_one + 1.0))
    return -y if x < 0.0 else y


@scalar
def sinh32(x):
    """``sinh`` in float32."""
    return np.float32(sinh64(np.float64(x)))


@scalar
def cosh64(x):
    """``cosh`` in float64."""
    return 0.5 * (exp64(x) + exp64(-x))


@scalar
def cosh32(x):
    """``cosh`` in float32."""
    return np.float32(cosh64(np.float64(x)))


@by_format(sinh64, sinh32)
def sinh(x: Any) -> Any:
    """sinh x."""


@by_format(cosh64, cosh32)
def cosh(x: Any) -> Any:
    """cosh x."""
