"""sin x, cos x within one unit of the last place, for every x, and sin 2 pi a; float32 is rounded from float64.

x is (quarter + f) pi / 2: near 0 by subtracting multiples of pi / 2 in three parts, farther by a product with a window
of the digits of 2 / pi, whole turns left out, exact to 2^-100. Polynomials are fdlibm's.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from thermoc.simulator.kernels.scalar.formats import by_format, scalar
from thermoc.simulator.kernels.scalar.primitives import bits64, float64, fma, polynomial

SINE = (
    1.58969099521155010221e-10,
    -2.50507602534068634195e-08,
    2.75573137070700676789e-06,
    -1.98412698298579493134e-04,
    8.33333333332248946124e-03,
    -1.66666666666666324348e-01,
)
COSINE = (
    -1.13596475577881948265e-11,
    2.08757232129817482790e-09,
    -2.75573143513906633035e-07,
    2.48015872894767294178e-05,
    -1.38888888888741095749e-03,
    4.16666666666666019037e-02,
)
_TURNS = tuple((-1.0) ** k * (2 * math.pi) ** (2 * k + 1) / math.factorial(2 * k + 1) for k in range(11))
# of sin 2 pi a to a quarter turn: the first term left out is below 2e-18; of the seven in float32, below 7e-10
TURNS64, TURNS32 = _TURNS[::-1], tuple(map(np.float32, _TURNS[6::-1]))
HALF_PI, HALF_PI_2, HALF_PI_3 = 1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33
QUARTERS = 0.6366197723675814  # 2 / pi
MAGIC, MAGIC_OF_TURNS = 1.5 * 2.0**52, 1.5 * 2.0**54
"""Added and subtracted, these round to integers and to multiples of 4."""
FAR = 2.0**30
FIRST_WINDOW, STEP, PARTS = -2, 4, 4
"""Windows lie 2^STEP binary digits apart; each has so many parts of 53 digits."""


def _two_over_pi(digits: int) -> int:
    """2 / pi in units of 2^-digits, pi by Machin's formula."""
    unit = 1 << (digits + 64)

    def arctangent(n):
        total = term = unit // n
        k = 1
        while term:
            term //= -n * n
            k += 2
            total += term // k
        return total

    return (2 << (2 * digits + 128)) // (4 * (4 * arctangent(5) - arctangent(239))) >> 64


def _windows() -> np.ndarray:
    """2^(16 a) 2 / pi modulo 4 in four parts, flat, for a = -2, ..., 60."""
    digits = 1300
    number, rows = _two_over_pi(digits), []
    for a in range(FIRST_WINDOW, 61):
        remainder = (number << 16 * (a - FIRST_WINDOW)) % (4 << digits - 16 * FIRST_WINDOW)
        for window in range(PARTS):
            unit = digits - 16 * FIRST_WINDOW - 51 - 53 * window
            rows.append(float(remainder >> unit) * 2.0 ** (-51 - 53 * window))
            remainder &= (1 << unit) - 1
    return np.array(rows)


WINDOWS = _windows()


@scalar
def near(x):
    """(quarter, f, rest of f) of |x| < 2^30, f in radians."""
    shifted = fma(x, QUARTERS, MAGIC)
    k = shifted - MAGIC
    # exact, as both are multiples of 2^-52 and the difference is below 1
    above = fma(-k, HALF_PI, x)
    less = k * HALF_PI_2
    f = above - less
    taken = above - f
    lost = (above - (f + taken)) + (taken - less)
    return bits64(shifted), f, lost - fma(k, HALF_PI_3, fma(k, HALF_PI_2, -less))


@scalar
def within_turn(quarters):
    """Take off multiples of 4 quarters."""
    quarters -= (quarters + MAGIC_OF_TURNS) - MAGIC_OF_TURNS
    return quarters - ((quarters + MAGIC_OF_TURNS) - MAGIC_OF_TURNS)


@scalar
def far(x):
    """(quarter, f, rest of f) of other numbers."""
    a = (((bits64(x) >> 52) & 0x7FF) - 1075) >> STEP
    at = PARTS * (a - FIRST_WINDOW)
    # now an integer below 2^69, so that whole turns of its products with the window's parts can go
    x *= float64((1023 - 16 * a) << 52)
    p0, p1, p2 = x * WINDOWS[at], x * WINDOWS[at + 1], x * WINDOWS[at + 2]
    rest0, rest1 = fma(x, WINDOWS[at], -p0), fma(x, WINDOWS[at + 1], -p1)
    rest2 = fma(x, WINDOWS[at + 2], -p2) + x * WINDOWS[at + 3]
    high, middle = within_turn(within_turn(p0) + within_turn(rest0)), within_turn(p1)
    total = high + middle
    lost = middle - (total - high)
    shifted = total + MAGIC
    total -= shifted - MAGIC
    low = p2 + rest1
    low_lost = (p2 - (low - rest1)) + rest2
    f = total + low
    remainder = ((low - (f - total)) + lost) + low_lost
    angle = f * HALF_PI
    return bits64(shifted), angle, fma(f, HALF_PI, -angle) + fma(f, HALF_PI_2, remainder * HALF_PI)


@scalar
def sine(f, rest):
    """sin(f + rest) for |f| <= pi / 4."""
    z = f * f
    return f + fma(z * f, polynomial(z, SINE), fma(-0.5 * z, rest, rest))


@scalar
def cosine(f, rest):
    """cos(f + rest) for |f| <= pi / 4."""
    z = f * f
    half = 0.5 * z
    w = 1.0 - half
    return w + (((1.0 - w) - half) + fma(z * z, polynomial(z, COSINE), -f * rest))


@scalar
def circular(x, turned):
    """sin(x + turned pi / 2)."""
    quarter, f, remainder = far(x) if abs(x) >= FAR else near(x)
    quarter += turned
    s, c = sine(f, remainder), cosine(f, remainder)
    y = c if quarter & 1 else s
    return -y if quarter & 2 else y


@scalar
def sin64(x):
    """``sin`` in float64."""
    y = circular(x, 0)
    return x if abs(x) < 2.0**-28 else y


@scalar
def cos64(x):
    """``cos`` in float64."""
    return circular(x, 1)


@scalar
def sin32(x):
    """``sin`` in float32."""
    return np.float32(sin64(np.float64(x)))


@scalar
def cos32(x):
    """``cos`` in float32."""
    return np.float32(cos64(np.float64(x)))


@scalar
def sin_turns64(a):
    """``sin_turns`` in float64."""
    # whole turns are taken off, then the rest is folded: the polynomial holds for a quarter turn to either side only
    a -= (a + MAGIC) - MAGIC
    half = 0.5 if a > 0.0 else -0.5
    a = half - a if abs(a) > 0.25 else a
    return a * polynomial(a * a, TURNS64)


@scalar
def sin_turns32(a):
    """``sin_turns`` in float32."""
    return np.float32(sin_turns64(np.float64(a)))


@by_format(sin64, sin32)
def sin(x: Any) -> Any:
    """sin x."""


@by_format(cos64, cos32)
def cos(x: Any) -> Any:
    """cos x."""


@by_format(sin_turns64, sin_turns32)
def sin_turns(a: Any) -> Any:
    """sin 2 pi a for |a| below 2^51."""
