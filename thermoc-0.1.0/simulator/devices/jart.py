"""JART VCM v1b (filamentary valence change), temperature quasi-static; the state is the disc's vacancy density N.

A Schottky contact stands in series with disc, plug and line: i solves v = v_s + i (R_disc + R_plug + R_line(i)),
T = T_amb + i v_cell R_th, v_cell without the line; R_th is less by a factor in reset (v > 0). Forward the contact emits
thermally, in reverse by thermionic field emission. Vacancies hop with Mott and Gurney's barriers:
dN/dt = -I_ion / (q z A l_disc). Hardtdegen et al., IEEE TED 65:3229 (2018); Bengel et al., IEEE TCAS-I 67:4618 (2020).
"""

from __future__ import annotations

import math

from thermoc.simulator.devices.rule import rule
from thermoc.support.units import ELEMENTARY_CHARGE as Q
from thermoc.support.units import K_B

PARAMETERS = {
    "radius": "m",
    "cell_length": "m",
    "disc_length": "m",
    "plug_density": "m^-3",
    "least_density": "m^-3",
    "greatest_density": "m^-3",
    "limit_power": "",
    "mobility": "m^2/(V*s)",
    "valence": "",
    "barrier": "V",
    "fermi_depth": "V",
    "permittivity": "F/m",
    "image_permittivity": "F/m",
    "richardson": "A/(m^2*K^2)",
    "effective_mass": "kg",
    "planck": "J s",
    "hop_distance": "m",
    "attempt_frequency": "Hz",
    "hop_energy": "J",
    "line_resistance": "ohm",
    "line_coefficient": "1/K",
    "line_thermal_resistance": "K/W",
    "cell_thermal_resistance": "K/W",
    "reset_factor": "",
}
STATE = "m^-3"
TRIALS = 200
HOTTEST = 1e5
"""Temperatures are sought up to this many K; what rests above it is returned as this."""


@rule
def contact(v, T, N, p):
    """Current through the Schottky contact at v across it; p in the order of PARAMETERS."""
    z, phi0, kT = p[8], p[9], K_B * T
    area = math.pi * p[0] * p[0]
    phi = phi0
    depth = phi0 - p[10] - v
    if depth > 0:
        phi -= math.sqrt(math.sqrt(Q**3 * z * N * depth / (8 * math.pi**2 * p[12] ** 3)))
    phi = max(phi, 0.0)
    if v >= 0:
        return area * p[13] * T * T * math.exp(-phi * Q / kT) * math.expm1(Q * v / kT)
    w = Q * p[15] / (4 * math.pi) * math.sqrt(z * N / (p[14] * p[11]))
    th = math.tanh(w / kT)
    slope = w / (w / kT - th)
    root = math.sqrt(math.pi * w * Q * (-v + phi / math.cosh(w / kT) ** 2))
    return -area * p[13] * T / K_B * root * math.exp(-Q * phi * th / w) * math.expm1(-Q * v / slope)


@rule
def cell_resistance(N, p):
    """R_disc and R_plug."""
    per_length = 1 / (p[8] * Q * p[7] * math.pi * p[0] * p[0])
    return p[2] * per_length / N, (p[1] - p[2]) * per_length / p[3]


@rule
def line(i, p):
    """R_line, which its own current heats."""
    return p[19] * (1 + p[19] * p[20] * i * i * p[21])


@rule
def thermal_resistance(v, p):
    """R_th in K/W."""
    return p[22] * p[23] if v > 0 else p[22]


@rule
def behind(u, R, T, N, p):
    """(i, v_s) with v_s + i (R_disc + R_plug + R_line(i) + R) = u at this temperature; no numbers if not solved.

    Newton; bisection where a step leaves the bracket or does not halve the one before it.
    """
    disc, plug = cell_resistance(N, p)
    low, high, v, last = min(u, 0.0), max(u, 0.0), 0.0, abs(u)
    for _ in range(TRIALS):
        i = contact(v, T, N, p)
        left = u - v - i * (disc + plug + line(i, p) + R)
        if left > 0:
            low = v
        else:
            high = v
        h = 1e-6 * (abs(v) + 1e-3)
        slope = (contact(v + h, T, N, p) - i) / h
        move = left / (1 + slope * (disc + plug + R + p[19] * (1 + 3 * p[19] * p[20] * i * i * p[21])))
        new = v + move
        if not (low <= new <= high) or abs(move) > 0.5 * last:  # no number, or a step too long
            new = 0.5 * (low + high)
            move = 0.5 * (high - low)
        if abs(new - v) <= 1e-15 * abs(u):
            return i, v
        v, last = new, abs(move)
    return math.nan, math.nan


@rule
def solve(u, R, Ta, N, p):
    """(i, T, v_s) behind a resistance R at ambient temperature Ta: T and its own heat agree; no numbers if not solved.

    The heat that T would cause, less T, changes sign between Ta and what the entire source power would give; where it
    does not up to ``HOTTEST``, that is T.
    """
    disc, plug = cell_resistance(N, p)
    R_th, cell = thermal_resistance(u, p), disc + plug
    i, contact_v = behind(u, R, Ta, N, p)
    rest = i * (contact_v + i * cell) * R_th
    low, f_low, high = Ta, rest, min(Ta + rest * (1 + 1e-9) + 1e-9, HOTTEST)
    f_high, T, side = 0.0, Ta, 0
    for _ in range(TRIALS):  # a bracket: i grows with T, up to what R allows
        i, contact_v = behind(u, R, high, N, p)
        f_high = Ta + i * (contact_v + i * cell) * R_th - high
        if not (f_high > 0 and high < HOTTEST):
            break
        low, f_low, high = high, f_high, min(high + 2 * f_high + 1e-9, HOTTEST)
    if f_high > 0:
        return i, high, contact_v
    for _ in range(TRIALS):
        T = (low * f_high - high * f_low) / (f_high - f_low) if f_high != f_low else low
        if not (low <= T <= high):
            T = 0.5 * (low + high)
        i, contact_v = behind(u, R, T, N, p)
        f = Ta + i * (contact_v + i * cell) * R_th - T
        if abs(f) <= 1e-13 * T or high - low <= 1e-14 * T:
            return i, T, contact_v
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
def current(v, Ta, N, p):
    """i in A of the whole device at ambient temperature Ta."""
    return solve(v, 0.0, Ta, N, p)[0]


@rule
def density_rate(v, v_s, i, T, N, p):
    """dN/dt in m^-3/s."""
    disc, plug = cell_resistance(N, p)
    area, z = math.pi * p[0] * p[0], p[8]
    if v > 0:
        field, limit = (v_s + i * (disc + plug)) / p[1], 1 - (p[4] / N) ** p[6]
    else:
        field, limit = i * disc / p[2], 1 - (N / p[5]) ** p[6]
    gamma = min(max(z * Q * field * p[16] / (math.pi * p[18]), -1.0), 1.0)
    even, odd = math.sqrt(1 - gamma * gamma) + gamma * math.asin(gamma), gamma * math.pi / 2
    kT, hops = K_B * T, z * Q * 0.5 * (p[3] + N) * p[16] * p[17] * area
    ions = hops * (math.exp(-p[18] * (even - odd) / kT) - math.exp(-p[18] * (even + odd) / kT)) * limit
    return -ions / (Q * z * area * p[2])
