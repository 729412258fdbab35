"""JART VCM v1b (filamentary valence change) with quasi-static temperature: the state is the vacancy density N in the disc.

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
def excess(v, v_s, Ta, N, p):
    """(v minus the drop at this contact voltage, i, T): i and T agree, by bisection on T."""
    disc, plug = cell_resistance(N, p)
    R_th = thermal_resistance(v, p)
    T, low, high = Ta, Ta, Ta
    i = contact(v_s, T, N, p)
    for _ in range(TRIALS):  # i grows with T: the least temperature that feeds itself
        aim = Ta + i * (v_s + i * (disc + plug)) * R_th
        if not aim > T * (1 + 1e-15) or T > 1e4:
            break
        low, T = T, min(aim, 2e4)
        i = contact(v_s, T, N, p)
        high = T
    return v - v_s - i * (disc + plug + line(i, p)), i, min(max(T, low), high)


@rule
def solve(v, Ta, N, p):
    """(i, T, v_s) of the whole device at v: what is left over falls with v_s, so bisection finds its zero."""
    low, high = min(v, 0.0), max(v, 0.0)
    middle, i, T = 0.0, 0.0, Ta
    for _ in range(TRIALS):
        middle = 0.5 * (low + high)
        left, i, T = excess(v, middle, Ta, N, p)
        if not math.isfinite(left):
            left = -v
        if left > 0:
            low = middle
        else:
            high = middle
        if high - low <= 1e-15 * abs(v):
            break
    return i, T, middle


@rule
def current(v, Ta, N, p):
    """i in A of the whole device at ambient temperature Ta."""
    return solve(v, Ta, N, p)[0]


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
