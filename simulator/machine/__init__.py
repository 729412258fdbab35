"""The machine: instructions, programs, and the event engine that runs them on a chip."""

from thermoc.simulator.machine.costs import COMPONENTS, Costs, costs
from thermoc.simulator.machine.engine import run_events, stream
from thermoc.simulator.machine.events import Events
from thermoc.simulator.machine.instructions import FIELDS, ChipOp
from thermoc.simulator.machine.program import ChipProgram, assemble

__all__ = [
    "COMPONENTS",
    "FIELDS",
    "ChipOp",
    "ChipProgram",
    "Costs",
    "Events",
    "assemble",
    "costs",
    "run_events",
    "stream",
]
