"""The equations of every model in its circuit and its heat path: one device function that all integrators share.

A device of voltage v and current i sits behind an inner resistance; that pair hangs on a source u through a load. With
a capacitance the node between them is a state; without, Newton's method within a bracket finds v behind the sum of both
resistances; what it cannot solve is no number.

Heat out is the flow through the thermal path, the loads' heat included, never C dT. With the state, powers close at
every instant: in + inflow - out = d/dt (C_th T + C v^2 / 2 + the model's own store); what flows in from other devices
is given, and 0 but for devices that are coupled.
"""

from __future__ import annotations

import math

from thermoc.simulator.devices.dispatch import hook, hysteresis, those_with
from thermoc.simulator.devices.model import OperatingPoint
from thermoc.simulator.devices.records import (
    CURRENT,
    HEAT,
    NODE,
    SHOWN,
    STATE,
    TEMPERATURE,
    VOLTAGE,
    WORK,
    DeviceCircuit,
    Domain,
)
from thermoc.simulator.devices.rule import rule
from thermoc.support.units import K_B

NEWTONS = 300
"""Bisection alone needs some 110 to take a bracket from 10^12 times v down to its last bits."""

conduct = hook("conduct", "v, T, x, m", "(nan, nan)")
solve = hook("solve", "u, R, Ta, x", "(nan, nan, nan)")
rate = hook("rate", "at, x", "0.0")
core = hook("core", "at, x, Ta", "(nan, nan, nan)")
store = hook("store", "x, Ta", "0.0")
look = hysteresis("look", "T, m")
reverse = hysteresis("reverse", "T, m")
remember = hysteresis("remember", "T, turned, m")
look_together = hysteresis("look_together", "T, m")
travelled = hysteresis("travelled", "T, m", "0.0")

SOLVES, HAS_CORE, HYSTERETIC = those_with("solve"), those_with("core"), those_with("hysteresis")


@rule
def circuit_of(row):
    """The record of a row of ``Device.circuit``."""
    return DeviceCircuit(row[0], row[1], row[2], row[3], row[4])


@rule
def domain_of(row):
    """The record of a row of ``Device.domain``."""
    return Domain(row[0], row[1], row[2])


@rule
def behind(model, u, R, T, x, m, row):
    """Return the ``OperatingPoint`` with v + R i(v) = u, as i(v) rises; all but T no number where that is not solved.

    Newton from v = u; bisection where a step leaves the bracket or does not halve the one before it. A model that
    solves for its current by itself gives T and the voltage of its contact too; its di/dv is the chord's.
    """
    if SOLVES[model]:
        i, T, contact = solve(model, u, R, T, x, row)
        v = u - R * i
        return OperatingPoint(v, i, i / v if v != 0 else 0.0, T, contact)
    v, low, high = u, min(u, 0.0), max(u, 0.0)
    i, slope = conduct(model, v, T, x, m, row)
    if R == 0:
        return OperatingPoint(v, i, slope, T, 0.0)
    last = high - low
    for _ in range(NEWTONS):
        residual = v + R * i - u
        # at high voltages an exponential law overflows: the solution then lies nearer to 0
        if residual > 0 or (not math.isfinite(residual) and u > 0):
            high = min(high, v)
        else:
            low = max(low, v)
        # i(v) rises, so the denominator is at least one and Newton's step always points at the root
        move = -residual / (1 + R * slope)
        new = v + move
        if not (low <= new <= high) or abs(move) > 0.5 * last:
            new = 0.5 * (low + high)
            move = 0.5 * (high - low)
        # three ends: no move, a move below the last bit, a bracket that has closed on a root which rounding hides
        if new == v or abs(new - v) <= 4e-16 * abs(v) or high - low <= 2e-16 * max(abs(low), abs(high)):
            return OperatingPoint(v, i, slope, T, 0.0)
        v, last = new, abs(move)
        i, slope = conduct(model, v, T, x, m, row)
    return OperatingPoint(math.nan, math.nan, math.nan, T, 0.0)


@rule
def rates(problem, y, out):
    """Fill ``out`` with the rates at state y (see ``records``)."""
    cell, drive = problem.cell, problem.drive
    model, circuit, row, z = cell.model, cell.circuit, cell.parameters, problem.noise
    u, Ta, x, node = drive.source, drive.ambient, y[STATE], y[NODE]
    heated = circuit.capacity > 0
    T = y[TEMPERATURE] if heated else Ta
    if circuit.capacitance > 0:
        at = behind(model, node, circuit.inner, T, x, problem.memory, row)
        # Johnson noise of the device's small-signal conductance, as the node sees it behind the inner resistance
        differential = at.slope / (1 + circuit.inner * at.slope)
        i = at.i + math.sqrt(2 * K_B * T * abs(differential)) * z[2]
        # from the noisy current, so that inner resistance and device together take what the node delivers
        v = node - circuit.inner * i if circuit.inner > 0 else node
        through = (u - node) / circuit.load + math.sqrt(2 * K_B * Ta / circuit.load) * z[1]
        out[NODE] = (through - i) / circuit.capacitance
        # a noise current does work against the voltage too: without it the balance would not close draw by draw
        loads = (u - node) * through + (node - v) * i
    else:
        at = behind(model, u, circuit.load + circuit.inner, T, x, problem.memory, row)
        i, v = at.i, at.v
        through, out[NODE] = i, 0.0
        loads = (u - v) * i
    at = OperatingPoint(v, i, at.slope, at.T, at.contact)
    power = v * i
    out[WORK], out[CURRENT], out[VOLTAGE], out[SHOWN] = u * through, i, v, at.T
    if HAS_CORE[model]:
        speed, leak, absorbed = core(model, at, x, Ta, row)
        # what the core does not absorb leaves at once and is no part of its enthalpy
        out[TEMPERATURE], out[STATE], out[HEAT] = 0.0, speed, loads + absorbed * leak + (1 - absorbed) * power
        return
    out[STATE] = rate(model, at, x, row)
    if heated:
        # the ambient temperature in the strength keeps the noise additive: Ito and Stratonovich agree (P27)
        flow = circuit.conductance * (T - Ta) - math.sqrt(2 * K_B * Ta * Ta * circuit.conductance) * z[0]
        out[TEMPERATURE], out[HEAT] = (power - flow + drive.inflow) / circuit.capacity, loads + flow
    else:
        # no heat is kept: what comes in as power leaves at once
        out[TEMPERATURE], out[HEAT] = 0.0, loads + power
