"""x^y within 1.1 units of the last place, zeros, infinities and NaN as in C; float32 is rounded from float64.

ln x is taken as a sum of two floats, so that its product with y, up to 700, keeps the digits that e^ needs.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from thermoc.simulator.kernels.scalar.exponential import HIGHEST64, LOWEST64, powers64, reduced64
from thermoc.simulator.kernels.scalar.formats import by_format, scalar
from thermoc.simulator.kernels.scalar.logarithm import LN2_HIGH, LN2_LOW, NORMAL64, RAISE64, RAISED64, fraction64
from thermoc.simulator.kernels.scalar.primitives import bits64, fma, polynomial

# (2 artanh s - 2 s - 2/3 s^3) / s^5 as a polynomial in s^2: a Chebyshev fit, relative error 5e-18
SERIES = (
    0.11724327060846747,
    0.11706126464563398,
    0.1333480879881234,
    0.1538459488700718,
    0.18181818336099848,
    0.22222222221652765,
    0.2857142857142937,
    0.4,
)
TWO_THIRDS, TWO_THIRDS_LOW = 0.6666666666666666, 3.700743415417188e-17
TWO_52, TWO_53 = 2.0**52, 2.0**53


@scalar
def precise_log(x):
    """(ln x, what it lacks) of a positive number."""
    subnormal = x < NORMAL64
    k, f = fraction64(x * RAISE64 if subnormal else x, RAISED64 if subnormal else 0.0)
    d = 2.0 + f
    s = f / d
    s_low = (fma(-s, d, f) - s * (f - (d - 2.0))) / d
    z = s * s
    z_low = fma(s, s, -z) + 2.0 * s * s_low
    cube = s * z
    cube_low = fma(s, z, -cube) + s * z_low + s_low * z
    t = z * polynomial(z, SERIES)
    w = TWO_THIRDS + t
    w_low = (TWO_THIRDS - w) + t + TWO_THIRDS_LOW
    u = cube * w
    u_low = fma(cube, w, -u) + cube * w_low + cube_low * w
    # each sum is of a greater and a smaller number: what it lost can be told
    a = k * LN2_HIGH
    b = a + 2.0 * s
    c = b + u
    low = (2.0 * s - (b - a)) + (u - (c - b)) + (u_low + fma(k, LN2_LOW, 2.0 * s_low))
    y = c + low
    return y, low - (y - c)


@scalar
def positive_power(x, y):
    """x^y of a finite positive x."""
    ln, ln_low = precise_log(x)
    product = y * ln
    low = fma(y, ln, -product) + y * ln_low
    clipped = HIGHEST64 if product > HIGHEST64 else product
    clipped = LOWEST64 if clipped < LOWEST64 else clipped
    low = low if clipped == product else 0.0
    k, above_one = reduced64(clipped)
    first, second = powers64(k)
    return (1.0 + fma(1.0 + above_one, low, above_one)) * first * second


@scalar
def whole(x):
    """Whether a number is an integer."""
    x = abs(x)
    return x >= TWO_52 or (x + TWO_52) - TWO_52 == x


@scalar
def power64(x, y):
    """``power`` in float64."""
    size, odd = abs(x), abs(y) < TWO_53 and whole(y) and not whole(0.5 * y)
    # where ln |x| is no number the answer is 0 or infinity, as the sign of y says
    toward_zero = (y < 0.0) != (size == 0.0)
    result = positive_power(size, y)
    result = (0.0 if toward_zero else math.inf) if size == 0.0 or size == math.inf else result
    result = 1.0 if size == 1.0 else result
    result = math.nan if x < 0.0 and x != -math.inf and not whole(y) else result
    result = -result if odd and bits64(x) < 0 else result
    result = x + y if x != x or y != y else result
    return 1.0 if x == 1.0 or y == 0.0 else result


@scalar
def power32(x, y):
    """``power`` in float32."""
    return np.float32(power64(np.float64(x), np.float64(y)))


@by_format(power64, power32)
def power(x: Any, y: Any) -> Any:
    """x^y."""
