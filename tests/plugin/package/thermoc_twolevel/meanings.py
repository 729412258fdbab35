"""What the ops do: NumPy, slow, obvious."""

from __future__ import annotations

import numpy as np

from thermoc.ir.reference.meaning import aligned, pure
from thermoc_twolevel.ops import FreeEnergy


@pure(FreeEnergy)
def free_energy(op, ctx, x, T):
    """max(x, 0) + T ln(1 + e^(-|x| / T)), so that no exponential overflows."""
    x, T = aligned(x, T)
    return np.maximum(x, 0.0) + T * np.log1p(np.exp(-np.abs(x) / T))
