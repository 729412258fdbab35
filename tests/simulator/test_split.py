"""Programs in two parts: the same bits as in one, whatever the threads, the batch, the block and the chunk of ticks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import thermoc as tc
from thermoc import simulator
from thermoc.simulator import engine
from thermoc.simulator.feed_forward_split import halves
from thermoc.simulator.kernels.simd.tiles import add_product

RNG = np.random.default_rng(2)
W = RNG.normal(size=(40, 40)) / 7


def program(precision: str = "float64") -> simulator.Program:
    """State, a ring of three, noise and the tick in the head; a product, an input and both together in the tail."""
    with tc.Network("halves", dt=0.3) as net:
        x = tc.input("x", (40,))
        m = tc.memory(x, T=0.2)
        z = tc.normal(shape=(40,)) + tc.cast(tc.tick(), dtype="f64")
        late = tc.delay(m, ticks=3)
        tc.output("m", m)
        tc.output("y", tc.tanh(tc.affine(tc.concat((m, late), axis=0), RNG.normal(size=(33, 80)) / 9) + 0.1))
        tc.output("w", tc.affine(z + late, W) + x)
        tc.output("most", tc.reduce(tc.affine(m, W), kind="argmax", axes=(0,)))
    return tc.compile(net, "sim", precision=precision).artefact.program


def whole(made: simulator.Program) -> simulator.Program:
    """The same program, never parted."""
    same = replace(made)
    halves.known[same] = None
    return same


X = RNG.normal(size=(17, 5, 40))


def run(made: simulator.Program, **how):
    return simulator.run(made, {"x": X.astype(made.precision)}, ticks=17, batch=5, seed=3, first_tick=4, **how)


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_halves_give_what_the_whole_gives(precision, monkeypatch):
    made = program(precision)
    assert halves(made) is not None
    assert halves(made).head.code.shape[0] < made.code.shape[0]
    expected = run(whole(made))
    monkeypatch.setattr(engine, "LEAST_WORK", 1)
    for crossing in (2**22, 2**14, 1):
        monkeypatch.setattr(engine, "CROSSING_BYTES", crossing)
        for how in ({"threads": 1}, {"threads": 2}, {"block": 1}, {"block": 3}):
            found = run(made, **how)
            for name, array in expected.outputs.items():
                assert array.dtype == found.outputs[name].dtype
                assert np.array_equal(array, found.outputs[name]), name
            for name, array in expected.states.items():
                assert np.array_equal(array, found.states[name]), name


def test_a_part_of_the_batch_is_that_part():
    made = program()
    expected = run(made).outputs
    part = simulator.run(made, {"x": X[:, 2:]}, ticks=17, batch=3, seed=3, first_tick=4, first_sample=2).outputs
    assert all(np.array_equal(part[name], array[:, 2:]) for name, array in expected.items())


def test_what_feeds_a_state_is_not_taken_out():
    with tc.Network("loop") as net:
        hole = tc.placeholder((40,))
        y = tc.tanh(tc.affine(tc.delay(hole, np.ones(40)), W))
        tc.connect(hole, y)
        tc.output("y", y)
    assert halves(tc.compile(net, "sim").artefact.program) is None


@pytest.mark.slow
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_row_of_a_product_is_the_same_whatever_is_beside_it(dtype):
    for inner, columns in ((1, 1), (9, 21), (1500, 70), (33, 64)):
        x, y = RNG.normal(size=(31, inner)).astype(dtype), RNG.normal(size=(inner, columns)).astype(dtype)
        rows = {}
        for count in (1, 2, 5, 7, 8, 11, 16, 31):
            r = np.ones(count * columns + 1, dtype)
            add_product(r, 0, x.reshape(-1), 0, y.reshape(-1), 0, count, inner, columns)
            rows[count] = r[:-1].reshape(count, columns)
            assert r[-1] == 1
        np.testing.assert_allclose(
            rows[31], 1 + x.astype(float) @ y, rtol=0, atol=64 * np.finfo(dtype).eps * inner**0.5
        )
        assert all(np.array_equal(r, rows[31][:count]) for count, r in rows.items())


def test_a_constant_that_both_halves_read_does_not_cross():
    """The field h = 0 drives the units of the head and enters the energy of the tail; T is handed out beside it."""
    rng = np.random.default_rng(0)
    J = rng.normal(size=(64, 64))
    J = np.triu(J, 1) + np.triu(J, 1).T
    with tc.Network("both") as net:
        T = tc.schedule(kind="exponential", T0=3.0, parameter=20.0, T_min=0.3)
        s = tc.gibbs(T, J)
        tc.output("E", tc.ising_energy(s, J))
        tc.output("T", T)
    exe = tc.compile(net, "sim")
    assert halves(exe.artefact.program) is not None
    assert np.allclose(exe.run(ticks=20)["T"][:, 0], 3 * np.exp(-np.arange(20) / 20))


def test_rows_that_run_tick_by_tick_have_their_operands_in_time():
    """p-bits are driven by a product that feeds no state: it runs before them, not behind all ticks."""
    with tc.Network("driven", dt=0.3) as net:
        s = tc.sample_binary(tc.affine(tc.input("x", (40,)), W), 1.0)
        tc.output("s", s)
        tc.output("y", tc.affine(tc.cast(s, dtype="f64"), W))
    made = tc.compile(net, "sim").artefact.program
    expected, found = run(whole(made)), run(made)
    for name, array in expected.outputs.items():
        assert np.array_equal(array, found.outputs[name]), name
