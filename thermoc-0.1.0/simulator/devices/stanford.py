"""Filamentary RRAM of Stanford and ASU with Joule heating: the gap g between filament and electrode is the state.

i = I0 e^(-g / g0) sinh(v / V0) and
dg/dt = -v0 [e^(-(Eag - c a0 q v / L) / kT) - e^(-(Ear + c a0 q v / L) / kT)], c = c0 - c1 (g / g1)^3.
Near the gap's ends the rate falls linearly to nought over ``edge``.
"""

from __future__ import annotations

import math

from thermoc.simulator.devices.rule import rule
from thermoc.support.units import ELEMENTARY_CHARGE, K_B

PARAMETERS = {
    "current_scale": "A",
    "gap_scale": "m",
    "voltage_scale": "V",
    "velocity": "m/s",
    "generation_energy": "J",
    "recombination_energy": "J",
    "field_factor": "",
    "field_factor_fall": "",
    "field_factor_gap": "m",
    "atomic_distance": "m",
    "oxide_thickness": "m",
    "least_gap": "m",
    "greatest_gap": "m",
    "edge": "m",
}
STATE = "m"


@rule
def current(v, gap, I0, g0, V0):
    """i in A; it does not depend on T."""
    return I0 * math.exp(-gap / g0) * math.sinh(v / V0)


@rule
def conduct(v, gap, I0, g0, V0):
    """(i, di/dv)."""
    scale = I0 * math.exp(-gap / g0)
    return scale * math.sinh(v / V0), scale / V0 * math.cosh(v / V0)


@rule
def gap_rate(v, T, gap, v0, Eag, Ear, c0, c1, g1, a0, L, low, high, edge):
    """dg/dt in m/s."""
    kT = K_B * T
    drift = (c0 - c1 * (gap / g1) ** 3) * a0 * ELEMENTARY_CHARGE * v / L
    rate = -v0 * (math.exp(-(Eag - drift) / kT) - math.exp(-(Ear + drift) / kT))
    return rate * window(gap, rate, low, high, edge)


@rule
def window(x, rate, low, high, edge):
    """1 inside, falling to 0 at the end towards which x moves."""
    room = x - low if rate < 0 else high - x
    return min(1.0, max(0.0, room / edge))
