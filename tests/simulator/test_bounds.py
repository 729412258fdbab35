"""Programs that would reach outside their arrays are told from those that would not."""

from __future__ import annotations

import dataclasses
import inspect
from functools import cache
from typing import Any

import numpy as np
import pytest
from cases import network, variants
from instruction_samples import ANY_SIZE, ANY_VALUE, SAMPLES

import thermoc as tc
from thermoc.simulator import Bank, Program, ProgramPort
from thermoc.simulator.bounds import check, row_sizes
from thermoc.simulator.instructions.declaration import OPERANDS, PARAMETERS, Instruction, SlotKind
from thermoc.simulator.instructions.registry import BY_NAME, INSTRUCTIONS

FIRST = 2 + OPERANDS
"""Where in a row of code the parameters begin."""
WHERE = "tests/instruction_samples.py"


def program(case: str) -> Program:
    return tc.compile(network(case, "all vary"), "sim").artefact.program


@cache
def sampled(name: str) -> tuple[Program, int]:
    """The program of an instruction's sample, and the first row of its."""
    assert name in SAMPLES, f"{name} has no sample: add one to {WHERE}, so that its size check is tested"
    compiled = SAMPLES[name].program()
    rows = np.flatnonzero(compiled.code[:, 0] == BY_NAME[name].opcode)
    assert rows.size, (
        f"the sample of {name} in {WHERE} has no such row: backends/sim/rows/table.py writes rows of an op"
    )
    return compiled, int(rows[0])


def altered(original: Program, array: str, place: Any, value: int) -> Program:
    copy = getattr(original, array).copy()
    copy[place] = value
    return dataclasses.replace(original, **{array: copy})


@pytest.mark.parametrize(("case", "varying", "precision"), list(variants()))
def test_programs_of_every_op_stay_inside(case: str, varying: str, precision: str):
    check(tc.compile(network(case, varying), "sim", precision=precision).artefact.program)


@pytest.mark.parametrize("instruction", INSTRUCTIONS.values(), ids=str)
def test_a_declaration_fits_the_format(instruction: Instruction):
    """A row has so many operands and parameters; the size check knows them by the declared names."""
    assert 0 <= instruction.opcode < 2**16 and instruction.equation
    assert len(instruction.operands) <= OPERANDS and len(instruction.parameters) <= PARAMETERS
    assert (instruction.rule is None) != (instruction.kernel == ""), "a rule or a kernel"
    names = list(inspect.signature(instruction.fits).parameters)
    assert names[1:] in ([*instruction.parameters], ["parameters"])


@pytest.mark.parametrize("name", BY_NAME)
def test_a_parameter_that_leads_outside_is_refused(name: str):
    original, row = sampled(name)
    check(original)
    for parameter in BY_NAME[name].parameters:
        if (name, parameter) in ANY_VALUE:
            continue
        values = SAMPLES[name].refused.get(parameter, ())
        assert values, f"{WHERE}: name a value of {parameter} that {name} must refuse, or say in ANY_VALUE why none"
        for value in values:
            with pytest.raises(ValueError):
                check(altered(original, "code", (row, BY_NAME[name].column(parameter)), value))
                pytest.fail(f"{name} takes {parameter} = {value}")


@pytest.mark.parametrize("name", BY_NAME)
def test_an_operand_of_another_size_is_refused(name: str):
    """By one element too few or too many, whatever the other rows say of it."""
    original, row = sampled(name)
    instruction, code = BY_NAME[name], original.code[row].tolist()
    sizes = row_sizes(original, code, set(range(len(original.slots))))
    assert sizes is not None
    for operand, change in ((operand, change) for operand in "nxyz" for change in (-1, 1)):
        size = getattr(sizes, operand) + change
        if getattr(sizes, operand) < 0 or size < 0 or (name, f"{operand}{'+' if change > 0 else '-'}") in ANY_SIZE:
            continue
        changed = dataclasses.replace(sizes, **{operand: size})
        assert not instruction.fits(changed, **instruction.values(code)), f"{name} takes {size} elements of {operand}"


