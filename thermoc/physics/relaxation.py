"""Exact steps of linear relaxation: the deterministic one, and the Ornstein-Uhlenbeck process (P25)."""

# pyright: reportConstantRedefinition=false
# (T, C, G are a temperature, a capacity and conductances, not constants)

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from thermoc.support.array_types import FloatArray


def exponential_step(v: ArrayLike, target: ArrayLike, rate: ArrayLike, dt: float) -> FloatArray:
    """Return v after dt of dv/dt = -rate (v - target), exact for a constant target. Shapes broadcast."""
    v, target, rate = np.asarray(v), np.asarray(target), np.asarray(rate)
    return target + (v - target) * np.exp(-rate * dt)


def chained_gain(tau_drive: ArrayLike, tau: ArrayLike, dt: float) -> FloatArray:
    """Return y(dt) of tau dy/dt = -y + exp(-t / tau_drive), y(0) = 0; no digits are lost where the times are close.

    (b - a) / (1 - tau / tau_drive) with a = exp(-dt / tau) and b = exp(-dt / tau_drive). Shapes broadcast.
    """
    fast, slow = dt / np.asarray(tau_drive), dt / np.asarray(tau)
    gap = np.abs(slow - fast)
    # 0 / 0 where the two times are equal: the limit is one
    ratio = np.where(gap == 0, 1, -np.expm1(-gap) / np.where(gap == 0, 1, gap)).astype(gap.dtype)
    return slow * np.exp(-np.minimum(slow, fast)) * ratio


def ou_step(m: ArrayLike, drive: ArrayLike, T: ArrayLike, gamma: ArrayLike, z: ArrayLike, dt: float) -> FloatArray:
    """Return m' = a m + (1 - a) drive / gamma + sqrt(T (1 - a^2)) z with a = exp(-gamma dt) (P25).

    z is standard normal; the law of m' is exact for any dt. Shapes broadcast.
    """
    m, drive, T, gamma, z = (np.asarray(item) for item in (m, drive, T, gamma, z))
    # expm1: 1 - a loses its digits where a step is far shorter than 1 / gamma
    a, approach = np.exp(-gamma * dt), -np.expm1(-gamma * dt)
    return a * m + approach / gamma * drive + np.sqrt(T * -np.expm1(-2 * gamma * dt)) * z
