"""What a chip holds: all that the simulator does, whose program computes its numbers."""

from __future__ import annotations

from dataclasses import replace

from thermoc.backends.sim.target import TARGET as SIM

TARGET = replace(
    SIM, name="chip", summary="a chip of memristors and thermal elements, simulated: cycles, joules, kelvins"
)
