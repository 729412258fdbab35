"""NbO2 switch by metallic fraction: Pickett and Williams, Nanotechnology 23:215202 (2012). The state is u = r_m / r.

R = rho_i L / (pi r^2) / (1 + (rho_i / rho_m - 1) u^2); the core's rim is at the transition, so heat leaves by
G(u) D, D = T_mit - T_amb, G = 2 pi L kappa / ln(1 / u). The stored enthalpy is
H(u) = pi r^2 L [c_p D (1 - u^2) / (2 ln(1 / u)) + h u^2], and (dH/du) du/dt = i v - G D. Near the ends of u the rate
falls to nought and the rest leaves as heat.
"""

from __future__ import annotations

import math

from thermoc.simulator.devices.rule import rule

PARAMETERS = {
    "insulator_resistivity": "ohm m",
    "metal_resistivity": "ohm m",
    "radius": "m",
    "length": "m",
    "conductivity": "W/(m*K)",
    "heat_capacity": "J/(m^3*K)",
    "latent_heat": "J/m^3",
    "transition_temperature": "K",
    "least_fraction": "",
    "greatest_fraction": "",
    "edge": "",
}
STATE = ""


@rule
def current(v, u, rho_i, rho_m, r, L):
    """i in A."""
    return v * math.pi * r * r / (rho_i * L) * (1 + (rho_i / rho_m - 1) * u * u)


@rule
def leak(u, D, L, kappa):
    """Heat through the shell in W."""
    return 2 * math.pi * L * kappa * D / -math.log(u)


@rule
def enthalpy(u, D, r, L, c_p, h):
    """H(u) in J."""
    return math.pi * r * r * L * (c_p * D * (1 - u * u) / (-2 * math.log(u)) + h * u * u)


@rule
def enthalpy_slope(u, D, r, L, c_p, h):
    """dH/du in J."""
    ln = math.log(u)
    return math.pi * r * r * L * (c_p * D * (1 - u * u + 2 * u * u * ln) / (2 * u * ln * ln) + 2 * h * u)
