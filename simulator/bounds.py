"""Whether a program stays inside its arrays. Kernels look at no bound, so what comes from a file is checked first.

What every row must obey stands here: arrays, slots, kinds, that a value is written before it is read, that ports and
states are served. Whether sizes and parameters of a row agree, its instruction says (``Instruction.fits``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

import numpy as np

from thermoc.simulator.instructions.declaration import OPERANDS, ROW, Instruction, RowSizes, SlotKind, Trait
from thermoc.simulator.instructions.registry import BY_NAME, INSTRUCTIONS
from thermoc.simulator.program import Bank, Form, Program, ProgramPort, ProgramState

MOST_ELEMENTS = 2**37
"""Working memory of one sample beyond this (a terabyte of float64) is refused."""
REAL = (Bank.FLOAT_CONSTANT, Bank.FLOAT_WORK, Bank.FLOAT_STATE)
WORK = (Bank.FLOAT_WORK, Bank.INT_WORK)
Way = tuple[str, int, int, int]
"""A row that leads in or out: its instruction, the offset, the elements, the ticks of the ring."""


def check(program: Program) -> None:
    """Raise ValueError where a row would reach outside its arrays or read what no row has written."""
    _check_arrays(program)
    _check_parameters(program)
    described = {*_ports(program, program.inputs, "INPUT"), *_ports(program, program.outputs, "OUTPUT")}
    described |= {*_rings(program), *_reductions(program)}
    written, served = set[int](), set[Way]()
    for number, row in enumerate(program.code.tolist()):
        if row[0] not in INSTRUCTIONS:
            raise ValueError(f"row {number} of the code has the opcode {row[0]}, which is none")
        instruction = INSTRUCTIONS[row[0]]
        sizes, parameters = row_sizes(program, row, written), instruction.values(row)
        if sizes is None or not instruction.fits(sizes, **parameters):
            raise ValueError(f"row {number} of the code reaches outside its operands or its tables")
        if Trait.PORT in instruction.traits:
            elements = max(sizes.n, sizes.x)
            served.add((instruction.name, parameters["offset"], elements, parameters.get("ticks", 1)))
    if served != described:
        raise ValueError("its code does not serve its inputs, outputs and states")


def _check_arrays(program: Program) -> None:
    code, slots = program.code, program.slots
    if code.ndim != 2 or code.shape[1] != ROW or slots.ndim != 2 or slots.shape[1] != 3:
        raise ValueError("code and slots have the wrong shape")
    if program.precision not in ("float64", "float32") or program.floats.dtype != program.precision:
        raise ValueError("its floats are of another precision")
    if any(array.dtype != np.int64 for array in (code, slots, program.ints)):
        raise ValueError("its integers are not of 64 bits")
    if program.table.dtype not in (np.int32, np.int64):
        raise ValueError("its table is not of 32 or 64 bits")
    if any(array.ndim != 1 for array in (program.floats, program.ints, program.table)):
        raise ValueError("its constants have the wrong shape")
    # type, not isinstance: JSON's true is an int as well
    if len(program.work) != 2 or not all(type(n) is int and 0 <= n <= MOST_ELEMENTS for n in program.work):
        raise ValueError(f"its working memory is {program.work}")
    capacities = np.array([program.floats.size, program.ints.size, *program.work, *map(len, program.first_states)])
    # each number by itself first: the sum of two from a file could wrap in 64 bits, and pass the next test
    if (slots < 0).any() or (slots[:, 0] > 5).any() or (slots[:, 1:] > capacities.max()).any():
        raise ValueError("a slot lies nowhere")
    if (slots[:, 1] + slots[:, 2] > capacities[slots[:, 0]]).any():
        raise ValueError("a slot lies outside its bank")


def _check_parameters(program: Program) -> None:
    for parameter in program.parameters:
        places, count = parameter.places, prod(parameter.shape)
        numbers = (parameter.offset, *parameter.shape)
        if type(parameter.integer) is not bool or not all(type(n) is int and n >= 0 for n in numbers):
            raise ValueError(f"parameter {parameter.name!r} lies nowhere")
        if places is not None and (places.dtype != np.int64 or (places < -1).any() or (places >= count).any()):
            raise ValueError(f"parameter {parameter.name!r} has no such elements")
        if parameter.offset + parameter.size > (program.ints if parameter.integer else program.floats).size:
            raise ValueError(f"parameter {parameter.name!r} lies outside the constants")


def row_sizes(program: Program, row: Sequence[int], written: set[int]) -> RowSizes | None:
    """Return the sizes of a row, or None where a slot is missing, of the wrong kind or not yet written.

    The result is added to the slots that have been written.
    """
    instruction, slots = INSTRUCTIONS[row[0]], row[1 : 2 + OPERANDS]
    if min(row[2 + OPERANDS :]) < 0 or min(slots) < -1 or max(slots) >= len(program.slots):
        return None
    kinds = [*instruction.operands, *[None] * (OPERANDS - len(instruction.operands))]
    if not all(_readable(program, slot, kind, written) for slot, kind in zip(slots[1:], kinds)):
        return None
    if not _writable(program, slots[0], instruction):
        return None
    written.add(slots[0])
    # an operand that the instruction does not have is as absent as one that is not given
    sizes = [_size(program, slot if kind else -1) for slot, kind in zip(slots, (instruction.result, *kinds))]
    floats, ints = program.first_states
    return RowSizes(
        **dict(zip("nxyz", sizes)),
        table=program.table,
        float_constants=program.floats.size,
        float_states=floats.size,
        int_states=ints.size,
        in_state=slots[0] >= 0 and program.slots[slots[0], 0] == Bank.FLOAT_STATE,
    )


def _size(program: Program, slot: int) -> int:
    return int(program.slots[slot, 2]) if slot >= 0 else -1


def _readable(program: Program, slot: int, kind: SlotKind | None, written: set[int]) -> bool:
    """True where an operand may be read: of its kind, and written before unless it is a constant or a state."""
    if slot < 0 or kind is None:
        return slot < 0 and (kind is None or kind.optional)
    bank = program.slots[slot, 0]
    return (bank in REAL) == kind.real and (bank not in WORK or slot in written)


def _writable(program: Program, slot: int, instruction: Instruction) -> bool:
    """True where a result may be written: work of its kind, or floats of a state where it is made in place."""
    if slot < 0 or instruction.result is None:
        return slot < 0 and instruction.result is None
    bank = program.slots[slot, 0]
    if bank == Bank.FLOAT_STATE and Trait.IN_PLACE not in instruction.traits:
        return False
    return bank in (*WORK, Bank.FLOAT_STATE) and (bank in REAL) == instruction.result.real


def _ports(program: Program, ports: Sequence[ProgramPort], name: str) -> Iterator[Way]:
    widths = {kind: sum(port.size for port in ports if port.integer == kind) for kind in (False, True)}
    if len({port.name for port in ports}) != len(ports):
        raise ValueError(f"two of its {name.lower()}s have one name")
    for port in ports:
        _check_port(program, port, widths[port.integer])
        yield f"INT_{name}" if port.integer else name, port.offset, port.size, 1


def _reductions(program: Program) -> Iterator[Way]:
    """Yield totals and moments: they must stay behind the outputs."""
    floats, ints = program.tails
    for port in program.totals:
        yield (
            ("INT_TOTAL", ints - port.offset, port.size, 1)
            if port.integer
            else ("TOTAL", floats - port.offset, port.size, 1)
        )
    for port in program.moments:
        yield "MOMENTS", floats - port.offset, port.size, 1


def _rings(program: Program) -> Iterator[Way]:
    widths = {kind: sum(state.size for state in program.states if state.integer == kind) for kind in (False, True)}
    for state in program.states:
        _check_port(program, state, widths[state.integer])
        if state.ticks < 1 or state.initial.shape != (state.ticks, *state.shape) or state.initial.dtype != state.dtype:
            raise ValueError(f"state {state.name!r} does not start as it is described")
        if state.form in (Form.PLACE, Form.SUMS, Form.COUNTS):
            continue
        for name in ("READ", "WRITE"):
            name_of_row = f"{name}_LIST" if state.form == Form.LISTS else f"INT_{name}" if state.integer else name
            yield BY_NAME[name_of_row].name, state.offset, state.width, state.ticks


def _check_port(program: Program, port: ProgramPort | ProgramState, width: int) -> None:
    kinds = (program.precision, "int64", "int32", "bool")
    if port.dtype not in kinds or not all(type(n) is int and n >= 0 for n in (*port.shape, port.offset)):
        raise ValueError(f"{port.name!r} has an unknown dtype or shape")
    if port.offset + port.size > width:
        raise ValueError(f"{port.name!r} lies outside")
