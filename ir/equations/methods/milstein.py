"""Milstein's step."""

from __future__ import annotations

from typing import Any

from thermoc.ir.equations.expressions import evaluate
from thermoc.ir.equations.motion import Motion, State

ORDER = 1.0
NOISE = "Ito"
STRONG, WEAK = 1.0, 1.0


def step(m: Motion, x: State) -> list[Any]:
    """x' = x + dt f + b dW + sum_jk (L^j b_k) (dW_j dW_k - [j = k] dt) / 2: Ito's sense, strong and weak order 1.

    Noises must commute, as one noise and noises of one variable each do.
    """
    moved = [xi + f * m.dt + kick for xi, f, kick in zip(x, m.drift(x), m.kicks(x))]
    names = m.environment(x)
    for (i, j, k), term in m.analysis.milstein.items():
        square = m.normal(j) * m.normal(k) - 1.0 if j == k else m.normal(j) * m.normal(k)
        moved[i] = moved[i] + evaluate(term, names, m.algebra) * square * (m.dt / 2)
    return moved
