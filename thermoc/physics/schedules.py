"""Cooling schedules (P23). t: times, any shape; each is floored at T_min > 0."""

# pyright: reportConstantRedefinition=false
# (T, C, G are a temperature, a capacity and conductances, not constants)

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from thermoc.support.array_types import FloatArray
from thermoc.support.namespaces import Numbers, as_arrays, namespace


def exponential(t: ArrayLike, T0: float, tau: float, T_min: float) -> FloatArray:
    """Return max(T0 exp(-t / tau), T_min)."""
    return np.maximum(T0 * np.exp(-np.asarray(t) / tau), T_min)


def linear(t: ArrayLike, T0: float, t_max: float, T_min: float) -> FloatArray:
    """Return max(T0 (1 - t / t_max), T_min)."""
    return np.maximum(T0 * (1 - np.asarray(t) / t_max), T_min)


def power_law(t: ArrayLike, T0: float, alpha: float, T_min: float) -> FloatArray:
    """Return max(T0 t^-alpha, T_min) for t >= 1, and max(T0, T_min) before."""
    # t^-alpha diverges towards zero: P23 holds T0 up to t = 1
    return np.maximum(T0 * np.maximum(np.asarray(t), 1.0) ** -alpha, T_min)


def adaptive_step(
    T: Numbers, capacity: Numbers, speed: float, relaxation: float, T_min: float, dt: float
) -> FloatArray:
    """Return T after dt of dT/dt = -speed T / (relaxation sqrt(C)), exact for a constant heat capacity C > 0."""
    T, capacity = as_arrays(T, capacity)
    xp = namespace(T)
    return xp.maximum(T * xp.exp(-speed * dt / (relaxation * xp.sqrt(capacity))), T_min)


def running_capacity(mean: Numbers, C: Numbers, E: Numbers, T: Numbers, ratio: float) -> tuple[FloatArray, FloatArray]:
    """Return the mean energy and C = <(E - <E>)^2 / T^2> (P15) after one more E, the past forgotten by e^-ratio.

    ratio: time since the last E over the time of forgetting. A mean that is nan starts at E. Shapes broadcast.
    """
    mean, C, E, T = as_arrays(mean, C, E, T)
    xp = namespace(E)
    fraction = -math.expm1(-ratio)
    off = xp.where(xp.isnan(mean), 0.0, E - mean)
    # E - <E> of the old mean, and both forgotten alike: the exponentially weighted variance, never negative
    return xp.where(xp.isnan(mean), E, mean + fraction * off), (1 - fraction) * (C + fraction * (off / T) ** 2)
