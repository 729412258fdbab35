"""Standard normals (Box and Muller) and logits of uniforms in (0, 1), to some units of the last place."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from thermoc.simulator.kernels.scalar.formats import by_format, scalar
from thermoc.simulator.kernels.scalar.logarithm import ln32, ln64
from thermoc.simulator.kernels.scalar.primitives import polynomial
from thermoc.simulator.kernels.scalar.trigonometric import TURNS32, TURNS64

NONE, QUARTER, HALF, ONE, TWO = map(np.float32, (0, 0.25, 0.5, 1, 2))


@scalar
def normal64(u, v):
    """``normal`` in float64."""
    # the cosine of a whole turn by a sine of a quarter: the polynomial needs no reduction of its argument
    t = abs(v - 0.5) - 0.25
    return math.sqrt(-2.0 * ln64(u, 0.0)) * (polynomial(t * t, TURNS64) * t)


@scalar
def normal32(u, v):
    """``normal`` in float32."""
    t = abs(v - HALF) - QUARTER
    return np.float32(math.sqrt(-TWO * ln32(u, NONE))) * (polynomial(t * t, TURNS32) * t)


@scalar
def logit64(u):
    """``logit`` in float64."""
    return ln64(u / (1.0 - u), 0.0)


@scalar
def logit32(u):
    """``logit`` in float32."""
    return ln32(u / (ONE - u), NONE)


@by_format(normal64, normal32)
def normal(u: Any, v: Any) -> Any:
    """sqrt(-2 ln u) cos(2 pi v)."""


@by_format(logit64, logit32)
def logit(u: Any) -> Any:
    """ln(u / (1 - u)) of a uniform whose 1 - u is exact."""
