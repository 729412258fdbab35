"""What a matrix has become on crossbars, as data: the op that takes its place, and how far its results can be off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thermoc.ir.dialects.crossbar import Mvm
from thermoc.support.array_types import FloatArray

DEVIATIONS = 6
"""Read noise is bounded at so many standard deviations; a normal number exceeds them once in 5 * 10^8."""


@dataclass(frozen=True, kw_only=True)
class CrossbarPlan:
    """Fields of the op that takes a matrix's place, and bounds for its outputs (m,).

    weights: what each weight has become (n, m). error: how far an output can be off; None where the range of the
    inputs is not known and the weights are not exact. clipped: how far of that because an ADC clips. noise: standard
    deviation from read noise. half_code: how far a reading is rounded, in steps of a cell. offset: of ``WeightCells``;
    with one, ``op`` is that of all of an input's bits as if they had no sign, which ``biased`` writes as two products.
    """

    op: Mvm
    plus: FloatArray
    minus: FloatArray
    scale: float
    weights: FloatArray
    error: FloatArray | None
    clipped: float
    noise: float
    half_code: float = 0.0
    offset: FloatArray | None = None
    reach: FloatArray | None = None
    fixed: FloatArray | None = None
    """How far an output can be off by the converters and the noise of the largest inputs."""
    variance: FloatArray | None = None
    """Of an output from read noise, for each input (n, m) of size 1; where ``reach`` is not known."""

    def alone(self, W: FloatArray, size: FloatArray) -> FloatArray:
        """Return how far an output can be off (m,) for exact inputs of at most this size (n,).

        What is beyond the range of the converters is cut.
        """
        off = np.abs(self.weights - W).T @ size
        if self.variance is not None:
            off = off + DEVIATIONS * np.sqrt(size**2 @ self.variance)
        if self.fixed is None or self.reach is None:
            return off
        return off + self.fixed + np.abs(self.weights).T @ np.maximum(size - self.reach, 0.0)
