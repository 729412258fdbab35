"""Exponential Euler: each variable exactly, with the others at their old values."""

from __future__ import annotations

from typing import Any

from thermoc.ir.equations.motion import Motion, State

ORDER = 1.0
NOISE = ""


def step(m: Motion, x: State) -> list[Any]:
    """x_i' = x_i + dt f_i (e^(a dt) - 1) / (a dt), a = df_i / dx_i: order 1, stable for any dt; without noise.

    Each equation must be linear in its own variable, as those of ion channels are; then this is the solution of
    Rush and Larsen (1978).
    """
    exprel = m.algebra.functions["exprel"]
    shares = [1.0 if isinstance(a, float) and a == 0.0 else exprel(a * m.dt) for a in m.rates(x)]
    return [xi + f * m.dt * factor for xi, f, factor in zip(x, m.drift(x), shares)]
