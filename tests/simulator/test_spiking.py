"""Spikes as lists, states in place: the same bits as from dense values, whatever the batch, the threads and the split."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numba import njit

import thermoc as tc
from thermoc import simulator
from thermoc.simulator import Program, engine
from thermoc.simulator.feed_forward_split import halves
from thermoc.simulator.instructions.products import SPARSE
from thermoc.simulator.instructions.spiking import LIF_STEP, SPARSE_COLUMNS, SPARSE_LIST
from thermoc.simulator.kernels import populations, ports
from thermoc.simulator.kernels import spiking as kernels
from thermoc.simulator.kernels.operands import RowOperand

RNG = np.random.default_rng(11)
N = 700
COUNTS = RNG.integers(0, 9, N)
COLUMNS = np.concatenate([np.sort(RNG.integers(0, N, count)) for count in COUNTS])
OFFSETS = np.cumsum([0, *COUNTS])
WEIGHTS = RNG.normal(size=len(COLUMNS))


def recurrent(*, products: bool = False) -> tc.Network:
    """Units that excite one another after two ticks; with products, of their spikes and traces with dense matrices."""
    with tc.Network("recurrent", dt=0.1) as net:
        before = tc.placeholder((N,), role="spike")
        arriving = tc.delay(before, ticks=2)
        g = tc.trace(tc.sparse_affine(arriving, WEIGHTS, COLUMNS, OFFSETS), 0.5)
        s, v = tc.lif(g + tc.input("x", (N,)), 1.0, v_threshold=0.8, refractory=0.3)
        tc.connect(before, s)
        for name, value in (("s", s), ("v", v), ("g", g), ("arriving", arriving)):
            tc.output(name, value)
        if products:
            tc.output("y", tc.affine(g, RNG.normal(size=(4, N))) + tc.affine(s, RNG.normal(size=(4, N))))
    return net


def drive(batch: int, ticks: int = 40) -> dict[str, np.ndarray]:
    return {"x": np.random.default_rng(3).normal(size=(ticks, batch, N)) + 0.5}


def codes(program: Program) -> set[int]:
    return set(program.code[:, 0].tolist())


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_a_product_of_listed_spikes_has_the_bits_of_the_product_by_rows(precision: str):
    bias = RNG.normal(size=N)
    with tc.Network("two", dt=0.1) as net:
        s, _ = tc.lif(tc.input("x", (N,)), 1.0, v_threshold=0.8)
        tc.output("listed", tc.sparse_affine(s, WEIGHTS, COLUMNS, OFFSETS, bias))
        tc.output("rows", tc.sparse_affine(tc.cast(s, dtype="f64", role="signal"), WEIGHTS, COLUMNS, OFFSETS, bias))
        given = tc.cast(tc.cast(s, dtype="f64", role="signal"), dtype="f64", role="spike")
        tc.output("columns", tc.sparse_affine(given, WEIGHTS, COLUMNS, OFFSETS, bias))
    exe = tc.compile(net, "sim", precision=precision)
    assert {int(SPARSE), int(SPARSE_LIST), int(SPARSE_COLUMNS)} <= codes(exe.artefact.program)
    run = exe.run(drive(3))
    assert len(np.unique(run["listed"])) > 1000
    assert np.array_equal(run["listed"], run["rows"]) and np.array_equal(run["columns"], run["rows"])


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_a_recurrent_network_is_that_of_core_ops(precision: str):
    """The program against one of core ops alone, whose products are by rows: spikes equal, floats to rounding."""
    from thermoc.backends.sim.emit import emit
    from thermoc.ir.dialects.spiking import LifStep, TraceStep
    from thermoc.passes.expand.table import EXPANSIONS
    from thermoc.passes.rewriting import rewrite

    exe, x = tc.compile(recurrent(), "sim", precision=precision), drive(2)
    x = {"x": x["x"].astype(precision)}
    plain = emit(rewrite(exe.graph, {cls: EXPANSIONS[cls] for cls in (LifStep, TraceStep)}))
    assert int(LIF_STEP) in codes(exe.artefact.program) and int(LIF_STEP) not in codes(plain)
    ours = simulator.run(exe.artefact.program, x, ticks=40, batch=2).outputs
    theirs = simulator.run(plain, x, ticks=40, batch=2).outputs
    assert ours["s"].sum() > 500
    assert np.array_equal(ours["s"], theirs["s"]) and np.array_equal(ours["arriving"], theirs["arriving"])
    for name in ("v", "g"):
        np.testing.assert_allclose(ours[name], theirs[name], rtol=0, atol=64 * np.finfo(precision).eps)


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_batch_threads_and_blocks_change_no_bit(precision: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(engine, "LEAST_WORK", 1)
    program = tc.compile(recurrent(), "sim", precision=precision).artefact.program
    x = {name: array.astype(precision) for name, array in drive(5).items()}
    whole = simulator.run(program, x, ticks=40, batch=5, threads=1, block=5)
    others = [simulator.run(program, x, ticks=40, batch=5, threads=2, block=block) for block in (1, 2)]
    alone = simulator.run(program, {"x": x["x"][:, 3:4]}, ticks=40, batch=1)
    for name, array in whole.outputs.items():
        assert all(np.array_equal(array, other.outputs[name]) for other in others), name
        assert np.array_equal(array[:, 3:4], alone.outputs[name]), name
    for name, array in whole.states.items():
        assert all(np.array_equal(array, other.states[name]) for other in others), name


def test_a_state_in_place_may_cross_to_a_tail():
    program = tc.compile(recurrent(products=True), "sim").artefact.program
    assert halves(program) is not None
    apart = simulator.run(program, drive(3), ticks=40, batch=3)
    program = replace(program)
    halves.known[program] = None
    together = simulator.run(program, drive(3), ticks=40, batch=3)
    for name, array in together.outputs.items():
        assert np.array_equal(array, apart.outputs[name]), name
    for name, array in together.states.items():
        assert np.array_equal(array, apart.states[name]), name


def test_equal_weights_are_one_number():
    def made(values: np.ndarray) -> Program:
        with tc.Network("n") as net:
            s, _ = tc.if_(tc.input("x", (N,)))
            tc.output("y", tc.sparse_affine(s, values, COLUMNS, OFFSETS))
        return tc.compile(net, "sim").artefact.program

    assert made(WEIGHTS).floats.size - made(np.full(len(WEIGHTS), 0.1)).floats.size == len(WEIGHTS) - 1


def test_a_saved_program_keeps_lists_and_states_in_place(tmp_path: Path):
    exe = tc.compile(recurrent(), "sim")
    exe.save(tmp_path / "n.program")
    again, whole = simulator.load(tmp_path / "n.program"), exe.run(drive(2))
    found = simulator.run(again, drive(2), ticks=40, batch=2)
    assert all(np.array_equal(array, whole[name]) for name, array in found.outputs.items())
    assert {state.form for state in again.states} == {"lists", "place", "counts"}


@pytest.mark.parametrize("told", [[-5, 0, 1, 2], [2, -1, 99, 1], [99, 0, 1, 2], [3, 2, 2**60, -(2**60)]])
def test_a_list_that_lies_reaches_nothing_outside(told: list[int]):
    """What a list says is data: units that are not there are passed over, and so is a length beyond the list."""
    spikes, table = RowOperand(np.array(told), 4, 4, True), np.array([0, 1, 2, 3, 0, 1, 2], np.int64)
    memory = np.zeros(9)
    result, weights = RowOperand(memory[3:], 3, 3, True), RowOperand(np.ones(3), 0, 3, True)
    njit(kernels.listed_columns)(result, weights, spikes, result, table, 0, 4, 1, 1)
    njit(populations.spread)(result, spikes, 1)
    assert not memory[:3].any() and not memory[6:].any()
    copied = np.full(8, 7)
    njit(ports.read_list)(RowOperand(copied[2:], 4, 4, True), spikes, 0, 1, 0, 1)
    assert (copied[:2] == 7).all() and (copied[6:] == 7).all()
