"""Cooling schedules (P23). t: times, any shape; each is floored at T_min > 0."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray


def exponential(t: ArrayLike, T0: float, tau: float, T_min: float) -> NDArray:
    """Return max(T0 exp(-t / tau), T_min)."""
    return np.maximum(T0 * np.exp(-np.asarray(t) / tau), T_min)


def linear(t: ArrayLike, T0: float, t_max: float, T_min: float) -> NDArray:
    """Return max(T0 (1 - t / t_max), T_min)."""
    return np.maximum(T0 * (1 - np.asarray(t) / t_max), T_min)


def power_law(t: ArrayLike, T0: float, alpha: float, T_min: float) -> NDArray:
    """Return max(T0 t^-alpha, T_min) for t >= 1, and max(T0, T_min) before."""
    return np.maximum(T0 * np.maximum(np.asarray(t), 1.0) ** -alpha, T_min)


def adaptive_step(
    T: ArrayLike, capacity: ArrayLike, speed: float, relaxation: float, T_min: float, dt: float
) -> NDArray:
    """Return T after dt of dT/dt = -speed T / (relaxation sqrt(C)), exact for a constant heat capacity C > 0."""
    return np.maximum(np.asarray(T) * np.exp(-speed * dt / (relaxation * np.sqrt(np.asarray(capacity)))), T_min)
