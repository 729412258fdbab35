"""asin x for float64 and float32, within 2 units of the last place: the rational fit of FDLIBM on |x| <= 1/2."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from thermoc.simulator.kernels.scalar.formats import by_format, scalar
from thermoc.simulator.kernels.scalar.primitives import polynomial

# (asin x - x) / x^3 in t = x^2, as t P(t) / Q(t); highest powers first (FDLIBM, e_asin.c)
ABOVE = (
    3.47933107596021167570e-05,
    7.91534994289814532176e-04,
    -4.00555345006794114027e-02,
    2.01212532134862925881e-01,
    -3.25565818622400915405e-01,
    1.66666666666666657415e-01,
)
BELOW = (
    7.70381505559019352791e-02,
    -6.88283971605453293030e-01,
    2.02094576023350569471e00,
    -2.40339491173441421878e00,
    1.0,
)


@scalar
def asin64(x):
    """``asin`` in float64."""
    size = abs(x)
    # asin x = pi/2 - 2 asin sqrt((1 - x) / 2): the fit holds up to 1/2
    outer = size > 0.5
    t = 0.5 * (1.0 - size) if outer else size * size
    s = math.sqrt(t) if outer else size
    near = s + s * (t * polynomial(t, ABOVE) / polynomial(t, BELOW))
    y = 0.5 * math.pi - 2.0 * near if outer else near
    return -y if x < 0.0 else y


@scalar
def asin32(x):
    """``asin`` in float32."""
    return np.float32(asin64(np.float64(x)))


@by_format(asin64, asin32)
def asin(x: Any) -> Any:
    """asin x."""
