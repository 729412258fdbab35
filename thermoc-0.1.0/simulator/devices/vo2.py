"""VO2 with hysteresis (thermal neuristor): Zhang, Sipling, Qiu, Schuller and Di Ventra, arXiv 2312.12899.

R(T) = R0 e^(Ea / T) g(T) + Rm, g the insulating fraction: on a branch with direction d = +1 (heating) or -1 (cooling)
g = 1/2 + 1/2 tanh(b (d w / 2 + Tc - T - Tp P((T - Tr) / Tp))), P(y) = (1 - sin c y)(1 + tanh(pi^2 - 2 pi y)) / 2: after
a reversal at Tr a minor branch leaves the old one continuously. Temperatures are held within the fit's range.

Memory of a device, in this order: direction d, whether it has reversed, Tr, Tp, the temperature last looked at.
"""

from __future__ import annotations

import math

from thermoc.simulator.devices.rule import rule

PARAMETERS = {
    "insulator_resistance": "ohm",
    "activation_temperature": "K",
    "metal_resistance": "ohm",
    "hysteresis_width": "K",
    "critical_temperature": "K",
    "steepness": "1/K",
    "ripple": "",
    "fit_from": "K",
    "fit_to": "K",
    "reversal_step": "K",
    "proximity_offset": "K",
}
STATE = ""
DIRECTION, REVERSED, TURNED_AT, PROXIMITY, LAST = range(5)


@rule
def blend(y, ripple):
    """P(y): 1 at a reversal, 0 far from it."""
    return 0.5 * (1 - math.sin(ripple * y)) * (1 + math.tanh(math.pi * math.pi - 2 * math.pi * y))


@rule
def insulating_fraction(T, m, w, Tc, b, ripple, offset):
    """g(T) in (0, 1) on the present branch."""
    shift = 0.0
    if m[1] > 0:
        shift = m[3] * blend((T - m[2]) / (m[3] + offset), ripple)
    return 0.5 + 0.5 * math.tanh(b * (m[0] * w / 2 + Tc - (T + shift)))


@rule
def resistance(T, m, R0, Ea, Rm, w, Tc, b, ripple, low, high, offset):
    """R(T) in ohm on the present branch."""
    T = min(max(T, low), high)
    return R0 * math.exp(Ea / T) * insulating_fraction(T, m, w, Tc, b, ripple, offset) + Rm


@rule
def current(v, T, m, R0, Ea, Rm, w, Tc, b, ripple, low, high, step, offset):
    """i = v / R(T) in A."""
    return v / resistance(T, m, R0, Ea, Rm, w, Tc, b, ripple, low, high, offset)


@rule
def turn(T, direction, m, w, Tc, b, ripple, low, high, offset):
    """Start the branch of ``direction`` at T, as continuous as float64 holds it."""
    T = min(max(T, low), high)
    g = insulating_fraction(T, m, w, Tc, b, ripple, offset)
    m[0], m[1], m[2] = direction, 1.0, T
    m[3] = direction * w / 2 + Tc - math.atanh(2 * g - 1) / b - T
    m[4] = T


@rule
def look(T, m, w, Tc, b, ripple, low, high, step, offset):
    """Turn where T has gone back by more than ``step`` since last looked at; forget nothing smaller."""
    held = min(max(T, low), high)
    d = held - m[4]
    if abs(d) > step:
        direction = 1.0 if d > 0 else -1.0
        if direction != m[0]:
            turn(held, direction, m, w, Tc, b, ripple, low, high, offset)
        m[4] = held
