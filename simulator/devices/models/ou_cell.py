"""Fluctuating capacitor: a conductance at ambient temperature whose Johnson noise charges a capacitor.

C dv = -G (v - u) dt + sqrt(2 k_B T G) dW (P28), an Ornstein-Uhlenbeck process of stationary variance k_B T / C whatever
G is; its noise is additive, so that Ito and Stratonovich agree. ``charge_cell`` is its exact step.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from thermoc.simulator.devices.model import DeviceModel, Siemens
from thermoc.simulator.devices.rule import rule
from thermoc.support.units import K_B


class OuCellParameters(NamedTuple):
    """The conductor's conductance."""

    conductance: Siemens


@rule
def conduct(v, T, x, m, p):
    """(i, di/dv): i = G v."""
    return p.conductance * v, p.conductance


@rule
def charge_cell(v, u, z, G, C, T, dt):
    """v after dt at constant source u, z ~ N(0, 1): exact in distribution."""
    a = math.exp(-G * dt / C)
    # variance and decay share one a: that is what keeps k_B T / C stationary at any dt, as no Euler step does
    return u + (v - u) * a + math.sqrt(K_B * T / C * (1 - a * a)) * z


MODEL = DeviceModel(summary="a conductance on a capacitor", parameters=OuCellParameters, conduct=conduct)
