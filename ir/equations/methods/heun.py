"""Heun's step: the mean of the slopes at both ends."""

from __future__ import annotations

from typing import Any

from thermoc.ir.equations.motion import Motion, State

ORDER = 2.0
NOISE = ""


def step(m: Motion, x: State) -> list[Any]:
    """x~ = x + dt f(x), x' = x + dt (f(x) + f(x~)) / 2: order 2; without noise."""
    first = m.drift(x)
    predicted = [xi + f * m.dt for xi, f in zip(x, first)]
    return [xi + (f + g) * (m.dt / 2) for xi, f, g in zip(x, first, m.drift(predicted, 1.0))]
