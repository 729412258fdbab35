"""A resistor whose resistance grows as it warms: i = v / (R (1 + a (T - T0)))."""

from __future__ import annotations

from typing import NamedTuple

from thermoc.simulator.devices.model import DeviceModel, Kelvin, Ohm, PerKelvin
from thermoc.simulator.devices.rule import rule


class PtcParameters(NamedTuple):
    """R, a and T0 of the equation."""

    resistance: Ohm
    warming: PerKelvin
    reference: Kelvin


@rule
def conduct(v, T, x, m, p):
    """(i, di/dv)."""
    conductance = 1 / (p.resistance * (1 + p.warming * (T - p.reference)))
    return conductance * v, conductance


MODEL = DeviceModel(summary="a resistor that warms", parameters=PtcParameters, heated=True, conduct=conduct)
