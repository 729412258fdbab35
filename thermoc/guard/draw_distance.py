"""How far the law of one draw is from what was asked for, where its temperature is off."""

from __future__ import annotations

import numpy as np

from thermoc.ir.dialects import sampling, thermo
from thermoc.ir.ops import Op

DRIVES = np.linspace(0.0, 60.0, 60_001)
"""Gaps between levels, in units of kT, over which the largest distance is looked for: 1e-3 apart."""


def draw_distance(op: Op, off: float) -> float:
    """Return the largest total variation of a draw at T (1 + off) from one at T, whatever drives it.

    Binary units (P6) and categories (P7): over the gap between one level and all others, exact for two levels. Others
    add a normal of variance proportional to T: the distance of two normals of one mean.
    """
    if off == 0.0:
        return 0.0
    if off <= -1.0:
        return 1.0
    if isinstance(op, thermo.SampleCategorical):
        return _of_levels(op.results[0].shape[-1], off)
    if isinstance(op, thermo.SampleBinary | sampling.Gibbs | sampling.GibbsSweeps):
        return _of_levels(2, off)
    return _of_normals(off)


def _of_levels(levels: int, off: float) -> float:
    """One level lies below the others, which are ``levels`` - 1 alike."""
    alternatives = np.log(levels - 1)

    def low(gap: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(alternatives - gap))

    return float(np.abs(low(DRIVES) - low(DRIVES / (1 + off))).max())


def _of_normals(off: float) -> float:
    from scipy.special import ndtr

    ratio = 1 + off
    # where the two densities cross, in standard deviations of the first
    cross = np.sqrt(ratio * np.log(ratio) / (ratio - 1))
    return float(2 * abs(ndtr(cross) - ndtr(cross / np.sqrt(ratio))))
