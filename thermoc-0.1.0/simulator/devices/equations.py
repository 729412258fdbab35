"""The equations of every model in its circuit and its heat path: one device function that all integrators share.

A device of voltage v and current i sits behind an inner resistance; that pair hangs on a source u through a load. With
a capacitance the node between them is a state; without, Newton's method within a bracket finds v behind the sum of both
resistances; what it cannot solve is no number.

Rows, in this order:

* state y: temperature T (K), internal state x (the model's unit), node voltage (V);
* circuit c: load (ohm), inner (ohm), capacitance (F, 0 for none), thermal conductance (W/K), heat capacity (J/K, 0
  where the model keeps no temperature of its own);
* noise z: what is held over a step in place of white noise of unit power: heat, load, device;
* out: dT/dt, dx/dt, dv/dt, electrical power in, heat flow out, i, v, T.

Heat out is the flow through the thermal path, the loads' heat included, never C dT. With y, powers close at every
instant: in - out = d/dt (C_th T + C v^2 / 2 + the model's own store).
"""

from __future__ import annotations

import math
from enum import IntEnum

from thermoc.simulator.devices import jart, nbo2, pickett, stanford, vo2, vteam
from thermoc.simulator.devices.rule import rule
from thermoc.support.units import K_B


class Model(IntEnum):
    """The models that ``rates`` knows."""

    LINEAR = 0
    NBO2 = 1
    VO2 = 2
    STANFORD = 3
    PICKETT = 4
    VTEAM = 5
    JART = 6


TEMPERATURE, STATE, NODE, WORK, HEAT, CURRENT, VOLTAGE, SHOWN = range(8)
LOAD, INNER, CAPACITANCE, CONDUCTANCE, CAPACITY = range(5)
LINEAR, NBO2, VO2, STANFORD, PICKETT, VTEAM, JART = (int(model) for model in Model)
NEWTONS = 300
"""Bisection alone needs some 110 to take a bracket from 10^12 times v down to its last bits."""


@rule
def conduct(model, v, T, x, m, p):
    """(i, di/dv) at a voltage across the device itself; T is the ambient one where the model is quasi-static."""
    if model == NBO2:
        i, slope, _ = nbo2.conduct(v, T, p[0], p[1], p[2], p[3], p[4])
        return i, slope
    if model == VO2:
        g = 1 / vo2.resistance(T, m, p[0], p[1], p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[10])
        return g * v, g
    if model == STANFORD:
        return stanford.conduct(v, x, p[0], p[1], p[2])
    if model == PICKETT:
        g = pickett.current(1.0, x, p[0], p[1], p[2], p[3])
        return g * v, g
    if model == VTEAM:
        g = vteam.current(1.0, x, p[0], p[1], p[2], p[3])
        return g * v, g
    return p[0] * v, p[0]


@rule
def behind(model, u, R, T, x, m, p):
    """(v, i, di/dv, T, contact) with v + R i(v) = u, as i(v) rises; all but T no number where that is not solved.

    Newton from v = u; bisection where a step leaves the bracket or does not halve the one before it. T and the voltage
    of the contact are ``jart``'s own; its di/dv is the chord's.
    """
    if model == JART:
        i, T, contact = jart.solve(u, R, T, x, p)
        v = u - R * i
        return v, i, i / v if v != 0 else 0.0, T, contact
    v, low, high = u, min(u, 0.0), max(u, 0.0)
    i, slope = conduct(model, v, T, x, m, p)
    if R == 0:
        return v, i, slope, T, 0.0
    last = high - low
    for _ in range(NEWTONS):
        left = v + R * i - u
        if left > 0 or (not math.isfinite(left) and u > 0):
            high = min(high, v)
        else:
            low = max(low, v)
        move = -left / (1 + R * slope)
        new = v + move
        if not (low <= new <= high) or abs(move) > 0.5 * last:
            new = 0.5 * (low + high)
            move = 0.5 * (high - low)
        if new == v or abs(new - v) <= 4e-16 * abs(v) or high - low <= 2e-16 * max(abs(low), abs(high)):
            return v, i, slope, T, 0.0
        v, last = new, abs(move)
        i, slope = conduct(model, v, T, x, m, p)
    return math.nan, math.nan, math.nan, T, 0.0


@rule
def state_rate(model, v, i, T, x, Ta, p):
    """dx/dt of the internal state."""
    if model == STANFORD:
        return stanford.gap_rate(v, T, x, p[3], p[4], p[5], p[6], p[7], p[8], p[9], p[10], p[11], p[12], p[13])
    if model == VTEAM:
        return vteam.position_rate(v, x, p[2], p[3], p[4], p[5], p[6], p[7], p[8], p[9], p[10])
    return 0.0


@rule
def rates(model, u, Ta, z, y, m, p, c, out):
    """Fill ``out`` for source voltage u (V) and ambient temperature Ta (K)."""
    T, x, node = y[0], y[1], y[2]
    heated = c[4] > 0
    if not heated:
        T = Ta
    if c[2] > 0:
        v, i, slope, own, contact = behind(model, node, c[1], T, x, m, p)
        small = slope / (1 + c[1] * slope)
        i += math.sqrt(2 * K_B * T * abs(small)) * z[2]
        v = node - c[1] * i if c[1] > 0 else node
        through = (u - node) / c[0] + math.sqrt(2 * K_B * Ta / c[0]) * z[1]
        out[2] = (through - i) / c[2]
        loads = (u - node) * through + (node - v) * i
    else:
        v, i, slope, own, contact = behind(model, u, c[0] + c[1], T, x, m, p)
        through, out[2] = i, 0.0
        loads = (u - v) * i
    power = v * i
    out[3], out[5], out[6], out[7] = u * through, i, v, T
    if model == PICKETT:
        D = p[7] - Ta
        leak = pickett.leak(x, D, p[3], p[4])
        w = stanford.window(x, power - leak, p[8], p[9], p[10])
        out[1] = w * (power - leak) / pickett.enthalpy_slope(x, D, p[2], p[3], p[5], p[6])
        out[0], out[4] = 0.0, loads + w * leak + (1 - w) * power
    elif heated:
        flow = c[3] * (T - Ta) - math.sqrt(2 * K_B * Ta * Ta * c[3]) * z[0]
        out[0], out[4] = (power - flow) / c[4], loads + flow
        out[1] = state_rate(model, v, i, T, x, Ta, p)
    else:
        if model == JART:
            out[7] = own
            out[1] = jart.density_rate(v, contact, i, own, x, p)
        else:
            out[1] = state_rate(model, v, i, T, x, Ta, p)
        out[0], out[4] = 0.0, loads + power


@rule
def own_store(model, x, Ta, p):
    """Energy that the model itself holds, in J (latent and sensible heat of ``pickett``)."""
    if model == PICKETT:
        return pickett.enthalpy(x, p[7] - Ta, p[2], p[3], p[5], p[6])
    return 0.0


@rule
def look(model, T, m, p):
    """Let a device with memory look at its temperature, as it does before every fixed step."""
    if model == VO2:
        vo2.look(T, m, p[3], p[4], p[5], p[6], p[7], p[8], p[9], p[10])


@rule
def turn(T, m, p):
    """Reverse a VO2 device's direction at T."""
    vo2.turn(T, -m[0], m, p[3], p[4], p[5], p[6], p[7], p[8], p[10])
