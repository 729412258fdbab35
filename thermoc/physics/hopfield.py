"""Mean-field theory of Hopfield networks with Hebb's couplings: retrieval overlap and capacity (P12).

Replica-symmetric equations of Amit, Gutfreund and Sompolinsky (Ann. Phys. 173, 30, 1987) for p = load * n random
patterns: a network that retrieves one of them has overlap m with it, and the others act as Gaussian noise of width s,

    m = <tanh((m + s z) / T)>,   q = <tanh^2((m + s z) / T)>,   s^2 = load q / (1 - (1 - q) / T)^2,

averages over standard normal z. For given s and T the first has one positive root; the last then gives the load.
"""

# pyright: reportConstantRedefinition=false, reportMissingTypeStubs=false
# (T is a temperature, not a constant; SciPy has no types)

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.optimize as _optimize
from scipy.special import erf

from thermoc.physics.checks import non_negative
from thermoc.support.array_types import FloatArray

optimize: Any = _optimize
_Z = np.linspace(-9.0, 9.0, 4001)
_NORMAL: FloatArray = np.exp(-_Z * _Z / 2) / np.exp(-_Z * _Z / 2).sum()
_U = np.linspace(-20.0, 20.0, 4001)
_THERMAL: FloatArray = np.cosh(_U) ** -2.0 / (np.cosh(_U) ** -2.0).sum()


def hopfield_capacity(T: float) -> float:
    """Return the largest load p / n at which a stored pattern is still retrieved at temperature T.

    0.1379 at T = 0, 0.1382 at 0.02, falling from there to 0 at T = 1; the rise is one of replica symmetry, which is
    broken there. Above it no state has a macroscopic overlap with a pattern. Errors: T405.
    """
    return _limit(_temperature(T))[1]


def hopfield_overlap(load: float, T: float) -> float:
    """Return the overlap m = <x.s> / n of the retrieval state with its pattern; 0 beyond the capacity.

    load: p / n >= 0. Errors: T405.
    """
    load, T = float(non_negative("load", load)), _temperature(T)
    if T >= 1:
        return 0.0
    width, capacity = _limit(T)
    if load > capacity:
        return 0.0
    # Of the two widths with this load the smaller is the retrieval state; the other separates it from the rest.
    lowest = 1e-9
    if _load(lowest, T) >= load:
        return _overlap(lowest, T)

    def excess(s: float) -> float:
        return _load(s, T) - load

    return _overlap(optimize.brentq(excess, lowest, width, xtol=1e-12), T)


def _temperature(T: float) -> float:
    return float(non_negative("T", T))


def _limit(T: float) -> tuple[float, float]:
    """Return (width of the noise, load) where the load is largest."""
    if T >= 1:
        return 0.0, 0.0

    def excess(s: float) -> float:
        return _slope_at_zero(s, T) - 1

    # Beyond this width m = 0 is the only root: the load is positive between it and 0.
    widest = optimize.brentq(excess, 1e-9, 1.0)

    def negative(s: float) -> float:
        return -_load(s, T)

    best = optimize.minimize_scalar(negative, bounds=(0.0, widest), method="bounded")
    return float(best.x), float(-best.fun)


def _slope_at_zero(s: float, T: float) -> float:
    """Return d<tanh((m + s z) / T)> / dm at m = 0; it falls with s."""
    return _averages(0.0, s, T)[1]


def _load(s: float, T: float) -> float:
    """Return the load at which the patterns that are not retrieved make noise of width s."""
    m = _overlap(s, T)
    slope = _averages(m, s, T)[1]
    return s * s * max(1 - slope, 0.0) ** 2 / (1 - T * slope) if m > 0 else 0.0


def _overlap(s: float, T: float) -> float:
    """Return the positive root of m = <tanh((m + s z) / T)>, or 0: the right side is concave for m > 0."""

    def excess(m: float) -> float:
        return _averages(m, s, T)[0] - m

    smallest = 1e-9
    return float(optimize.brentq(excess, smallest, 1.0, xtol=1e-13)) if excess(smallest) > 0 else 0.0


def _averages(m: float, s: float, T: float) -> tuple[float, float]:
    """Return <tanh((m + s z) / T)> and its derivative by m, (1 - q) / T."""
    if s <= T:
        t = np.tanh((m + s * _Z) / T)
        return float(_NORMAL @ t), float(_NORMAL @ (1 - t * t)) / T
    # tanh is the mean sign of what it is of plus T u, u of density 1 / (2 cosh^2): smooth in u down to T = 0
    x = (m + T * _U) / (np.sqrt(2) * s)
    return float(_THERMAL @ erf(x)), float(_THERMAL @ np.exp(-x * x)) * float(np.sqrt(2 / np.pi)) / s
