"""How sure a number is: the marks of the values of a data file that it was made of."""

from __future__ import annotations

from collections.abc import Iterable

from thermoc.simulator.chips import Chip
from thermoc.simulator.data.quantities import SURE, Quantity

MEASURED = "M"
MEANINGS = {**SURE, MEASURED: "measured on this computer"}
"""Marks from the surest on: S, R, O; and M."""

CROSSBAR_PARTS: dict[str, tuple[str, ...]] = {
    "buffer": ("buffer.access_energy", "buffer.width"),
    "dac": ("input.dac_power", "input.dac_bits", "crossbar.read_time"),
    "array": ("crossbar.read_power", "crossbar.read_time"),
    "adc": ("adc.conversion_energy", "adc.bits"),
    "shift-add": ("adc.shift_add_power", "crossbar.read_time"),
    "sampler": ("sampler.bias", "sampler.time", "sampler.reference"),
    "vector": ("vector.power", "vector.lanes", "clock.frequency"),
    "network": ("network.hop_energy_x", "network.hop_energy_y", "network.flit"),
    "heater": ("heater.power", "sampler.resistance", "sampler.coldest"),
    "leakage": ("leakage.tile_power", "leakage.fold", "leakage.gated"),
}
"""The values of a crossbar chip's file that the joules of a component are made of."""
CROSSBAR_TIMES = {
    "buffer": ("clock.frequency", "buffer.latency", "buffer.width"),
    "array": ("crossbar.read_time", "input.pipeline", "input.bits"),
    "adc": ("adc.rate", "adc.per_core", "adc.cores_a_bank"),
    "sampler": ("sampler.time",),
    "vector": ("clock.frequency", "vector.lanes"),
    "network": ("network.flit_time", "network.hop_time_x", "network.hop_time_y"),
}
CROSSBAR_HEAT = (
    *(f"{sheet}.thickness" for sheet in ("die", "bond", "spreader")),
    *(f"{sheet}.conductivity" for sheet in ("die", "bond", "spreader")),
    *(f"{sheet}.heat_capacity" for sheet in ("die", "bond", "spreader")),
    "package.resistance",
    "package.ambient",
)


def entries(chip: Chip, names: Iterable[str]) -> dict[str, Quantity]:
    """Return those of the values that the chip has."""
    return {name: chip.quantities.quantity(name) for name in names if name in set(chip.quantities)}


def weakest(marks: Iterable[str]) -> str:
    """Return the least sure of some marks; '' of none."""
    order = list(MEANINGS)
    return max(marks, key=order.index, default="")
