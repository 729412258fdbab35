"""VTEAM: a memristor with voltage thresholds and no heat (Kvatinsky et al., IEEE TCAS-II 62:786, 2015).

i = v / (R_on + (R_off - R_on) (w - w_on) / (w_off - w_on)); dw/dt = k_off (v / v_off - 1)^a_off above v_off > 0,
k_on (v / v_on - 1)^a_on below v_on < 0, else 0. Near the ends of w the rate falls linearly to zero over ``edge``.
"""

from __future__ import annotations

from typing import NamedTuple

from thermoc.simulator.devices.model import DeviceModel, InternalState, Metre, MetrePerSecond, Ohm, Plain, Volt
from thermoc.simulator.devices.rule import rule
from thermoc.simulator.devices.window import window
from thermoc.simulator.kernels import scalar


class VteamParameters(NamedTuple):
    """R, w, v, k and a of the paper, each of the on and the off side."""

    on_resistance: Ohm
    off_resistance: Ohm
    on_position: Metre
    off_position: Metre
    on_voltage: Volt
    off_voltage: Volt
    on_speed: MetrePerSecond
    off_speed: MetrePerSecond
    on_power: Plain
    off_power: Plain
    edge: Metre


@rule
def current(v, w, p):
    """i in A."""
    R_on, R_off, w_on, w_off = p.on_resistance, p.off_resistance, p.on_position, p.off_position
    # the paper leaves the law of the current open; this is the one linear in resistance
    return v / (R_on + (R_off - R_on) * (w - w_on) / (w_off - w_on))


@rule
def conduct(v, T, w, m, p):
    """(i, di/dv); at a given w the device is ohmic."""
    g = current(1.0, w, p)
    return g * v, g


@rule
def position_rate(at, w, p):
    """dw/dt in m/s."""
    rate = 0.0
    # k_on and v_on are negative: below v_on the quotient is above 1, and w falls towards w_on
    if at.v > p.off_voltage:
        rate = p.off_speed * scalar.power(at.v / p.off_voltage - 1, p.off_power)
    elif at.v < p.on_voltage:
        rate = p.on_speed * scalar.power(at.v / p.on_voltage - 1, p.on_power)
    return rate * window(w, rate, p.on_position, p.off_position, p.edge)


MODEL = DeviceModel(
    summary="voltage thresholds (Kvatinsky et al.)",
    parameters=VteamParameters,
    temperature="none",
    state=InternalState(name="position", unit="m", least="on_position", greatest="off_position", size="off_position"),
    conduct=conduct,
    rate=position_rate,
)
