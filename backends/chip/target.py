"""What a crossbar chip holds: on arrays, on p-bits and beside them."""

from __future__ import annotations

from thermoc.backends.chip.products import WEIGHTED
from thermoc.backends.sim.target import TARGET as SIM
from thermoc.ir.target import TargetDescription

TARGET = TargetDescription(
    name="chip",
    summary="a chip of memristor crossbars and thermal elements, simulated: cycles, joules, kelvins",
    machine="emulated",
    ops=SIM.ops - {"core.parameter"},
    refused={"core.parameter": "cells are programmed when it is compiled: freeze-parameters makes a constant of it"},
    forms=dict.fromkeys((cls.opname for cls in WEIGHTED), "arrays"),
)
"""The simulator's program computes a chip's numbers, so the chip holds its ops."""
