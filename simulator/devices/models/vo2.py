"""VO2 with hysteresis (thermal neuristor): Zhang, Sipling, Qiu, Schuller and Di Ventra, arXiv 2312.12899.

R(T) = R0 e^(Ea / T) g(T) + Rm, g the insulating fraction: on a branch with direction d = +1 (heating) or -1 (cooling)
g = 1/2 + 1/2 tanh(b (d w / 2 + Tc - T - Tp P((T - Tr) / Tp))), P(y) = (1 - sin c y)(1 + tanh(pi^2 - 2 pi y)) / 2: after
a reversal at Tr a minor branch leaves the old one continuously. Outside the fit's range R is that of its nearer end.

Memory of a device, in this order: direction d, whether it has reversed, Tr, Tp, the temperature last looked at.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.devices.model import DIRECTION, DeviceModel, Hysteresis, Kelvin, Ohm, PerKelvin, Plain
from thermoc.simulator.devices.rule import rule
from thermoc.simulator.kernels import scalar


class Vo2Parameters(NamedTuple):
    """R0, Ea, Rm, w, Tc, b, c of the paper; the range of its fit; how reversals are noticed."""

    insulator_resistance: Ohm
    activation_temperature: Kelvin
    metal_resistance: Ohm
    hysteresis_width: Kelvin
    critical_temperature: Kelvin
    steepness: PerKelvin
    ripple: Plain
    fit_from: Kelvin
    fit_to: Kelvin
    reversal_step: Kelvin
    proximity_offset: Kelvin


REVERSED, TURNED_AT, PROXIMITY, LAST = range(DIRECTION + 1, 5)


@rule
def within_fit(T, p):
    """T, or the end of the fit's range that it lies beyond."""
    return min(max(T, p.fit_from), p.fit_to)


@rule
def blend(y, ripple):
    """P(y): 1 at a reversal, 0 far from it."""
    return 0.5 * (1 - scalar.sin(ripple * y)) * (1 + scalar.tanh(math.pi * math.pi - 2 * math.pi * y))


@rule
def insulating_fraction(T, m, p):
    """g(T) in (0, 1) on the present branch."""
    shift = 0.0
    if m[REVERSED] > 0:
        # Tp vanishes where a branch is left at its own end; the offset keeps the quotient a number there
        y = (T - m[TURNED_AT]) / (m[PROXIMITY] + p.proximity_offset)
        shift = m[PROXIMITY] * blend(y, p.ripple)
    edge = m[DIRECTION] * p.hysteresis_width / 2 + p.critical_temperature
    return 0.5 + 0.5 * scalar.tanh(p.steepness * (edge - (T + shift)))


@rule
def resistance(T, m, p):
    """R(T) in ohm on the present branch."""
    T = within_fit(T, p)
    g = insulating_fraction(T, m, p)
    return p.insulator_resistance * scalar.exp(p.activation_temperature / T) * g + p.metal_resistance


@rule
def conduct(v, T, x, m, p):
    """(i, di/dv), i = v / R(T)."""
    g = 1 / resistance(T, m, p)
    return g * v, g


@rule
def turn(T, direction, m, p):
    """Start the branch of ``direction`` at T; Tp solves g_new(Tr) = g_old(Tr), as closely as float64 represents it."""
    T = within_fit(T, p)
    # on the old branch, before the memory changes: g must not jump at a reversal
    g = insulating_fraction(T, m, p)
    m[DIRECTION], m[REVERSED], m[TURNED_AT] = direction, 1.0, T
    edge = direction * p.hysteresis_width / 2 + p.critical_temperature
    # atanh(2 g - 1); infinite where g rounds to 0 or 1; with the fitted steepness it does not within the fit's range
    m[PROXIMITY] = edge - 0.5 * scalar.log(g / (1 - g)) / p.steepness - T
    m[LAST] = T


@rule
def reverse(T, m, p):
    """Turn to the other branch at T."""
    turn(T, -m[DIRECTION], m, p)


@rule
def look(T, m, p):
    """Turn where T has gone back by more than ``reversal_step`` since last looked at; forget nothing smaller.

    Noise and rounding go back and forth by less, and would otherwise make a minor branch of every step.
    """
    fitted = within_fit(T, p)
    d = fitted - m[LAST]
    if abs(d) > p.reversal_step:
        direction = 1.0 if d > 0 else -1.0
        if direction != m[DIRECTION]:
            turn(fitted, direction, m, p)
        m[LAST] = fitted


@rule
def travelled(T, m, p):
    """How far T has gone beyond a reversal step since it was last looked at, K."""
    return abs(within_fit(T, p) - m[LAST]) - p.reversal_step


@rule
def look_together(T, m, p):
    """Turn where T has gone back at all: of devices that are looked at together, once any has travelled a step."""
    fitted = within_fit(T, p)
    if (fitted - m[LAST]) * m[DIRECTION] < 0:
        reverse(fitted, m, p)
    m[LAST] = fitted


@rule
def remember(T, turned, m, p):
    """After an accepted step: turn where a reversal was located, or where T has gone back all the same."""
    # the second test catches reversals that the rates at the two ends of a step do not show
    if turned or (T - m[LAST]) * m[DIRECTION] < -p.reversal_step:
        reverse(T, m, p)
    # the extreme so far and not the last value: small retreats would never add up to a reversal otherwise
    elif (T - m[LAST]) * m[DIRECTION] > 0:
        m[LAST] = within_fit(T, p)


def begin(memory: NDArray[np.float64], T: NDArray[np.float64]) -> None:
    """Start devices at T (n,) on the heating branch."""
    memory[:, DIRECTION] = 1.0
    memory[:, LAST] = T


MODEL = DeviceModel(
    summary="thermal neuristor with hysteresis (Zhang et al., arXiv 2312.12899)",
    parameters=Vo2Parameters,
    heated=True,
    conduct=conduct,
    hysteresis=Hysteresis(
        begin=begin, look=look, reverse=reverse, remember=remember, travelled=travelled, look_together=look_together
    ),
)
