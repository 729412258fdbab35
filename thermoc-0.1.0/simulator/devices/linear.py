"""A conductance: heated, it is the thermal cell ``rc``; on a capacitor, the fluctuating cell ``ou_cell``.

The exact steps of both alone: C dT = (P - (T - T_amb) / R) dt + sqrt(2 k_B T_amb^2 / R) dW (P27), and
C dv = -G (v - u) dt + sqrt(2 k_B T G) dW (P28), each an Ornstein-Uhlenbeck process, whose noise is additive, so that
Ito and Stratonovich agree.
"""

from __future__ import annotations

import math

from thermoc.simulator.devices.rule import rule
from thermoc.support.units import K_B

PARAMETERS = {"conductance": "S"}
STATE = ""


@rule
def current(v, G):
    """i = G v."""
    return G * v


@rule
def heat_cell(T, P, z, R, C, T_amb, dt):
    """T after dt at constant power P, z ~ N(0, 1): exact in distribution; z = 0 is the exact mean."""
    a = math.exp(-dt / (R * C))
    return T_amb + (T - T_amb) * a + R * P * (1 - a) + math.sqrt(K_B * T_amb * T_amb / C * (1 - a * a)) * z


@rule
def charge_cell(v, u, z, G, C, T, dt):
    """v after dt at constant source u, z ~ N(0, 1): exact in distribution."""
    a = math.exp(-G * dt / C)
    return u + (v - u) * a + math.sqrt(K_B * T / C * (1 - a * a)) * z
