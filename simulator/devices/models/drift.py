"""Linear ion drift: a resistance between two ends, mixed by how far a dopant front has moved (Strukov et al., 2008).

i = v / (R_on x + R_off (1 - x)); dx/dt = mobility i, within 0 <= x <= 1. Near the ends the rate falls linearly to zero
over ``edge``. The numbers are made up; they are of the order of the paper's.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

from thermoc.simulator.devices.model import DeviceModel, InternalState, Ohm, Plain
from thermoc.simulator.devices.rule import rule
from thermoc.simulator.devices.window import window


class DriftParameters(NamedTuple):
    """Resistances at the ends, and by how much a coulomb moves the front."""

    on_resistance: Ohm
    off_resistance: Ohm
    least_share: Plain
    greatest_share: Plain
    mobility: Annotated[float, "1/(A*s)"]
    edge: Plain


@rule
def conduct(v, T, x, m, p):
    """(i, di/dv); at a given x the device is ohmic."""
    g = 1 / (p.on_resistance * x + p.off_resistance * (1 - x))
    return g * v, g


@rule
def share_rate(at, x, p):
    """dx/dt in 1/s."""
    rate = p.mobility * at.i
    return rate * window(x, rate, p.least_share, p.greatest_share, p.edge)


MODEL = DeviceModel(
    summary="linear ion drift, with numbers of ours",
    parameters=DriftParameters,
    temperature="none",
    state=InternalState(name="share", unit="", least="least_share", greatest="greatest_share", size="greatest_share"),
    conduct=conduct,
    rate=share_rate,
)
