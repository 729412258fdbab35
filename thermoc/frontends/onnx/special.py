"""Functions that no core op has, from those there are: within a few roundings of float64."""

from __future__ import annotations

import math
from collections.abc import Sequence

from thermoc.ir.functions import call
from thermoc.ir.handle import Handle


def exp(x: Handle) -> Handle:
    """e^x."""
    return call("core.exp", x)


def log(x: Handle) -> Handle:
    """Natural logarithm."""
    return call("core.log", x)


def sqrt(x: Handle) -> Handle:
    """Square root."""
    return call("core.sqrt", x)


def select(condition: Handle, a: Handle | float, b: Handle | float) -> Handle:
    """a where the condition is true, b elsewhere."""
    return call("core.select", condition, a, b)


def sigmoid(x: Handle) -> Handle:
    """1 / (1 + e^-x)."""
    return 1.0 / (1.0 + exp(-x))


def softplus(x: Handle) -> Handle:
    """log(1 + e^x), as max(x, 0) + log(1 + e^-|x|): nothing overflows."""
    return call("core.maximum", x, 0.0) + log1p(exp(-abs(x)))


def log1p(x: Handle) -> Handle:
    """log(1 + x) of x >= 0, as x log(u) / (u - 1) with u = 1 + x, whose errors cancel (Kahan)."""
    u = 1.0 + x
    same = u == 1.0
    return select(same, x, log(u) * x / select(same, 1.0, u - 1.0))


def sinh(x: Handle) -> Handle:
    """(e^x - e^-x) / 2, by expm1."""
    up, down = call("core.expm1", x), call("core.expm1", -x)
    return (up - down) * 0.5


def cosh(x: Handle) -> Handle:
    """(e^x + e^-x) / 2."""
    return (exp(x) + exp(-x)) * 0.5


def asinh(x: Handle) -> Handle:
    """sign(x) log1p(a + a^2 / (1 + sqrt(a^2 + 1))), a = |x|."""
    a = abs(x)
    return call("core.sign", x) * log1p(a + a * a / (1.0 + sqrt(a * a + 1.0)))


def acosh(x: Handle) -> Handle:
    """log(x + sqrt(x - 1) sqrt(x + 1)), as log1p of what is above 1."""
    above = x - 1.0
    return log1p(above + sqrt(above) * sqrt(x + 1.0))


def atanh(x: Handle) -> Handle:
    """sign(x) log1p(2 a / (1 - a)) / 2, a = |x|."""
    a = abs(x)
    return call("core.sign", x) * 0.5 * log1p(2.0 * a / (1.0 - a))


def polynomial(x: Handle, coefficients: Sequence[float]) -> Handle:
    """Horner's rule, the highest power first."""
    total = x * coefficients[0] + coefficients[1]
    for c in coefficients[2:]:
        total = total * x + c
    return total


# Cephes' atan: a quotient of polynomials within |x| <= 0.66.
_ATAN_P = (
    -8.750608600031904122785e-1,
    -1.615753718733365076637e1,
    -7.500855792314704667340e1,
    -1.228866684490136173410e2,
    -6.485021904942025371773e1,
)
_ATAN_Q = (
    1.0,
    2.485846490142306297962e1,
    1.650270098316988542046e2,
    4.328810604912902668951e2,
    4.853903996359136964868e2,
    1.945506571482613964425e2,
)


def atan(x: Handle) -> Handle:
    """Arc tangent (S. Moshier, Cephes, atan.c): 2e-16."""
    a = abs(x)
    large, middle = a > math.tan(3 * math.pi / 8), a > 0.66
    reduced = select(large, -1.0 / select(large, a, 1.0), select(middle, (a - 1.0) / (a + 1.0), a))
    z = reduced * reduced
    result = reduced * z * polynomial(z, _ATAN_P) / polynomial(z, _ATAN_Q) + reduced
    return call("core.sign", x) * (select(large, math.pi / 2, select(middle, math.pi / 4, 0.0 * a)) + result)


def asin(x: Handle) -> Handle:
    """atan(x / sqrt((1 - x)(1 + x)))."""
    root = sqrt((1.0 - x) * (1.0 + x))
    edge = root == 0.0
    return select(edge, x * (math.pi / 2), atan(x / select(edge, 1.0, root)))


# W. J. Cody's rational approximations of erf and erfc (Math. Comp. 23 (1969) 631), as in netlib's specfun.
_ERF_P = (
    1.85777706184603153e-1,
    3.16112374387056560,
    1.13864154151050156e2,
    3.77485237685302021e2,
    3.20937758913846947e3,
)
_ERF_Q = (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3)
_ERFC_P = (
    2.15311535474403846e-8,
    5.64188496988670089e-1,
    8.88314979438837594,
    6.61191906371416295e1,
    2.98635138197400131e2,
    8.81952221241769090e2,
    1.71204761263407058e3,
    2.05107837782607147e3,
    1.23033935479799725e3,
)
_ERFC_Q = (
    1.0,
    1.57449261107098347e1,
    1.17693950891312499e2,
    5.37181101862009858e2,
    1.62138957456669019e3,
    3.29079923573345963e3,
    4.36261909014324716e3,
    3.43936767414372164e3,
    1.23033935480374942e3,
)


def erf(x: Handle) -> Handle:
    """The error function: within 2e-16 up to |x| = 4, and 1 beyond to 2e-8 of what is left of it."""
    a = abs(x)
    near = call("core.minimum", a, 0.46875)
    z = near * near
    inner = near * polynomial(z, _ERF_P) / polynomial(z, _ERF_Q)
    far = call("core.minimum", call("core.maximum", a, 0.46875), 6.0)
    outer = 1.0 - exp(-far * far) * polynomial(far, _ERFC_P) / polynomial(far, _ERFC_Q)
    return call("core.sign", x) * select(a <= 0.46875, inner, outer)
