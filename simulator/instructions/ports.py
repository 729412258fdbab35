"""Ways in and out of a tick: inputs, outputs, the rings of delays, the tick's number.

Where they lead to must agree with the ports and states that the program describes: ``bounds`` looks at that.
"""

from __future__ import annotations

from thermoc.simulator.instructions.declaration import Instruction, Points, SlotKind, Trait, fits_by_bounds

FLOATS, INTS = SlotKind.FLOATS, SlotKind.INTS
PORT, READS, WRITES = (
    frozenset({Trait.PORT}),
    frozenset({Trait.PORT, Trait.PER_TICK}),
    frozenset({Trait.PORT, Trait.WRITES}),
)
OFFSET = {"offset": "where in the packed inputs or outputs of a sample"}
RING = {"offset": "where the ring stands among the states", "ticks": "values of the ring"}


TICK = Instruction(
    opcode=83,
    name="TICK",
    equation="r = the number of the tick",
    result=INTS,
    fits=lambda row: row.n == 1,
    kernel="ports.tick_number",
    points=Points(rule="recording.number"),
    seconds=0.2,
    traits=frozenset({Trait.PER_TICK}),
)


def _way_in(opcode: int, name: str, result: SlotKind) -> Instruction:
    return Instruction(
        opcode=opcode,
        name=name,
        equation="r = the input at offset",
        result=result,
        parameters=OFFSET,
        fits=fits_by_bounds,
        kernel="ports.read_input",
        traits=PORT,
    )


def _way_out(opcode: int, name: str, operand: SlotKind) -> Instruction:
    return Instruction(
        opcode=opcode,
        name=name,
        equation="the output at offset = x",
        result=None,
        operands=(operand,),
        parameters=OFFSET,
        fits=fits_by_bounds,
        kernel="ports.write_output",
        traits=PORT,
    )


def _reader(opcode: int, name: str, result: SlotKind, kernel: str) -> Instruction:
    return Instruction(
        opcode=opcode,
        name=name,
        equation="r = ring[tick mod ticks], as the tick begins",
        result=result,
        parameters=RING,
        fits=fits_by_bounds,
        kernel=kernel,
        traits=READS,
    )


def _writer(opcode: int, name: str, operand: SlotKind, kernel: str) -> Instruction:
    return Instruction(
        opcode=opcode,
        name=name,
        equation="ring[tick mod ticks] = x, as the tick ends",
        result=None,
        operands=(operand,),
        parameters=RING,
        fits=fits_by_bounds,
        kernel=kernel,
        traits=WRITES,
    )


INPUT = _way_in(90, "INPUT", FLOATS)
INT_INPUT = _way_in(91, "INT_INPUT", INTS)
OUTPUT = _way_out(92, "OUTPUT", FLOATS)
INT_OUTPUT = _way_out(93, "INT_OUTPUT", INTS)
READ = _reader(94, "READ", FLOATS, "ports.read_ring")
INT_READ = _reader(95, "INT_READ", INTS, "ports.read_ring")
WRITE = _writer(96, "WRITE", FLOATS, "ports.write_ring")
INT_WRITE = _writer(97, "INT_WRITE", INTS, "ports.write_ring")
READ_LIST = _reader(98, "READ_LIST", INTS, "ports.read_list")
WRITE_LIST = _writer(99, "WRITE_LIST", INTS, "ports.write_list")
