"""Runs of the simulator: the same for any threads and blocks, true to the reference over long times and odd numbers."""

from __future__ import annotations

import numpy as np
import pytest

import thermoc as tc
from thermoc import simulator
from thermoc.ir.feed import feed
from thermoc.ir.reference import interpret
from thermoc.simulator import engine


def everything() -> tc.Network:
    """Noise, state, products, reductions and activations in one network."""
    rng = np.random.default_rng(3)
    with tc.Network("everything", dt=0.1) as net:
        x = tc.input("x", (5,))
        T = tc.schedule(kind="exponential", T0=1.0, parameter=3.0, T_min=0.1)
        hole = tc.placeholder((37,), role="spike")
        drive = tc.affine(x, rng.normal(size=(37, 5)), rng.normal(size=37)) + 0.1 * tc.delay(hole, ticks=3)
        spikes, v = tc.lif(drive, 0.5, v_threshold=0.2)
        tc.connect(hole, spikes)
        m = tc.memory(v, T=T, gamma=2.0)
        tc.output("spikes", spikes)
        tc.output("probs", tc.boltzmann(tc.affine(m, rng.normal(size=(9, 37))), T=T))
        tc.output("u", tc.uniform(shape=(4,)))
    return net


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_threads_blocks_and_splits_change_no_bit(precision: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(engine, "LEAST_WORK", 1)  # as if every sample were worth a thread
    exe = tc.compile(everything(), "sim", precision=precision)
    x = np.random.default_rng(4).normal(size=(23, 5))
    program, arrays = exe.artefact.program, feed(exe.graph, {"x": x}, ticks=40).arrays
    whole = simulator.run(program, arrays, ticks=40, batch=23, seed=9, threads=1)
    for threads, block in ((2, None), (1, 1), (2, 3), (1, 64)):
        other = simulator.run(program, arrays, ticks=40, batch=23, seed=9, threads=threads, block=block)
        for name, expected in (whole.outputs | whole.states).items():
            assert np.array_equal((other.outputs | other.states)[name], expected), (name, threads, block)
    first, rest = exe.run({"x": x[:7]}, ticks=40, seed=9), exe.run({"x": x[7:]}, ticks=40, seed=9, first_sample=7)
    for name, expected in whole.outputs.items():
        assert np.array_equal(np.concatenate([first[name], rest[name]], axis=1), expected), name


def test_a_long_run_follows_the_reference_spike_for_spike():
    net = everything()
    exe = tc.compile(net, "sim")
    x = np.random.default_rng(5).normal(size=(300, 4, 5))
    run, trace = exe.run({"x": x}, seed=1), interpret(exe.graph, feed(exe.graph, {"x": x}), seed=1)
    assert np.array_equal(run["spikes"], trace.outputs["spikes"])
    assert 0.02 < run["spikes"].mean() < 0.98
    assert np.array_equal(run["u"], trace.outputs["u"])
    np.testing.assert_allclose(run["probs"], trace.outputs["probs"], rtol=1e-12)


def test_first_tick_places_a_run_in_the_noise():
    with tc.Network("noise") as net:
        tc.output("z", tc.normal(shape=(3,)))
    exe = tc.compile(net, "sim")
    whole = exe.run(ticks=10, batch=2, seed=5)["z"]
    assert np.array_equal(exe.run(ticks=4, batch=2, seed=5, first_tick=6)["z"], whole[6:])


def test_the_scheduled_seed_matters():
    exe = tc.compile(everything(), "sim")
    x = {"x": np.zeros((2, 5))}
    assert not np.array_equal(exe.run(x, seed=1)["u"], exe.run(x, seed=2)["u"])
    assert exe.artefact.program.stochastic


UNARY = ("neg", "abs", "sign", "exp", "expm1", "log", "sqrt", "sin", "cos", "tanh", "floor")
BINARY = ("add", "sub", "mul", "div", "pow", "minimum", "maximum", "thermal_relu")


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_infinities_nans_and_large_numbers_go_the_way_of_numpy(precision: str):
    """Inputs are finite; 1/0, -1/0 and 0/0 are what a network can make of them."""
    x = np.array([[1.0, -1.0, 0.0, 1e30, -1e30, 2.5, -2.5, 1e-30]])
    top = np.array([[0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0]])
    with tc.Network("odd") as net:
        odd = tc.input("x", (8,)) / tc.input("by", (8,))
        for name in UNARY:
            tc.output(name, getattr(tc, name)(odd))
        for name in BINARY:
            other = {"T": 0.5} if name == "thermal_relu" else {"b": tc.transpose(odd, axes=(0,))}
            tc.output(name, getattr(tc, name)(odd, **other))
        tc.output("select", tc.select(odd > 0.0, odd, -odd))
        tc.output("fermi", tc.fermi_dirac(odd, T=0.5))
        tc.output("maxwell", tc.maxwell_boltzmann(odd, T=0.5))
    exe = tc.compile(net, "sim", precision=precision)
    given = {"x": x, "by": top}
    with np.errstate(all="ignore"):
        expected = interpret(exe.graph, feed(exe.graph, given)).outputs
    for name, array in exe.run(given).outputs.items():
        np.testing.assert_allclose(array, expected[name], rtol=8 * np.finfo(precision).eps, err_msg=name)


def test_at_zero_temperature_units_settle():
    """A computed temperature may be 0: the limits of physics.activations hold."""
    energies = np.array([[0.5, 0.5, 2.0], [-1.0, 0.0, 3.0]])
    with tc.Network("frozen") as net:
        T = tc.input("zero", ())
        x = tc.input("x", (3,))
        tc.output("boltzmann", tc.boltzmann(x, T=tc.abs(T)))
        tc.output("fermi", tc.fermi_dirac(x, T=tc.abs(T), mu=0.5))
        tc.output("maxwell", tc.maxwell_boltzmann(x, T=tc.abs(T)))
        tc.output("relu", tc.thermal_relu(x, T=tc.abs(T)))
    run = tc.compile(net, "sim").run({"x": energies, "zero": np.zeros(2)})
    assert np.array_equal(run["boltzmann"][0], [[0.5, 0.5, 0], [1, 0, 0]])
    assert np.array_equal(run["fermi"][0], [[0.5, 0.5, 0], [1, 1, 0]])
    assert np.array_equal(run["maxwell"][0], np.zeros((2, 3)))
    assert np.array_equal(run["relu"][0], np.maximum(energies, 0))


@pytest.mark.parametrize("precision", ["float64", "float32"])
def test_floats_that_are_no_integer_have_one_all_the_same(precision: str):
    """What a processor makes of NaN and of what is beyond 64 bits is its own affair: the program says it."""
    with tc.Network("casts") as net:
        odd = tc.input("x", (7,)) / tc.input("by", (7,))
        tc.output("long", tc.cast(odd, dtype="i64"))
        tc.output("short", tc.cast(odd, dtype="i32"))
        tc.output("truth", tc.cast(odd, dtype="bool"))
    x, by = np.array([[1.0, -1, 0, -2.75, 3e9, 2**63, -(2**63)]]), np.array([[0.0, 0, 0, 1, 1, 1, 1]])
    least = -(2**63)
    for device in ("cpu", "cuda"):  # the latter in numba-cuda's simulator
        run = tc.compile(net, "sim", precision=precision, device=device).run({"x": x, "by": by})
        assert run["long"][0, 0].tolist() == [least, least, least, -2, 3 * 10**9, least, least]
        assert run["short"][0, 0].tolist() == [0, 0, 0, -2, 3 * 10**9 - 2**32, 0, 0]
        assert run["truth"][0, 0].tolist() == [True, True, True, True, True, True, True]
