"""JART VCM v1b (filamentary valence change), temperature quasi-static; the state is the disc's vacancy density N.

A Schottky contact stands in series with disc, plug and line: i solves v = v_s + i (R_disc + R_plug + R_line(i)),
T = T_amb + i v_cell R_th, v_cell without the line; R_th is less by a factor in reset (v > 0). Forward the contact emits
thermally, in reverse by thermionic field emission. Vacancies hop with Mott and Gurney's barriers:
dN/dt = -I_ion / (q z A l_disc). Hardtdegen et al., IEEE TED 65:3229 (2018); Bengel et al., IEEE TCAS-I 67:4618 (2020).
"""

from __future__ import annotations

import math
from typing import Annotated, NamedTuple

from thermoc.simulator.devices.model import (
    DeviceModel,
    InternalState,
    Joule,
    KelvinPerWatt,
    Metre,
    Ohm,
    PerKelvin,
    Plain,
    Volt,
)
from thermoc.simulator.devices.rule import rule
from thermoc.simulator.kernels import scalar
from thermoc.support.units import ELEMENTARY_CHARGE as Q
from thermoc.support.units import K_B

PerCubicMetre = Annotated[float, "m^-3"]
FaradPerMetre = Annotated[float, "F/m"]


class JartParameters(NamedTuple):
    """Geometry, vacancies, contact, hopping, line and heat, in the model's order."""

    radius: Metre
    cell_length: Metre
    disc_length: Metre
    plug_density: PerCubicMetre
    least_density: PerCubicMetre
    greatest_density: PerCubicMetre
    limit_power: Plain
    mobility: Annotated[float, "m^2/(V*s)"]
    valence: Plain
    barrier: Volt
    fermi_depth: Volt
    permittivity: FaradPerMetre
    image_permittivity: FaradPerMetre
    richardson: Annotated[float, "A/(m^2*K^2)"]
    effective_mass: Annotated[float, "kg"]
    planck: Annotated[float, "J s"]
    hop_distance: Metre
    attempt_frequency: Annotated[float, "Hz"]
    hop_energy: Joule
    line_resistance: Ohm
    line_coefficient: PerKelvin
    line_thermal_resistance: KelvinPerWatt
    cell_thermal_resistance: KelvinPerWatt
    reset_factor: Plain


# bisection alone takes a bracket down to its last bits in some fifty halvings
TRIALS = 200
HOTTEST = 1e5
"""Temperatures are sought up to this many K; what rests above it is returned as this."""


@rule
def disc_area(p):
    """Cross-section of the filament in m^2."""
    return math.pi * p.radius * p.radius


@rule
def contact_current(v, T, N, p):
    """Current through the Schottky contact at v across it, A: thermionic forward, field emission in reverse."""
    z, kT, area = p.valence, K_B * T, disc_area(p)
    phi = p.barrier
    depth = p.barrier - p.fermi_depth - v
    # image force: the field of N ionised vacancies lowers the barrier, as long as there is a depletion zone
    if depth > 0:
        phi -= math.sqrt(math.sqrt(Q**3 * z * N * depth / (8 * math.pi**2 * p.image_permittivity**3)))
    # the image force may lower the barrier past zero: charge then passes freely, and a negative one has no sense here
    phi = max(phi, 0.0)
    if v >= 0:
        # expm1: near 0 V the exponential less one would lose the digits of a small current
        return area * p.richardson * T * T * scalar.exp(-phi * Q / kT) * scalar.expm1(Q * v / kT)
    # W00, the tunnelling energy of Padovani and Stratton
    w = Q * p.planck / (4 * math.pi) * math.sqrt(z * N / (p.effective_mass * p.permittivity))
    th = scalar.tanh(w / kT)
    slope = w / (w / kT - th)
    root = math.sqrt(math.pi * w * Q * (-v + phi / scalar.cosh(w / kT) ** 2))
    return -area * p.richardson * T / K_B * root * scalar.exp(-Q * phi * th / w) * scalar.expm1(-Q * v / slope)


@rule
def cell_resistance(N, p):
    """(R_disc, R_plug) in ohm."""
    per_length = 1 / (p.valence * Q * p.mobility * math.pi * p.radius * p.radius)
    return p.disc_length * per_length / N, (p.cell_length - p.disc_length) * per_length / p.plug_density


@rule
def line_resistance(i, p):
    """R_line in ohm, which its own current heats."""
    return p.line_resistance * (1 + p.line_resistance * p.line_coefficient * i * i * p.line_thermal_resistance)


@rule
def line_slope(i, p):
    """d(i R_line) / di in ohm."""
    return p.line_resistance * (1 + 3 * p.line_resistance * p.line_coefficient * i * i * p.line_thermal_resistance)


@rule
def thermal_resistance(v, p):
    """R_th in K/W."""
    return p.cell_thermal_resistance * p.reset_factor if v > 0 else p.cell_thermal_resistance


