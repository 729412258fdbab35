"""Exact steps of linear relaxation: the deterministic one, and the Ornstein-Uhlenbeck process (P25).

Written on the array API standard.
"""

# pyright: reportConstantRedefinition=false
# (T, C, G are a temperature, a capacity and conductances, not constants)

from __future__ import annotations

from thermoc.support.array_types import FloatArray
from thermoc.support.namespaces import Numbers, as_arrays, namespace, root


def exponential_step(v: Numbers, target: Numbers, rate: Numbers, dt: float) -> FloatArray:
    """Return v after dt of dv/dt = -rate (v - target), exact for a constant target. Shapes broadcast."""
    v, target, rate = as_arrays(v, target, rate)
    return target + (v - target) * namespace(rate).exp(-rate * dt)


def chained_gain(tau_drive: Numbers, tau: Numbers, dt: float) -> FloatArray:
    """Return y(dt) of tau dy/dt = -y + exp(-t / tau_drive), y(0) = 0; no digits are lost where the times are close.

    (b - a) / (1 - tau / tau_drive) with a = exp(-dt / tau) and b = exp(-dt / tau_drive). Shapes broadcast.
    """
    tau_drive, tau = as_arrays(tau_drive, tau)
    xp = namespace(tau)
    fast, slow = dt / tau_drive, dt / tau
    gap = xp.abs(slow - fast)
    # 0 / 0 where the two times are equal: the limit is one
    ratio = xp.where(gap == 0, 1.0, -xp.expm1(-gap) / xp.where(gap == 0, 1.0, gap))
    return slow * xp.exp(-xp.minimum(slow, fast)) * ratio


def ou_step(m: Numbers, drive: Numbers, T: Numbers, gamma: Numbers, z: Numbers, dt: float) -> FloatArray:
    """Return m' = a m + (1 - a) drive / gamma + sqrt(T (1 - a^2)) z with a = exp(-gamma dt) (P25).

    z is standard normal; the law of m' is exact for any dt. Shapes broadcast.
    """
    m, drive, T, gamma, z = as_arrays(m, drive, T, gamma, z)
    xp = namespace(gamma)
    # expm1: 1 - a loses its digits where a step is far shorter than 1 / gamma
    a, approach = xp.exp(-gamma * dt), -xp.expm1(-gamma * dt)
    return a * m + approach / gamma * drive + root(T * -xp.expm1(-2 * gamma * dt)) * z
