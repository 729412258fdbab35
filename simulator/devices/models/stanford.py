"""Filamentary RRAM of Stanford and ASU with Joule heating: the gap g between filament and electrode is the state.

i = I0 e^(-g / g0) sinh(v / V0) and
dg/dt = -v0 [e^(-(Eag - c a0 q v / L) / kT) - e^(-(Ear + c a0 q v / L) / kT)], c = c0 - c1 (g / g1)^3.
Near the gap's ends the rate falls linearly to zero over ``edge``. Jiang et al., IEEE TED 63:1884 (2016) and its public
Verilog-A.
"""

from __future__ import annotations

from typing import NamedTuple

from thermoc.simulator.devices.model import (
    Ampere,
    DeviceModel,
    InternalState,
    Joule,
    Metre,
    MetrePerSecond,
    Plain,
    Volt,
)
from thermoc.simulator.devices.rule import rule
from thermoc.simulator.devices.window import window
from thermoc.simulator.kernels import scalar
from thermoc.support.units import ELEMENTARY_CHARGE, K_B


class StanfordParameters(NamedTuple):
    """I0, g0, V0 of the current; v0, Eag, Ear, c0, c1, g1, a0, L of the gap's growth; its ends."""

    current_scale: Ampere
    gap_scale: Metre
    voltage_scale: Volt
    velocity: MetrePerSecond
    generation_energy: Joule
    recombination_energy: Joule
    field_factor: Plain
    field_factor_fall: Plain
    field_factor_gap: Metre
    atomic_distance: Metre
    oxide_thickness: Metre
    least_gap: Metre
    greatest_gap: Metre
    edge: Metre


@rule
def current(v, gap, p):
    """i in A; it does not depend on T."""
    return p.current_scale * scalar.exp(-gap / p.gap_scale) * scalar.sinh(v / p.voltage_scale)


@rule
def conduct(v, T, gap, m, p):
    """(i, di/dv)."""
    V0 = p.voltage_scale
    scale = p.current_scale * scalar.exp(-gap / p.gap_scale)
    return scale * scalar.sinh(v / V0), scale / V0 * scalar.cosh(v / V0)


@rule
def gap_rate(at, gap, p):
    """dg/dt in m/s."""
    kT = K_B * at.T
    # the local field on a hopping ion is c times v / L: less in a wide gap, where the filament's tip is far
    c = p.field_factor - p.field_factor_fall * (gap / p.field_factor_gap) ** 3
    drift = c * p.atomic_distance * ELEMENTARY_CHARGE * at.v / p.oxide_thickness
    generated, recombined = p.generation_energy - drift, p.recombination_energy + drift
    rate = -p.velocity * (scalar.exp(-generated / kT) - scalar.exp(-recombined / kT))
    # the window looks at the rate's sign, so that a gap at its end is free to leave it
    return rate * window(gap, rate, p.least_gap, p.greatest_gap, p.edge)


MODEL = DeviceModel(
    summary="filamentary RRAM (Stanford and ASU)",
    parameters=StanfordParameters,
    heated=True,
    state=InternalState(name="gap", unit="m", least="least_gap", greatest="greatest_gap", size="greatest_gap"),
    conduct=conduct,
    rate=gap_rate,
)
