"""Programs that would reach outside their arrays are told from those that would not."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from cases import network, variants

import thermoc as tc
from thermoc.simulator import Bank, Opcode, Port, Program
from thermoc.simulator.bounds import KINDS, check
from thermoc.simulator.opcodes import OPERANDS

FIRST = 2 + OPERANDS
"""Where in a row of code the parameters begin."""


def program(case: str) -> Program:
    return tc.compile(network(case, "all vary"), "sim").artefact.program


def line(held: Program, opcode: Opcode) -> int:
    return int(np.flatnonzero(held.code[:, 0] == opcode)[0])


def altered(held: Program, array: str, place: Any, value: int) -> Program:
    copy = getattr(held, array).copy()
    copy[place] = value
    return dataclasses.replace(held, **{array: copy})


@pytest.mark.parametrize(("case", "varying", "precision"), list(variants()))
def test_programs_of_every_op_stay_inside(case: str, varying: str, precision: str):
    check(tc.compile(network(case, varying), "sim", precision=precision).artefact.program)


def test_every_opcode_has_its_kinds():
    assert set(KINDS) == set(Opcode)


@pytest.mark.parametrize(
    ("case", "opcode", "column", "value"),
    [
        ("core.neg", Opcode.NEG, 0, 999),  # no such opcode
        ("core.neg", Opcode.NEG, 1, 99),  # no such slot
        ("core.neg", Opcode.NEG, 1, -1),  # no result
        ("core.neg", Opcode.NEG, 2, -1),  # no operand
        ("core.neg", Opcode.NEG, 2, 1),  # what it is about to write
        ("core.add", Opcode.INPUT, FIRST, 1),  # between two inputs
        ("core.delay", Opcode.READ, FIRST + 1, 0),  # a ring of no ticks
        ("core.delay", Opcode.WRITE, FIRST + 1, 2),  # a ring longer than the state
        ("core.affine", Opcode.MATMUL, FIRST + 1, 2),  # more rows than x has
        ("core.affine", Opcode.MATMUL, FIRST + 2, 5),  # more to sum than there is
        ("core.affine", Opcode.MATMUL, FIRST + 5, 2),  # a bias of another length
        ("core.transpose", Opcode.GATHER, FIRST, 1),  # beyond the end of the table
        ("core.concat", Opcode.SCATTER, FIRST, 10**6),
        ("core.reduce, sum", Opcode.REDUCE, FIRST + 1, 9),
        ("core.reduce, sum", Opcode.REDUCE, FIRST + 2, 4),  # argmax among the sums
        ("core.reduce, argmax", Opcode.ARG_REDUCE, FIRST + 1, 0),
        ("thermo.boltzmann", Opcode.BOLTZMANN, FIRST, 3),  # rows that do not fill it
        ("thermo.gibbs", Opcode.GIBBS, FIRST, 1),  # a table that starts elsewhere
        ("thermo.gibbs", Opcode.GIBBS, FIRST + 1, 99),  # more classes than there are
        ("thermo.gibbs", Opcode.GIBBS, FIRST + 2, 0),  # no sweep at all
        ("thermo.gibbs", Opcode.GIBBS, FIRST + 3, 4),  # a form that is none
        ("thermo.gibbs", Opcode.GIBBS, FIRST + 5, 10**6),  # couplings beyond the constants
        ("thermo.pair_force", Opcode.PAIRS, FIRST, 5),  # more particles than there are
        ("thermo.pair_force", Opcode.PAIRS, FIRST + 3, 10**6),  # settings beyond the constants
        ("thermo.pair_force, table", Opcode.PAIRS, FIRST + 5, 1),  # a table of one point
        ("spiking.trace_step", Opcode.TRACE_STEP, 1, 0),  # a result that is no state
        ("spiking.lif_step, of many", Opcode.LIF_STEP, FIRST, 10**6),  # membranes beyond the states
        ("spiking.lif_step, of many", Opcode.LIF_STEP, FIRST + 1, 701),  # so the ticks they are held
        ("spiking.lif_step, of many", Opcode.LIF_STEP, FIRST + 2, 4),  # a form that is none
        ("spiking.lif_step, of many", Opcode.LIF_STEP, 4, 0),  # parameters of another number
        ("core.sparse_affine, of spikes", Opcode.SPARSE_LIST, FIRST, 1),  # columns that start elsewhere
        ("core.sparse_affine, of spikes", Opcode.SPARSE_LIST, FIRST + 1, 10**6),  # rows beyond the table
        ("core.sparse_affine, of given spikes", Opcode.SPARSE_COLUMNS, FIRST, 1),
        ("core.sparse_affine, of delayed spikes", Opcode.READ_LIST, FIRST + 1, 9),  # a ring longer than the state
        ("spiking.lif_step", Opcode.SPREAD, 2, 0),  # not a list
        ("thermo.normal", Opcode.NORMAL, FIRST + 1, 2**32),  # a stream beyond the counter
        ("loihi.encode", Opcode.LOIHI_ENCODE, FIRST + 1, 2**31),  # more than 32 bits
        ("loihi.decode", Opcode.LOIHI_DECODE, 2, 99),
        ("loihi.dense, delayed", Opcode.LOIHI_ARRIVE, FIRST, 1),  # a ring that ends beyond the states
        ("loihi.dense, delayed", Opcode.LOIHI_ARRIVE, FIRST + 1, 0),  # a ring of no ticks
        ("loihi.dense, delayed", Opcode.LOIHI_SYNAPSE, FIRST + 1, 4),  # more ticks than the ring has
        ("loihi.dense, delayed", Opcode.LOIHI_SYNAPSE, FIRST + 2, 4),  # more rows
        ("loihi.dense, delayed", Opcode.LOIHI_SYNAPSE, FIRST + 3, 10**6),
        ("loihi.dense, delayed", Opcode.LOIHI_SYNAPSE, FIRST + 4, 6),  # weights in the place of rows
        ("loihi.dense, delayed", Opcode.LOIHI_SYNAPSE, FIRST + 5, 4),  # shifted, with no room for it
        ("loihi.sparse, delayed", Opcode.LOIHI_SYNAPSE, FIRST + 5, 1),  # not shifted, with room
        ("loihi.sparse, delayed", Opcode.LOIHI_SYNAPSE, FIRST + 5, 4 * 40),  # shifted out of its bits
        ("loihi.sparse, of spikes", Opcode.LOIHI_SYNAPSE_LIST, 2, -1),  # no list
        ("loihi.dense", Opcode.LOIHI_MATRIX, FIRST + 1, 2),  # a matrix with delays
        ("loihi.dense", Opcode.LOIHI_MATRIX, FIRST + 5, 2),  # a list in the place of numbers
        ("loihi.dense, of spikes", Opcode.LOIHI_MATRIX, FIRST + 5, 0),  # and the other way round
        ("loihi.conv", Opcode.LOIHI_CONV, FIRST, 10**6),
        ("loihi.conv", Opcode.LOIHI_CONV, FIRST + 1, 1),  # sizes of something else
        ("loihi.conv", Opcode.LOIHI_CONV, FIRST + 2, 64),  # shifted out of its bits
        ("loihi.lif", Opcode.LOIHI_LIF, FIRST, 10**6),
        ("loihi.lif", Opcode.LOIHI_LIF, FIRST + 1, 5),  # membranes beyond the states
        ("loihi.lif", Opcode.LOIHI_LIF, FIRST + 2, 4096),  # a decay that is none
        ("loihi.lif", Opcode.LOIHI_SPREAD, 2, 0),  # not a list
        ("loihi.dendrite, of five", Opcode.LOIHI_TOTAL, 3, -1),
        ("loihi.graded", Opcode.LOIHI_GRADED, FIRST + 1, 32),
        ("loihi.lut", Opcode.LOIHI_LOOKUP, 4, -1),  # no table
        ("loihi.lut", Opcode.LOIHI_LOOKUP, FIRST, 64),
        ("loihi.sigma", Opcode.LOIHI_SIGMA, FIRST, 1),
        ("loihi.delta", Opcode.LOIHI_DELTA, FIRST, 1),
        ("loihi.delta", Opcode.LOIHI_DELTA, FIRST + 4, 4),  # a sum that is not kept
        ("loihi.delta", Opcode.LOIHI_DELTA, FIRST + 2, 32),
        ("loihi.fermi_dirac", Opcode.LOIHI_FERMI_DIRAC, FIRST, 1),
        ("loihi.fermi_dirac", Opcode.LOIHI_FERMI_DIRAC, FIRST + 1, 0),  # no turn at all
        ("loihi.fermi_dirac", Opcode.LOIHI_FERMI_DIRAC, 4, 1),  # settings of one unit
        ("loihi.categorical", Opcode.LOIHI_CATEGORICAL, FIRST, 3),  # rows that do not fill it
        ("loihi.categorical", Opcode.LOIHI_CATEGORICAL, FIRST, 0),
        ("loihi.memory", Opcode.LOIHI_MEMORY, FIRST, 1),
        ("loihi.memory", Opcode.LOIHI_MEMORY, FIRST + 2, 4097),
        ("loihi.heat", Opcode.LOIHI_HEAT, FIRST, 1),
        ("loihi.heat", Opcode.LOIHI_HEAT, FIRST + 3, 2**24),
    ],
)
def test_a_row_that_reaches_outside_is_refused(case: str, opcode: Opcode, column: int, value: int):
    held = program(case)
    check(held)
    with pytest.raises(ValueError):
        check(altered(held, "code", (line(held, opcode), column), value))


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
    ],
)
def test_a_slot_or_table_that_reaches_outside_is_refused(case: str, array: str, place: Any, value: int):
    held = program(case)
    with pytest.raises(ValueError):
        check(altered(held, array, place, value))


def test_an_input_or_state_that_is_not_as_described_is_refused():
    held = program("core.delay, by three")
    port, state = held.inputs[0], held.states[0]
    ports = [Port(name="x1", shape=(7,), dtype="float64", offset=0), dataclasses.replace(port, offset=1)]
    states = [dataclasses.replace(state, ticks=4), dataclasses.replace(state, initial=state.initial[:2])]
    for changed in ports:
        with pytest.raises(ValueError):
            check(dataclasses.replace(held, inputs=(changed,)))
    for changed in states:
        with pytest.raises(ValueError):
            check(dataclasses.replace(held, states=(changed,)))
    with pytest.raises(ValueError):
        check(dataclasses.replace(held, inputs=(port, port)))
    with pytest.raises(ValueError):
        check(dataclasses.replace(held, work=(10**15, 0)))
