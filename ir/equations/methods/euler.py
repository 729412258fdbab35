"""Euler's step, forward; with noise Euler and Maruyama's."""

from __future__ import annotations

from typing import Any

from thermoc.ir.equations.motion import Motion, State

ORDER = 1.0
NOISE = "Ito"
STRONG, WEAK = 0.5, 1.0


def step(m: Motion, x: State) -> list[Any]:
    """x' = x + dt f + b dW: order 1; with noise in Ito's sense, strong order 1/2 (1 where b is constant), weak 1."""
    moved = [xi + f * m.dt for xi, f in zip(x, m.drift(x))]
    return [xi + kick for xi, kick in zip(moved, m.kicks(x))] if m.system.noises else moved
