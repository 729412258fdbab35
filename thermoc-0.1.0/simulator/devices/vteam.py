"""VTEAM: a memristor with voltage thresholds and no heat (Kvatinsky et al., IEEE TCAS-II 62:786, 2015).

i = v / (R_on + (R_off - R_on) (w - w_on) / (w_off - w_on)); dw/dt = k_off (v / v_off - 1)^a_off above v_off > 0,
k_on (v / v_on - 1)^a_on below v_on < 0, else 0. Near the ends of w the rate falls linearly to nought over ``edge``.
"""

from __future__ import annotations

from thermoc.simulator.devices.rule import rule
from thermoc.simulator.devices.stanford import window

PARAMETERS = {
    "on_resistance": "ohm",
    "off_resistance": "ohm",
    "on_position": "m",
    "off_position": "m",
    "on_voltage": "V",
    "off_voltage": "V",
    "on_speed": "m/s",
    "off_speed": "m/s",
    "on_power": "",
    "off_power": "",
    "edge": "m",
}
STATE = "m"


@rule
def current(v, w, R_on, R_off, w_on, w_off):
    """i in A."""
    return v / (R_on + (R_off - R_on) * (w - w_on) / (w_off - w_on))


@rule
def position_rate(v, w, w_on, w_off, v_on, v_off, k_on, k_off, a_on, a_off, edge):
    """dw/dt in m/s."""
    rate = 0.0
    if v > v_off:
        rate = k_off * (v / v_off - 1) ** a_off
    elif v < v_on:
        rate = k_on * (v / v_on - 1) ** a_on
    return rate * window(w, rate, w_on, w_off, edge)
