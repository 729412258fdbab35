"""The midpoint step, Runge and Kutta's of two stages."""

from __future__ import annotations

from typing import Any

from thermoc.ir.equations.motion import Motion, State

ORDER = 2.0
NOISE = ""


def step(m: Motion, x: State) -> list[Any]:
    """x' = x + dt f(x + dt f(x) / 2): order 2; without noise."""
    half = [xi + f * (m.dt / 2) for xi, f in zip(x, m.drift(x))]
    return [xi + f * m.dt for xi, f in zip(x, m.drift(half, 0.5))]
