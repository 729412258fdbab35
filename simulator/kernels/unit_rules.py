"""One spiking unit's step, in scalars: what the loops of ``populations`` compute, for any device.

Products and sums are rounded one by one: no fused operation may take their place. A count of ticks is of 16 bits.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from thermoc.simulator.instructions.spiking import GREATER_EQUAL, SUBTRACT


@njit(error_model="numpy", forceinline=True)
def trace(g, x, keep):
    """A trace after a tick in which ``x`` arrives."""
    return keep * g + x


@njit(error_model="numpy", forceinline=True)
def membrane(v, current, keep, gain, offset):
    """A membrane after a tick, before it is compared with its threshold."""
    return keep * v + (gain * current + offset)


@njit(error_model="numpy", forceinline=True)
def passes(v, threshold, form):
    """Whether a membrane is above its threshold, or at it where the form says so."""
    return (v > threshold) | ((form & GREATER_EQUAL > 0) & (v == threshold))


@njit(error_model="numpy", forceinline=True)
def after_spike(v, threshold, v_reset, form):
    """The membrane of a unit that fired."""
    return v - threshold if form & SUBTRACT else v_reset


@njit(error_model="numpy", forceinline=True)
def rested(resting):
    """The ticks that a unit still rests, a tick later."""
    return np.uint16(resting - np.uint16(resting != 0))
