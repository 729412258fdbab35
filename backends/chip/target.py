"""What a crossbar chip holds: on arrays, on p-bits and beside them; and what it has no hardware for."""

from __future__ import annotations

from thermoc.backends.chip.products import WEIGHTED
from thermoc.backends.sim.target import TARGET as SIM
from thermoc.ir.target import TargetDescription, dialect_refused

REFUSED = dialect_refused("loihi", "integer arithmetic of Loihi: targets lava and sim hold it")

TARGET = TargetDescription(
    name="chip",
    summary="a chip of memristor crossbars and thermal elements, simulated: cycles, joules, kelvins",
    ops=SIM.ops - REFUSED.keys(),
    refused=REFUSED,
    forms=dict.fromkeys((cls.opname for cls in WEIGHTED), "arrays"),
)
"""The simulator's program computes a chip's numbers, so the chip holds its ops, but for another chip's arithmetic."""
