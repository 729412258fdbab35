"""What the simulator holds."""

from __future__ import annotations

from thermoc.backends.sim.rows.table import WRITERS
from thermoc.ir.target import TargetDescription

TARGET = TargetDescription(
    name="sim",
    summary="our simulator: Numba on the CPU, float64 or float32, parallel over the batch",
    ops=frozenset(cls.opname for cls in WRITERS),
    folds=True,
)
