"""Weights of 8 bits with one exponent a synapse, in the sign mode that fits them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from thermoc.ir.dialects.loihi import weight_range
from thermoc.support.array_types import AnyArray, FloatArray

LEAST_EXPONENT, GREATEST_EXPONENT = -7, 7
"""Loihi has -8 to 7 (lava-nc 0.10.0); below -7 the sum before the shift could leave 32 bits."""


@dataclass(frozen=True, kw_only=True)
class Weights:
    """mantissa << exponent stands for the weights; ``floors``: the shift may drop bits of a sum."""

    mantissa: AnyArray
    exponent: int
    sign_mode: str

    @property
    def floors(self) -> bool:
        """Whether the shift can round a sum down."""
        return self.exponent < 0 and bool((self.mantissa % (1 << -self.exponent)).any())

    @property
    def real(self) -> FloatArray:
        """What the integers stand for."""
        return self.mantissa * 2.0**self.exponent


def sign_mode(weights: FloatArray) -> str:
    """Return the mode that holds these signs with the most bits."""
    # Weights of one sign spend no bit on it: their steps are half as wide.
    if weights.size and weights.min() < 0:
        return "mixed" if weights.max() > 0 else "inhibitory"
    return "excitatory"


def quantised(weights: FloatArray) -> Weights | None:
    """Return the closest weights with the smallest exponent that holds them all; None where they are too large."""
    mode = sign_mode(weights)
    low, high, step = weight_range(mode, 8)
    largest = float(np.abs(weights).max(initial=0.0))
    # The smallest exponent has the finest steps: the first that holds all weights is best.
    for exponent in range(LEAST_EXPONENT, GREATEST_EXPONENT + 1):
        # What is up to half a step beyond the last weight still rounds to it.
        if largest / 2.0**exponent < max(high, -low if mode == "inhibitory" else high) + step / 2:
            mantissa = np.clip(step * np.rint(weights / 2.0**exponent / step), low, high).astype(np.int64)
            return _lowest(Weights(mantissa=mantissa, exponent=exponent, sign_mode=mode))
    return None


def _lowest(weights: Weights) -> Weights:
    """Return the same weights with the exponent nearest 0 that keeps them: less is shifted away again."""
    _, _, step = weight_range(weights.sign_mode, 8)
    mantissa, exponent = weights.mantissa, weights.exponent
    while exponent < 0 and not (mantissa % (2 * step)).any() and mantissa.any():
        mantissa, exponent = mantissa // 2, exponent + 1
    return Weights(mantissa=mantissa, exponent=exponent, sign_mode=weights.sign_mode)
