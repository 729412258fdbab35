"""NbO2 threshold switch whose temperature is its state: 3-D Poole-Frenkel conduction and Newton's cooling.

i = (s0 A / d) e^(-Ea / kT) F(x) v, F(x) = [1 + (x - 1) e^x] / x^2 + 1/2, x = w sqrt(|v| / d) / kT, and
C dT/dt = i v - (T - T_amb) / R_th. Form of Kumar et al., Nat. Commun. 8:658 (2017).
"""

from __future__ import annotations

import math
from typing import Annotated, NamedTuple

from thermoc.simulator.devices.model import DeviceModel, Joule, Metre
from thermoc.simulator.devices.rule import rule
from thermoc.simulator.kernels import scalar
from thermoc.support.units import K_B


class Nbo2Parameters(NamedTuple):
    """s0, A, d, Ea and w of the equation."""

    conductivity: Annotated[float, "S/m"]
    area: Annotated[float, "m^2"]
    thickness: Metre
    activation_energy: Joule
    field_lowering: Annotated[float, "J m^1/2 V^-1/2"]


SMALL = 0.05
"""Below this x the quotient loses digits and the series has them all."""


@rule
def enhancement(x):
    """F(x) and dF/dx; x >= 0."""
    if x < SMALL:
        # F = 1/2 + sum of x^k / (k! (k + 2)), every term positive: seven terms leave out less than 2e-14
        f = 1 + x * (1 / 3 + x * (1 / 8 + x * (1 / 30 + x * (1 / 144 + x * (1 / 840 + x / 5760)))))
        return f, 1 / 3 + x * (1 / 4 + x * (1 / 10 + x * (1 / 36 + x * (1 / 168 + x / 960))))
    e = scalar.exp(x)
    n = 1 + (x - 1) * e
    return n / (x * x) + 0.5, e / x - 2 * n / (x * x * x)


@rule
def current(v, T, p):
    """i in A at v in V and T in K, odd in v."""
    kT = K_B * T
    # |v|: the field lowers the barrier alike in both directions; the sign comes in with the last factor
    x = p.field_lowering * math.sqrt(abs(v) / p.thickness) / kT
    return p.conductivity * p.area / p.thickness * scalar.exp(-p.activation_energy / kT) * enhancement(x)[0] * v


@rule
def slopes(v, T, p):
    """(i, di/dv, di/dT) in A, S and A/K."""
    kT = K_B * T
    x = p.field_lowering * math.sqrt(abs(v) / p.thickness) / kT
    f, slope = enhancement(x)
    g = p.conductivity * p.area / p.thickness * scalar.exp(-p.activation_energy / kT)
    # x grows as the root of |v|: hence the half in d(F v) / dv
    return g * f * v, g * (f + 0.5 * x * slope), g * v * (f * p.activation_energy / kT - slope * x) / T


@rule
def conduct(v, T, x, m, p):
    """(i, di/dv)."""
    i, slope, _ = slopes(v, T, p)
    return i, slope


MODEL = DeviceModel(
    summary="Mott switch, 3-D Poole-Frenkel conduction", parameters=Nbo2Parameters, heated=True, conduct=conduct
)
