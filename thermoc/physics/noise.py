"""Fluctuations of temperatures, charges and currents, SI units (P26 to P28)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from thermoc.physics.checks import non_negative, positive
from thermoc.support.array_types import FloatArray
from thermoc.support.units import K_B


def temperature_fluctuation(C: ArrayLike, T: ArrayLike) -> FloatArray:
    """Return the rms fluctuation sqrt(k_B T^2 / C) in K of a body of heat capacity C in J/K at T in K (P27)."""
    # T^2 and not T: P25's form, meant for a dimensionless memory, would have the wrong unit
    return positive("T", T) * np.sqrt(K_B / positive("C", C))


def capacitor_voltage(C: ArrayLike, T: ArrayLike) -> FloatArray:
    """Return the rms noise voltage sqrt(k_B T / C) in V on a capacitance in F at T in K (P28)."""
    return np.sqrt(K_B * positive("T", T) / positive("C", C))


def johnson_current(G: ArrayLike, T: ArrayLike, bandwidth: ArrayLike) -> FloatArray:
    """Return the rms noise current sqrt(4 k_B T G B) in A of a conductance in S over a bandwidth in Hz (P28)."""
    return np.sqrt(4 * K_B * positive("T", T) * non_negative("G", G) * non_negative("bandwidth", bandwidth))
