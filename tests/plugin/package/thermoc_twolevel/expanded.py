"""The ops in terms of thermoc's own, for targets that do not know them."""

from __future__ import annotations

from thermoc_twolevel.ops import FreeEnergy


def free_energy(op, w):
    """max(x, 0) + T ln(1 + e^(-|x| / T))."""
    x, T = w[op.x], w[op.T]
    return w.maximum(x, 0.0) + T * w.log(w.exp(-w.abs(x) / T) + 1.0)


EXPANSIONS = {FreeEnergy: free_energy}