@pytest.mark.parametrize("name", BY_NAME)
def test_a_slot_that_is_missing_or_of_another_kind_is_refused(name: str):
    original, row = sampled(name)
    kinds = (BY_NAME[name].result, *BY_NAME[name].operands)
    for column, kind in enumerate(kinds, start=1):
        if kind is not None and not kind.optional:
            refuse_slot(original, row, column, -1)
        if kind is not None and original.code[row, column] >= 0:
            refuse_slot(original, row, column, slot_of_another_kind(original, kind))
    for column in range(1 + len(kinds), FIRST):
        refuse_slot(original, row, column, 0)


def refuse_slot(original: Program, row: int, column: int, slot: int) -> None:
    if slot is not None:
        with pytest.raises(ValueError):
            check(altered(original, "code", (row, column), slot))


def slot_of_another_kind(original: Program, kind: SlotKind) -> Any:
    banks = original.slots[:, 0].tolist()
    return next((slot for slot, bank in enumerate(banks) if (bank % 2 == 0) != kind.real), None)


@pytest.mark.parametrize(
    ("case", "name", "column", "value"),
    [
        ("core.neg", "NEG", 0, 999),  # no such opcode
        ("core.neg", "NEG", 1, 99),  # no such slot
        ("core.neg", "NEG", 2, 1),  # what it is about to write
        ("spiking.trace_step", "TRACE_STEP", 1, 0),  # a result that is no state
        ("spiking.lif_step, of many", "LIF_STEP", 4, 0),  # parameters of another number
        ("loihi.dense, of spikes", "LOIHI_MATRIX", FIRST + 5, 0),  # numbers in the place of a list
        ("loihi.sparse, delayed", "LOIHI_SYNAPSE", FIRST + 5, 1),  # not shifted, with scratch memory
        ("loihi.fermi_dirac", "LOIHI_FERMI_DIRAC", 4, 1),  # settings of one unit
    ],
)
def test_a_row_that_makes_no_sense_is_refused(case: str, name: str, column: int, value: int):
    original = program(case)
    row = int(np.flatnonzero(original.code[:, 0] == BY_NAME[name].opcode)[0])
    check(original)
    with pytest.raises(ValueError):
        check(altered(original, "code", (row, column), value))


@pytest.mark.parametrize(
    ("case", "array", "place", "value"),
    [
        ("core.neg", "slots", (0, 1), 10**6),
        ("core.neg", "slots", (0, 0), 7),
        ("core.neg", "slots", (0, 0), Bank.INT_WORK),
        ("core.neg", "slots", (1, 0), Bank.FLOAT_CONSTANT),
        ("core.neg", "slots", (0, 2), 2),
        ("core.transpose", "table", 0, -2),
        ("core.transpose", "table", 0, 24),
        ("core.concat", "table", 0, -1),
        ("core.sparse_affine", "table", 4, 6),  # the end of the last row of entries
        ("core.sparse_affine", "table", 1, 3),  # a row that ends before it starts
        ("core.sparse_affine", "table", 5, 4),  # a column beyond x
        ("crossbar.mvm", "table", 5, 4),  # no such form
        ("crossbar.mvm", "table", 5, 99),  # more readings in one number than there are
        ("crossbar.mvm, exact conversion", "table", 6, 3),  # whole weights that are not there
    ],
)
def test_a_slot_or_table_that_reaches_outside_is_refused(case: str, array: str, place: Any, value: int):
    original = program(case)
    with pytest.raises(ValueError):
        check(altered(original, array, place, value))


def test_an_input_or_state_that_is_not_as_described_is_refused():
    original = program("core.delay, by three")
    port, state = original.inputs[0], original.states[0]
    ports = [ProgramPort(name="x1", shape=(7,), dtype="float64", offset=0), dataclasses.replace(port, offset=1)]
    states = [dataclasses.replace(state, ticks=4), dataclasses.replace(state, initial=state.initial[:2])]
    for changed in ports:
        with pytest.raises(ValueError):
            check(dataclasses.replace(original, inputs=(changed,)))
    for changed in states:
        with pytest.raises(ValueError):
            check(dataclasses.replace(original, states=(changed,)))
    with pytest.raises(ValueError):
        check(dataclasses.replace(original, inputs=(port, port)))
    with pytest.raises(ValueError):
        check(dataclasses.replace(original, work=(10**15, 0)))
