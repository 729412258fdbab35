"""Thermal cell: a heater of fixed conductance on a heat capacity behind a thermal resistance.

i = G v and C dT = (P - (T - T_amb) / R) dt + sqrt(2 k_B T_amb^2 / R) dW (P27): an Ornstein-Uhlenbeck process whose
noise is additive, so that Ito and Stratonovich agree; ``heat_cell`` is its exact step.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from thermoc.simulator.devices.model import DeviceModel, Siemens
from thermoc.simulator.devices.rule import rule
from thermoc.support.units import K_B


class HeaterParameters(NamedTuple):
    """The heater's conductance."""

    conductance: Siemens


@rule
def conduct(v, T, x, m, p):
    """(i, di/dv): i = G v."""
    return p.conductance * v, p.conductance


@rule
def heat_cell(T, P, z, R, C, T_amb, dt):
    """T after dt at constant power P, z ~ N(0, 1): exact in distribution; z = 0 is the exact mean."""
    a = math.exp(-dt / (R * C))
    # a whole step at constant P has a closed form: no step is too long for a cell of short R C
    return T_amb + (T - T_amb) * a + R * P * (1 - a) + math.sqrt(K_B * T_amb * T_amb / C * (1 - a * a)) * z


MODEL = DeviceModel(summary="a heater on a thermal RC cell", parameters=HeaterParameters, heated=True, conduct=conduct)
