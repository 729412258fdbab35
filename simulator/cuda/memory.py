"""What a program takes of a GPU's memory."""

from __future__ import annotations

from thermoc.simulator.cuda.source import widths
from thermoc.simulator.cuda.stages import tables
from thermoc.simulator.program import Program

WHOLE = 8


def bytes_taken(program: Program, *, batch: int, ticks: int, timed: bool) -> tuple[int, int]:
    """Return the bytes of what is one for all samples, and of a sample while so many ticks run at once.

    timed: whether inputs change over the ticks.
    """
    real, width = program.floats.dtype.itemsize, widths(program)
    once = program.floats.nbytes + program.ints.nbytes + tables(program).nbytes

    def sized(elements: tuple[int, int]) -> int:
        return real * elements[0] + WHOLE * elements[1]

    inputs, outputs = (sized(elements) for elements in program.widths)
    # states are copied before ticks run, to go back to where one fails
    sample = sized(width.work) + 2 * sized(width.states) + (ticks if timed else 1) * inputs + ticks * outputs
    return once, batch * sample
