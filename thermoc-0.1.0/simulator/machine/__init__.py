"""The machine: instructions, programs, and the event engine that runs them on a chip."""

from thermoc.simulator.machine.costs import COMPONENTS, Costs, costs
from thermoc.simulator.machine.engine import Events, run_events, stream
from thermoc.simulator.machine.instructions import FIELDS, Op
from thermoc.simulator.machine.program import ChipProgram, assemble

__all__ = ["COMPONENTS", "FIELDS", "ChipProgram", "Costs", "Events", "Op", "assemble", "costs", "run_events", "stream"]
