"""What is recorded of an output without keeping it: totals and moments over the ticks, behind the packed outputs.

They lie at the end of the outputs of their kind, for as many elements a sample as ``behind`` says; the engine fills
in where they start and takes them out. ``wanted_outputs`` writes these rows, no file holds them.
"""

from __future__ import annotations

from thermoc.simulator.instructions.declaration import Instruction, Points, SlotKind, Trait, fits_by_bounds, of_operand

PORT = frozenset({Trait.PORT})
OFFSET = {"offset": "elements of a sample from the first of these to the end of the packed outputs"}


def _total(opcode: int, name: str, operand: SlotKind) -> Instruction:
    return Instruction(
        opcode=opcode,
        name=name,
        equation="the total at offset += x",
        result=None,
        operands=(operand,),
        parameters=OFFSET,
        fits=fits_by_bounds,
        kernel="recording.add_to_total",
        points=Points(rule="recording.total", count=of_operand),
        traits=PORT,
    )


TOTAL = _total(100, "TOTAL", SlotKind.FLOATS)
INT_TOTAL = _total(101, "INT_TOTAL", SlotKind.INTS)
MOMENTS = Instruction(
    opcode=102,
    name="MOMENTS",
    equation="n += 1, d = x - mean, mean += d / n, m2 += d (x - mean); mean, m2 and n stand at offset",
    result=None,
    operands=(SlotKind.FLOATS,),
    parameters=OFFSET,
    fits=fits_by_bounds,
    kernel="recording.update_moments",
    points=Points(rule="recording.moments", count=of_operand, phases=lambda row, offset: 2),
    traits=PORT,
)
