"""What a run costs, summed by hand over the instructions that its program prints: joules, watts, kelvins, time, bytes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np
import pytest
from machine.chips_by_hand import FiniteVolumes, behind, by_hand, printed, spot, three_tiles

import thermoc as tc
from thermoc.simulator.chips import load_chip
from thermoc.simulator.machine import COMPONENTS, ChipOp, costs, run_events
from thermoc.simulator.machine.account import account, power

CHIP = load_chip("thermo-1")
TICKS, BATCH = 5, 2


@pytest.fixture(scope="module")
def report():
    """A run of every instruction: three ticks' kinds of units, and layers that take several arrays."""
    rng = np.random.default_rng(0)
    J = np.roll(np.eye(40), 1, axis=1) + np.roll(np.eye(40), -1, axis=1)
    with tc.Network("costly") as net:
        h = tc.tanh(tc.affine(tc.input("x", (300,)), rng.normal(size=(280, 300))))
        tc.output("s", tc.sample_binary(tc.affine(h, rng.normal(size=(300, 280))), 1.0))
        tc.output("g", tc.gibbs(tc.schedule(kind="exponential", T0=3.0, parameter=4.0, T_min=0.5), J, sweeps=2))
        tc.output("m", tc.memory(tc.input("z", (30,)), 0.7, 0.2))
    inputs = {"x": rng.normal(size=(BATCH, 300)), "z": rng.normal(size=(BATCH, 30))}
    return tc.compile(net, "chip", chip="thermo-1", temperature="die").run(inputs, ticks=TICKS).chip


def test_every_instruction_is_there(report):
    names = {name for _, _, name, _, _ in printed(report.run.artefact.mapping.program)}
    assert names == {op.name for op in ChipOp}


def test_joules_are_those_of_the_printed_instructions(report):
    """By component and op; the units' at 305 K, where a pulse of 10 ns has its mean to 1e-4."""
    layout, sums = report.run.artefact.mapping, report.run.sums
    joules: dict[tuple[str, str], float] = defaultdict(float)
    setup: dict[str, float] = defaultdict(float)
    for core, once, name, fields, op in printed(layout.program):
        for component, each in by_hand(core, name, fields, layout.chip).items():
            if once:
                setup[component] += each
            else:
                joules[op, component] += TICKS * BATCH * each
    for column, component in enumerate(COMPONENTS):
        rel = 1e-3 if component == "sampler" else 1e-9
        assert sums.setup_joules[column] == pytest.approx(setup[component], rel=rel, abs=1e-30), component
        for row, op in enumerate((*layout.program.ops, "")):
            assert sums.joules[row, column] == pytest.approx(joules[op, component], rel=rel, abs=1e-30), (op, component)
        if component != "sampler":
            whole = sum(value for (_, part), value in joules.items() if part == component)
            assert report.components[component] == pytest.approx(whole, rel=1e-9), component


def test_units_that_heaters_hold_take_what_one_takes_at_its_reference():
    """64 units, 50 ticks of 10 ns: u i of NBO2-REF-1 at 305 K, 0.3 V behind 500 ohm."""
    with tc.Network("held") as net:
        tc.output("s", tc.sample_binary(tc.constant(np.zeros(64)), 1.0))
    report = tc.compile(net, "chip", chip="thermo-1", temperature="die").run(ticks=50).chip
    assert report.components["sampler"] == pytest.approx(64 * 50 * 10e-9 * 0.3 * behind(0.3, 305.0)[1], rel=2e-3)


def test_watts_lie_where_and_when_events_spend_them():
    """The three tiles of the hand-made schedule, nanosecond by nanosecond, in slots that cut its events."""
    program = three_tiles()
    price = costs(program, CHIP)
    events = run_events(program, CHIP, price=price)
    fine = np.zeros((48, CHIP.cores))
    for core, begin, end in ((0, 0, 10), (4, 0, 12), (8, 46, 47)):
        fine[begin:end, core] += 3e-3
    for core, begin, end, accesses in ((0, 10, 30, 2), (4, 12, 23, 1), (8, 26, 29, 1), (8, 42, 46, 2)):
        fine[begin:end, core] += accesses * 17.2e-3 / (end - begin)
    for tile, begin, end in ((0, 14, 30), (1, 15, 23), (1, 23, 39)):  # a flit of 5 pJ a nanosecond, on four cores
        fine[begin:end, 4 * tile : 4 * tile + 4] += 5e-3 / 4
    found = power(events, program, price, CHIP, edges=np.arange(7) * 8000, start=0)
    assert found == pytest.approx(fine.reshape(6, 8, -1).mean(axis=1), rel=1e-12, abs=1e-15)
    sums = account(events, program, price, CHIP)
    assert sums.by_core.sum(axis=0) == pytest.approx(1e-9 * fine.sum(axis=0), rel=1e-12, abs=1e-24)
    near = np.zeros(CHIP.cores)
    near[:8], near[8] = 16 * 5e-12 / 4, 2 * 17.2e-12  # its message over two tiles, and what takes it in
    near[0] += 10 * 3e-12 + 2 * 17.2e-12
    assert sums.by_core[0] == pytest.approx(near, rel=1e-12, abs=1e-24)


