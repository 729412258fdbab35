"""NbO2 switch by metallic fraction: Pickett and Williams, Nanotechnology 23:215202 (2012). The state is u = r_m / r.

R = rho_i L / (pi r^2) / (1 + (rho_i / rho_m - 1) u^2); the core's rim is at the transition, so heat leaves by
G(u) D, D = T_mit - T_amb, G = 2 pi L kappa / ln(1 / u). The stored enthalpy is
H(u) = pi r^2 L [c_p D (1 - u^2) / (2 ln(1 / u)) + h u^2], and (dH/du) du/dt = i v - G D. Near the ends of u the rate
falls to zero and the remainder leaves as heat.
"""

from __future__ import annotations

import math
from typing import Annotated, NamedTuple

from thermoc.simulator.devices.model import DeviceModel, InternalState, Kelvin, Metre, OhmMetre, Plain
from thermoc.simulator.devices.rule import rule
from thermoc.simulator.devices.window import window
from thermoc.simulator.kernels import scalar


class PickettParameters(NamedTuple):
    """rho_i, rho_m, r, L, kappa, c_p, h and T_mit of the paper; the ends of u."""

    insulator_resistivity: OhmMetre
    metal_resistivity: OhmMetre
    radius: Metre
    length: Metre
    conductivity: Annotated[float, "W/(m*K)"]
    heat_capacity: Annotated[float, "J/(m^3*K)"]
    latent_heat: Annotated[float, "J/m^3"]
    transition_temperature: Kelvin
    least_fraction: Plain
    greatest_fraction: Plain
    edge: Plain


@rule
def current(v, u, p):
    """i in A: the core of radius u r conducts as the metal, the shell around it as the insulator."""
    rho_i, rho_m, r, L = p.insulator_resistivity, p.metal_resistivity, p.radius, p.length
    return v * math.pi * r * r / (rho_i * L) * (1 + (rho_i / rho_m - 1) * u * u)


@rule
def conduct(v, T, u, m, p):
    """(i, di/dv); at a given u the device is ohmic."""
    g = current(1.0, u, p)
    return g * v, g


@rule
def leak(u, D, p):
    """Heat through the shell in W: the cylinder's radial conductance diverges as u goes to 1."""
    return 2 * math.pi * p.length * p.conductivity * D / -scalar.log(u)


@rule
def enthalpy(u, D, p):
    """H(u) in J: sensible heat of the shell's logarithmic profile, and latent heat of the core."""
    r, L, c_p, h = p.radius, p.length, p.heat_capacity, p.latent_heat
    return math.pi * r * r * L * (c_p * D * (1 - u * u) / (-2 * scalar.log(u)) + h * u * u)


@rule
def enthalpy_slope(u, D, p):
    """dH/du in J."""
    r, L, c_p, h = p.radius, p.length, p.heat_capacity, p.latent_heat
    ln = scalar.log(u)
    # divides by ln(u)^2: the ends of u in the data file keep it off 0 and 1, where this has no value
    return math.pi * r * r * L * (c_p * D * (1 - u * u + 2 * u * u * ln) / (2 * u * ln * ln) + 2 * h * u)


@rule
def core(at, u, Ta, p):
    """(du/dt, leak in W, share of the surplus that the core takes)."""
    D = p.transition_temperature - Ta
    loss = leak(u, D, p)
    surplus = at.v * at.i - loss
    # what the window keeps from the core leaves as heat: energy is conserved at the ends of u as well
    absorbed = window(u, surplus, p.least_fraction, p.greatest_fraction, p.edge)
    return absorbed * surplus / enthalpy_slope(u, D, p), loss, absorbed


@rule
def store(u, Ta, p):
    """Enthalpy in J, latent and sensible, above ambient temperature."""
    return enthalpy(u, p.transition_temperature - Ta, p)


MODEL = DeviceModel(
    summary="NbO2 by metallic fraction (Pickett and Williams)",
    parameters=PickettParameters,
    temperature="that of the transition; enthalpy is stored",
    state=InternalState(
        name="fraction", unit="", least="least_fraction", greatest="greatest_fraction", size="greatest_fraction"
    ),
    conduct=conduct,
    core=core,
    store=store,
)
