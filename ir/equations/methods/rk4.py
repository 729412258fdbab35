"""The classical Runge-Kutta step of four stages."""

from __future__ import annotations

from typing import Any

from thermoc.ir.equations.motion import Motion, State

ORDER = 4.0
NOISE = ""


def step(m: Motion, x: State) -> list[Any]:
    """x' = x + dt (k1 + 2 k2 + 2 k3 + k4) / 6: order 4; without noise."""
    k1 = m.drift(x)
    k2 = m.drift(_ahead(x, k1, m.dt / 2), 0.5)
    k3 = m.drift(_ahead(x, k2, m.dt / 2), 0.5)
    k4 = m.drift(_ahead(x, k3, m.dt), 1.0)
    return [xi + (a + (b + c) * 2.0 + d) * (m.dt / 6) for xi, a, b, c, d in zip(x, k1, k2, k3, k4)]


def _ahead(x: State, slopes: list[Any], dt: float) -> list[Any]:
    return [xi + k * dt for xi, k in zip(x, slopes)]
