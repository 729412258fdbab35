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
from thermoc.simulator.instructions.spiking import (
    FEW,
    LIF_STEP,
    LISTED_MATMUL,
    LONGEST_REST,
    SPARSE_COLUMNS,
    SPARSE_LIST,
    SPIKE_MATMUL,
)
from thermoc.simulator.kernels import populations, ports, spike_matmul
from thermoc.simulator.kernels import spiking as kernels
from thermoc.simulator.kernels.operands import RowOperand

RNG = np.random.default_rng(11)
N = 700
COUNTS = RNG.integers(0, 9, N)
COLUMNS = np.concatenate([np.sort(RNG.integers(0, N, count)) for count in COUNTS])
OFFSETS = np.cumsum([0, *COUNTS])
WEIGHTS = RNG.normal(size=len(COLUMNS))
listed_columns, spread, read_list, listed_matmul = map(
    njit, (kernels.listed_columns, populations.spread, ports.read_list, spike_matmul.listed_matmul)
)


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
    listed_columns(result, weights, spikes, result, table, 0, 4, 1, 1)
    spread(result, spikes, 1)
    assert not memory[:3].any() and not memory[6:].any()
    copied = np.full(8, 7)
    read_list(RowOperand(copied[2:], 4, 4, True), spikes, 0, 1, 0, 1)
    assert (copied[:2] == 7).all() and (copied[6:] == 7).all()


def spiking_layers(W: np.ndarray) -> tc.Network:
    """A product of given spikes, then one of a list's."""
    with tc.Network("layers") as net:
        s, _ = tc.lif_step(tc.affine(tc.input("x", (N,), role="spike"), W), 0.5, v_threshold=0.9, reset="subtract")
        tc.output("s", s)
        tc.output("y", tc.affine(s, W[:30], np.linspace(-1, 1, 30)))
    return net


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_a_product_goes_by_events_or_densely_with_the_same_bits(precision: str):
    """A sample is the same alone, where few units fire, as beside one in which all do, where the product is dense."""
    W = RNG.normal(size=(N, N)) / 12
    program = tc.compile(spiking_layers(W), "sim", precision=precision).artefact.program
    assert {int(SPIKE_MATMUL), int(LISTED_MATMUL)} <= codes(program)
    x = (RNG.random((5, 2, N)) < 0.05).astype(precision)
    x[:, 1] = 1 + RNG.random((5, N))
    both = simulator.run(program, {"x": x}, ticks=5, batch=2, threads=1, block=2).outputs
    alone = simulator.run(program, {"x": x[:, :1]}, ticks=5, batch=1).outputs
    assert 0 < alone["s"].mean() < FEW < x.astype(bool).mean()
    for name, array in alone.items():
        assert np.array_equal(array.view(np.uint8), np.ascontiguousarray(both[name][:, :1]).view(np.uint8)), name


@pytest.mark.parametrize("columns", [1, 9, 40, 300])
def test_both_ways_of_a_product_agree_to_the_bit(columns: int):
    """Zeros of either sign, sums that vanish, spikes that are no ones, columns that fill no vector."""
    x, y = RNG.normal(size=(7, 50)).round(1) * (RNG.random((7, 50)) < 0.3), RNG.normal(size=(50, columns)).round(1)
    x[0], x[1], y[3] = 0, -0.0, -0.0
    z = np.full(columns, -0.0)
    events, dense = np.empty(7 * columns), np.empty(7 * columns)
    flat, matrix = x.reshape(-1), y.reshape(-1)
    units, ends = spike_matmul.chosen(flat, 50, np.count_nonzero(x))
    spike_matmul.sum_chosen(events, z, flat, 50, matrix, columns, units, ends)
    spike_matmul.dense(dense, z, flat, matrix, 50)
    assert np.array_equal(events.view(np.int64), dense.view(np.int64))
    assert not np.signbit(dense[: 2 * columns]).any()
    np.testing.assert_allclose(dense.reshape(7, -1), x @ y, atol=1e-13)


def test_a_weight_that_is_no_number_reaches_every_sum_as_in_the_reference():
    """0 times infinity is not a number: the product is dense where a weight is not known, and found not, to be finite."""
    y, x, r = np.eye(4), np.zeros(4), np.zeros(4)
    x[0], y[1, 2] = 1, np.inf
    none = RowOperand(r, 0, 4, False)
    operands = (RowOperand(array.reshape(-1), stride, array.size, True) for array, stride in ((r, 4), (x, 4), (y, 0)))
    njit(spike_matmul.spike_matmul)(*operands, none, 1, 4, 4, 0, 1)
    assert np.isnan(r[2]) and r[[0, 1, 3]].tolist() == [1, 0, 0]


def test_ticks_of_rest_are_counted_in_16_bits():
    def made(ticks: int) -> tc.Executable:
        with tc.Network("n") as net:
            tc.output("s", tc.lif_step(tc.input("x", (5,)), 0.5, held=ticks, name="unit")[0])
        return tc.compile(net, "sim")

    session = made(LONGEST_REST).start()
    session.step({"x": np.full((1, 5), 2.0)})
    (held,) = (array for name, array in session.state.items() if name.endswith("held"))
    assert (held == LONGEST_REST).all()
    with pytest.raises(tc.ThermocError, match="T304"):
        _ = made(LONGEST_REST + 1).artefact


@pytest.mark.parametrize("told", [[-5, 0, 1, 2], [2, -1, 99, 1], [99, 0, 1, 2], [3, 2, 2**60, -(2**60)]])
def test_a_product_of_a_list_that_lies_reads_nothing_outside(told: list[int]):
    spikes, memory = RowOperand(np.array(told), 4, 4, True), np.zeros(9)
    weights, bias = RowOperand(np.ones(9), 0, 9, True), RowOperand(np.ones(3), 0, 3, True)
    listed_matmul(RowOperand(memory[3:], 3, 3, True), spikes, weights, bias, 1, 3, 3, 1, 1)
    assert not memory[:3].any() and not memory[6:].any()
    assert set(memory[3:6]) <= {1.0, 2.0, 3.0, 4.0}


def test_a_list_that_lies_leaves_the_next_sample_alone():
    """What is passed over of one sample is not looked for behind the next."""
    spikes = RowOperand(np.array([3, 99, 99, 99, 3, 0, 1, 2, 3, 2, 1, 0]), 4, 4, True)
    units, ends = spike_matmul.listed(spikes, 0, 2)
    assert units.tolist() == [0, 1, 2] and ends.tolist() == [0, 0, 3]