@rule
def isothermal(u, R, T, N, p):
    """(i, v_s) with v_s + i (R_disc + R_plug + R_line(i) + R) = u at this temperature; no numbers if not solved.

    Newton; bisection where a step leaves the bracket or does not halve the one before it.
    """
    disc, plug = cell_resistance(N, p)
    # bracketed by 0 and u: contact and resistances are passive, so none takes more than the source or turns its sign
    low, high, v, last = min(u, 0.0), max(u, 0.0), 0.0, abs(u)
    for _ in range(TRIALS):
        i = contact_current(v, T, N, p)
        residual = u - v - i * (disc + plug + line_resistance(i, p) + R)
        if residual > 0:
            low = v
        else:
            high = v
        # the contact's law has a kink at 0 V and its derivative several pages: a difference is enough for Newton
        h = 1e-6 * (abs(v) + 1e-3)
        slope = (contact_current(v + h, T, N, p) - i) / h
        move = residual / (1 + slope * (disc + plug + R + line_slope(i, p)))
        new = v + move
        # the negated form also catches a move that is no number, where the exponential overflows
        if not (low <= new <= high) or abs(move) > 0.5 * last:
            new = 0.5 * (low + high)
            move = 0.5 * (high - low)
        # relative to u and not to v: behind a large resistance the contact's share may be next to nothing
        if abs(new - v) <= 1e-15 * abs(u):
            return i, v
        v, last = new, abs(move)
    return math.nan, math.nan


@rule
def excess(u, R, Ta, T, N, p):
    """(i, v_s, K by which the heat of this current would exceed T)."""
    disc, plug = cell_resistance(N, p)
    i, contact = isothermal(u, R, T, N, p)
    return i, contact, Ta + i * (contact + i * (disc + plug)) * thermal_resistance(u, p) - T


@rule
def solve(u, R, Ta, N, p):
    """(i, T, v_s) behind a resistance R at ambient temperature Ta: T and its own heat agree; no numbers if not solved.

    The heat that T would cause, less T, changes sign between Ta and what the entire source power would give; where it
    does not up to ``HOTTEST``, that is T.
    """
    disc, plug = cell_resistance(N, p)
    i, contact = isothermal(u, R, Ta, N, p)
    rise = i * (contact + i * (disc + plug)) * thermal_resistance(u, p)
    # the margins keep the bracket open where rounding would put the root on its upper end
    low, f_low, high = Ta, rise, min(Ta + rise * (1 + 1e-9) + 1e-9, HOTTEST)
    f_high, T, side = 0.0, Ta, 0
    for _ in range(TRIALS):  # a bracket: i grows with T, up to what R allows
        i, contact, f_high = excess(u, R, Ta, high, N, p)
        if not (f_high > 0 and high < HOTTEST):
            break
        low, f_low, high = high, f_high, min(high + 2 * f_high + 1e-9, HOTTEST)
    if f_high > 0:
        return i, high, contact
    # false position with Illinois' halving: without it one end of the bracket would never move
    for _ in range(TRIALS):
        T = (low * f_high - high * f_low) / (f_high - f_low) if f_high != f_low else low
        if not (low <= T <= high):
            T = 0.5 * (low + high)
        i, contact, f = excess(u, R, Ta, T, N, p)
        # below 1e-13 T the inner solve's own rounding decides the sign, and the search would not end
        if abs(f) <= 1e-13 * T or high - low <= 1e-14 * T:
            return i, T, contact
        if f > 0:
            low, f_low = T, f
            f_high = 0.5 * f_high if side == 1 else f_high
            side = 1
        else:
            high, f_high = T, f
            f_low = 0.5 * f_low if side == -1 else f_low
            side = -1
    return math.nan, math.nan, math.nan


@rule
def density_rate(at, N, p):
    """dN/dt in m^-3/s."""
    disc, plug = cell_resistance(N, p)
    area, z = disc_area(p), p.valence
    # reset sees the field over the cell, set that over the disc alone: the published model fits them apart
    if at.v > 0:
        field, limit = (
            (at.contact + at.i * (disc + plug)) / p.cell_length,
            1 - scalar.power(p.least_density / N, p.limit_power),
        )
    else:
        field, limit = at.i * disc / p.disc_length, 1 - scalar.power(N / p.greatest_density, p.limit_power)
    # beyond |gamma| = 1 the barrier is gone
    gamma = min(max(z * Q * field * p.hop_distance / (math.pi * p.hop_energy), -1.0), 1.0)
    even, odd = math.sqrt(1 - gamma * gamma) + gamma * scalar.asin(gamma), gamma * math.pi / 2
    kT, hops = K_B * at.T, z * Q * 0.5 * (p.plug_density + N) * p.hop_distance * p.attempt_frequency * area
    # forward hops less backward ones: at zero field the two are equal and nothing drifts
    ions = (
        hops * (scalar.exp(-p.hop_energy * (even - odd) / kT) - scalar.exp(-p.hop_energy * (even + odd) / kT)) * limit
    )
    return -ions / (Q * z * area * p.disc_length)


MODEL = DeviceModel(
    summary="JART VCM v1b, valence change",
    parameters=JartParameters,
    temperature="quasi-static: T = T_amb + R_th P",
    state=InternalState(
        name="vacancy density",
        unit="m^-3",
        least="least_density",
        greatest="greatest_density",
        size="least_density",
    ),
    solve=solve,
    rate=density_rate,
    noiseless="its contact conducts 2.6 times better forward than backward at 0 V, so that it has no state of "
    "equilibrium",
)