def test_latency_is_from_the_first_instruction_to_the_last(report):
    program, events = report.run.artefact.mapping.program, report.run.events
    tick = np.arange(len(program.code)) >= (program.starts[:-1] + program.setup)[program.cores]
    found = []
    for sample in range(BATCH):
        first, last = (events.turn == sample), (events.turn == BATCH * (TICKS - 1) + sample)
        found.append(events.end[last].max() - events.start[first & tick[events.row]].min())
    assert report.latency == pytest.approx(np.mean(found) * 1e-12, rel=1e-12)
    assert report.latency > 2 * report.seconds / (TICKS * BATCH)


def test_the_latency_of_one_sample_is_its_run():
    with tc.Network("alone") as net:
        tc.output("y", tc.affine(tc.input("x", (8,)), np.ones((8, 8))))
    found = tc.compile(net, "chip", chip="thermo-1").run({"x": np.ones((1, 8))}, ticks=7).chip
    assert found.latency == pytest.approx(found.seconds, rel=1e-12) and found.samples == 1


def test_an_ops_kelvins_are_those_of_its_own_watts(report):
    """Its joules put where they are spent, a message's on the tiles of its way, and finite volumes."""
    layout, seconds = report.run.artefact.mapping, report.seconds
    heater, leakage, sampler = report.run.ended.joules
    watts: dict[str, np.ndarray] = defaultdict(lambda: np.zeros(CHIP.cores))
    for core, once, name, fields, op in printed(layout.program):
        if once:
            continue
        for component, joules in by_hand(core, name, fields, layout.chip).items():
            tiles = [tile for tile, _ in way(core, fields["core"])] if component == "network" else []
            for tile in tiles:
                watts[op][4 * tile : 4 * tile + 4] += TICKS * BATCH * joules / len(tiles) / 4 / seconds
            if component not in ("network", "sampler"):
                watts[op][core] += TICKS * BATCH * joules / seconds
    for op, cores in layout.sites.items():
        mine = np.unique(cores)
        watts[op][mine] += (heater + sampler)[mine] / seconds
    watts["(leakage)"] = leakage / seconds
    volumes = FiniteVolumes(layout.chip, 2, 2)
    for cost in report.ops:
        assert cost.kelvin == pytest.approx(volumes.rise(watts[cost.op]).max(), rel=1e-4, abs=1e-12), cost.op


def way(core: int, target: int) -> Iterator[tuple[int, int]]:
    """Yield (tile, 0 east 1 west 2 down 3 up) of the links from a core to another, along x first."""
    (x, y), (X, Y) = spot(core), spot(target)
    yield from ((8 * y + k, 0) for k in range(x, X))
    yield from ((8 * y + k, 1) for k in range(x, X, -1))
    yield from ((8 * k + X, 2) for k in range(y, Y))
    yield from ((8 * k + X, 3) for k in range(y, Y, -1))


def test_links_carry_the_bytes_that_are_sent():
    with tc.Network("wide") as net:
        h = tc.input("x", (640,))
        for _ in range(3):
            h = tc.tanh(tc.affine(h, np.ones((640, 640))))
        tc.output("y", h)
    layout = tc.compile(net, "chip", chip="thermo-1").artefact.mapping
    load = np.zeros((64, 4), int)
    for core, _, name, fields, _ in printed(layout.program):
        if name == "SEND":
            for tile, link in way(core, fields["core"]):
                load[tile, link] += fields["bytes"]
    assert load.any(axis=0).all()
    assert np.array_equal(layout.routes.load, load)
    assert layout.routes.busiest[2] == load.max()
