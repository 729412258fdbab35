"""What crosses between cores: every op that reads other units' values is fed by the cores that hold them."""

from __future__ import annotations

import numpy as np

import thermoc as tc
from thermoc.backends.chip.capacities import capacities_of
from thermoc.backends.chip.work import split_work
from thermoc.backends.chip.work_types import ChipWork, TaskKind
from thermoc.passes.infer_shapes import InferShapes
from thermoc.passes.pipeline import run_passes
from thermoc.simulator.chips import load_chip

UNITS = 600
"""Three banks of thermo-1's 256 p-bits."""


def work_of(net: tc.Network) -> ChipWork:
    return split_work(run_passes(net.graph, [InferShapes()]).graph, capacities_of(load_chip("thermo-1")))


def test_a_force_along_bonds_reads_particles_of_every_bank():
    """Ends of bonds lie in different banks: the positions of all three, a byte each, arrive at the force, and back."""
    n = UNITS // 2
    with tc.Network("chain", dt=0.01) as net:
        hole = tc.placeholder((n, 2))
        x = tc.brownian(hole, 1.0)
        f, U, _ = tc.bond_force(x, np.arange(n - 1), np.arange(1, n), 1.0, 1.0)
        tc.connect(hole, f)
        tc.output("x", x)
        tc.output("U", U)
    work = work_of(net)
    banks = [k for k, part in enumerate(work.tasks) if part.kind is TaskKind.step]
    forces = [k for k, part in enumerate(work.tasks) if part.kind is TaskKind.vector]
    assert [work.tasks[k].size for k in banks] == [200, 200, 200] and len(forces) == 1
    crossing = {(e.source, e.target): e.bytes for e in work.transfers}
    for bank in banks:
        assert crossing[bank, forces[0]] == 200 and crossing[forces[0], bank] == 200


def test_neighbours_on_a_grid_are_read_across_banks():
    """A grid of 20 x 30 in three banks of 200: each border crosses by about a row of 30, both ways."""
    with tc.Network("plate", dt=0.1) as net:
        T, out = tc.diffusion(np.full((20, 30), 1.0), D=0.1)
        tc.output("T", T)
        tc.output("out", out)
    work = work_of(net)
    banks = [k for k, part in enumerate(work.tasks) if part.kind is TaskKind.step]
    assert [work.tasks[k].size for k in banks] == [200, 200, 200]
    crossing = {(e.source, e.target): e.bytes for e in work.transfers if e.source in banks and e.target in banks}
    a, b, c = banks
    assert crossing == {(a, b): 30, (b, a): 30, (b, c): 30, (c, b): 30}  # a byte a value on thermo-1
    gathers = [k for k, part in enumerate(work.tasks) if part.kind is TaskKind.gather]
    assert {e.source for e in work.transfers if e.target in gathers} == set(banks)  # the outflow, a sum over all


def test_elements_of_several_cores_meet_where_they_are_repeated():
    with tc.Network("repeat") as net:
        s = tc.sample_binary(tc.input("x", (UNITS,)), 1.0)
        tc.output("y", tc.broadcast(s, shape=(2, UNITS)))
    work = work_of(net)
    banks = [k for k, part in enumerate(work.tasks) if part.kind is TaskKind.sample]
    (meeting,) = (k for k, part in enumerate(work.tasks) if part.kind is TaskKind.vector)
    assert len(banks) == 3 and {e.source for e in work.transfers if e.target == meeting} == set(banks)


def test_what_works_element_by_element_stays_where_its_operands_lie():
    with tc.Network("line") as net:
        s = tc.sample_binary(tc.input("x", (UNITS,)), 1.0)
        tc.output("y", tc.tanh(s) * 2.0)
    work = work_of(net)
    vectors = [part for part in work.tasks if part.kind is TaskKind.vector]
    assert vectors and {(part.low, part.high) for part in vectors} == {(0, 200), (200, 400), (400, 600)}
