"""Heun's step with noise, which converges to Stratonovich's solution."""

from __future__ import annotations

from typing import Any

from thermoc.ir.equations.motion import Motion, State

ORDER = 2.0
NOISE = "Stratonovich"
STRONG, WEAK = 1.0, 1.0


def step(m: Motion, x: State) -> list[Any]:
    """x~ = x + dt f + b dW, x' = x + dt (f + f~) / 2 + (b + b~) dW / 2: Stratonovich's sense, weak order 1.

    Strong order 1 where the noises commute, as one noise and noises of one variable each do; else 1/2.
    """
    first, kicks = m.drift(x), m.kicks(x)
    predicted = [xi + f * m.dt + kick for xi, f, kick in zip(x, first, kicks)]
    slopes = [(f + g) * (m.dt / 2) for f, g in zip(first, m.drift(predicted, 1.0))]
    pushes = [(a + b) * 0.5 for a, b in zip(kicks, m.kicks(predicted, 1.0))]
    return [xi + slope + push for xi, slope, push in zip(x, slopes, pushes)]
