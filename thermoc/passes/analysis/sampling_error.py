"""Sampling error: how far means of spikes may be off, value by value, and how that goes through linear ops."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from thermoc.ir.ops import Op
from thermoc.passes.analysis.linearity import LINEAR, Numbers
from thermoc.support.array_types import FloatArray


@dataclass(frozen=True, kw_only=True)
class SamplingError:
    """Of one value, a unit: the standard deviation of a tick, and sqrt(n) times what is left after n ticks of an error
    that falls as 1 / sqrt(n)."""

    noise: FloatArray
    drift: FloatArray

    @property
    def mean(self) -> FloatArray:
        """Of the mean over n ticks, times sqrt(n): drifts of 1 / sqrt(k) have the mean 2 / sqrt(n)."""
        return self.noise + 2 * self.drift


def through(op: Op, errors: Mapping[str, SamplingError], constants: Numbers) -> SamplingError:
    """Return the error of a linear op's result: noise adds up in squares, drift in magnitude."""
    linear = LINEAR.entries[type(op)]
    variances = {name: error.noise**2 for name, error in errors.items()}
    drifts = {name: error.drift for name, error in errors.items()}
    squares = {name: array**2 for name, array in constants.items()}
    sizes = {name: np.abs(array) for name, array in constants.items()}
    return SamplingError(
        noise=np.sqrt(linear.magnitudes(op, variances, squares, constants)),
        drift=linear.magnitudes(op, drifts, sizes, constants),
    )
