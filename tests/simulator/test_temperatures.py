"""Temperatures of sweeps and of units are told apart by their shape, also where there are as many of both."""

from __future__ import annotations

import numpy as np
import pytest

import thermoc as tc
from thermoc.ir.feed import feed
from thermoc.ir.reference import interpret
from thermoc.simulator.instructions.gibbs import BY_SWEEP, GIBBS_WORDS

UNITS = 16
SHAPES = ((), (1,), (UNITS,), (1, 1), (1, UNITS), ("sweeps", 1), ("sweeps", UNITS))


def network(shape: tuple, sweeps: int, draws: str) -> tc.Network:
    rng = np.random.default_rng(4)
    J = np.triu(rng.choice([-1.0, 0.0, 1.0], (UNITS, UNITS)), 1)
    T = rng.uniform(0.5, 2.0, tuple(sweeps if n == "sweeps" else n for n in shape))
    with tc.Network("glass") as net:
        tc.output("s", tc.gibbs(T=T, J=J + J.T, sweeps=sweeps, draws=draws))
    return net


@pytest.mark.parametrize("draws", ["unit", "replica"])
@pytest.mark.parametrize("sweeps", [1, 7, UNITS])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_is_what_the_reference_says(shape: tuple, sweeps: int, draws: str):
    exe = tc.compile(network(shape, sweeps, draws))
    expected = interpret(exe.graph, feed(exe.graph, {}, ticks=3, batch=4, seed=2), seed=2).outputs["s"]
    np.testing.assert_array_equal(exe.run(ticks=3, batch=4, seed=2)["s"], expected)


@pytest.mark.parametrize("sweeps", [UNITS - 1, UNITS, UNITS + 1])
def test_the_number_of_sweeps_does_not_choose_the_kernel(sweeps: int):
    program = tc.compile(network(("sweeps", 1), sweeps, "replica")).artefact.program
    (row,) = program.code[program.code[:, 0] == GIBBS_WORDS.opcode]
    assert GIBBS_WORDS.values(row)["form"] & BY_SWEEP
    assert program.slots[row[4], 2] == sweeps
