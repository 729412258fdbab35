"""Layers, whole runs and steps: three faces of one network."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnxruntime
import pytest

import thermoc as tc
from thermoc.backends.base import NoisePosition
from thermoc.backends.onnx.run import opened
from thermoc.ir.feed import feed
from thermoc.ir.reference import interpret

X = np.random.default_rng(0).normal(size=(5, 4, 3))
"""Five ticks of four samples of three units."""


def network() -> tc.Network:
    """Memory with noise, a spiking unit, a schedule, and an adaptive temperature, which no sample changes."""
    with tc.Network("all sorts", dt=0.5) as net:
        x = tc.input("x", (3,))
        T = tc.adaptive_schedule(1.0, T0=2.0, T_min=0.1)
        m = tc.memory(x, T=tc.schedule(kind="exponential", T0=1.0, parameter=2.0, T_min=0.1), gamma=2.0)
        s, v = tc.lif(m + tc.delay(x, ticks=3), 2.0, v_threshold=0.2)
        tc.output("m", m)
        tc.output("s", s)
        tc.output("v", v)
        tc.output("p", tc.boltzmann(m + v, T=T))
        tc.output("T", T)
    return net


def session(exe: tc.Executable) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(exe.artefact.to_bytes(), options)


def same(found: Any, expected: Any, places: Any = ...) -> None:
    for name, array in expected.items():
        np.testing.assert_allclose(found[name], array[places], rtol=1e-13, atol=1e-14, err_msg=name)


@pytest.mark.parametrize("step", [False, True])
def test_run_and_steps_follow_the_reference(step: bool):
    exe = tc.compile(network(), "onnx", precision="float64", step=step)
    trace = interpret(exe.graph, feed(exe.graph, {"x": X}), seed=7, first_tick=3, first_sample=11)
    run = exe.run({"x": X}, seed=7, first_tick=3, first_sample=11)
    same(run.outputs, trace.outputs)
    same(run.states, trace.states)


def test_parts_of_a_batch_are_the_whole():
    exe = tc.compile(network(), "onnx", precision="float64")
    whole = exe.run({"x": X}, seed=1)
    for first, last in ((0, 1), (1, 4)):
        part = exe.run({"x": X[:, first:last]}, seed=1, first_sample=first)
        same(part.outputs, whole.outputs, np.s_[:, first:last])


def test_a_run_goes_on_from_the_states_of_another():
    exe = tc.compile(network(), "onnx", precision="float64")
    names = [output.name for output in session(exe).get_outputs()]
    whole = dict(zip(names, session(exe).run(None, {"x": X})))
    first = dict(zip(names, session(exe).run(None, {"x": X[:2]})))
    states = {name.removesuffix(".final"): array for name, array in first.items() if name.endswith(".final")}
    assert len(states) == 4
    rest = dict(zip(names, session(exe).run(None, {"x": X[2:], "first_tick": np.array(2), **states})))
    same(rest, {name: array for name, array in whole.items() if name.endswith(".final")})
    same(rest, {name: array for name, array in whole.items() if not name.endswith(".final")}, np.s_[2:])


def test_seed_first_tick_and_states_may_be_left_out():
    exe = tc.compile(network(), "onnx", precision="float64")
    found = dict(zip([o.name for o in session(exe).get_outputs()], session(exe).run(None, {"x": X})))
    same(found, dict(exe.run({"x": X}, seed=0).outputs))


def test_without_inputs_ticks_and_batch_are_asked_for():
    with tc.Network("clock") as net:
        tc.output("z", tc.normal(shape=(2,)))
        tc.output("t", tc.tick())
    exe = tc.compile(net, "onnx")
    assert {"ticks", "batch"} <= {i.name for i in session(exe).get_inputs()}
    run = exe.run(ticks=3, batch=2, first_tick=4)
    assert run["z"].shape == (3, 2, 2)
    assert run["t"].tolist() == [[4, 4], [5, 5], [6, 6]]


def test_names_of_the_network_come_first():
    """An input and an output may share a name, and an input may be called seed."""
    with tc.Network("names") as net:
        x, seed = tc.input("x", (2,)), tc.input("seed", (2,))
        tc.output("x", x + tc.normal(shape=(2,)))
        tc.output("first_tick", tc.delay(seed, name="batch"))
    exe = tc.compile(net, "onnx", precision="float64")
    given = {"x": X[..., :2], "seed": X[..., 1:]}
    face = exe.artefact.interface
    assert [port.tensor for port in face.outputs] == ["x_1", "first_tick"]
    assert face.controls == {"seed": "seed_1", "first_sample": "first_sample", "first_tick": "first_tick_1"}
    same(exe.run(given, seed=3).outputs, interpret(exe.graph, feed(exe.graph, given), seed=3).outputs)


def test_an_output_may_be_an_input_a_constant_or_another_output():
    with tc.Network("plain") as net:
        x = tc.input("x", (3,))
        tc.output("same", x)
        tc.output("again", x)
        tc.output("two", tc.constant(np.full(2, 2.0)))
        tc.output("late", tc.delay(x))
    for options in ({}, {"step": True}):
        run = tc.compile(net, "onnx", precision="float64", **options).run({"x": X})
        np.testing.assert_array_equal(run["same"], X)
        np.testing.assert_array_equal(run["again"], X)
        np.testing.assert_array_equal(run["two"], np.full((5, 4, 2), 2.0))
        np.testing.assert_array_equal(run["late"][1:], X[:-1])


def test_one_thread_so_that_results_do_not_depend_on_the_number_of_cores():
    exe = tc.compile(network(), "onnx")
    assert opened(exe.artefact, step=False).runtime.get_session_options().intra_op_num_threads == 1


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_small_results_keep_their_digits(precision: str):
    """expm1 near 0 and away from it, Fermi-Dirac far above mu: each within 16 roundings of itself."""
    with tc.Network("small") as net:
        x = tc.input("x")
        tc.output("expm1", tc.expm1(x))
        tc.output("fermi_dirac", tc.fermi_dirac(x, T=0.5))
    x = np.array([1e-12, -1e-5, 1e-3, 0.4, -0.9, 1.1, -3.0, 5.0, 20.0, 30.0]).astype(precision)
    run = tc.compile(net, "onnx", precision=precision).run({"x": x})
    wide = x.astype(np.longdouble)
    for name, exact in {"expm1": np.expm1(wide), "fermi_dirac": 1 / (1 + np.exp(2 * wide))}.items():
        np.testing.assert_allclose(run[name][0], exact.astype(float), rtol=16 * np.finfo(precision).eps, atol=0)


def probed() -> tc.Network:
    """A state with noise, of which a probe is not an output."""
    with tc.Network("probed") as net:
        m = tc.memory(tc.input("x", (3,)), T=0.5, gamma=2.0)
        tc.output("y", 2 * m)
        tc.probe("m", m)
    return net


def test_a_probe_is_in_a_file_of_its_own_and_the_trajectory_is_the_same():
    exe = tc.compile(probed(), "onnx", precision="float64")
    assert [o.name for o in session(exe).get_outputs()] == ["y", "memory.buffer.final"]
    going_on = exe.start(batch=4, seed=7)._session
    pieces = [going_on.advance(feed(exe.graph, {"x": X[tick : tick + 1]}), names) for tick, names in enumerate("ymy")]
    at_once = exe.backend.start(exe.artefact, batch=4, position=NoisePosition(seed=7)).advance(
        feed(exe.graph, {"x": X})
    )
    assert [list(piece) for piece in pieces] == [["y"], ["m"], ["y"]]
    for tick, name in enumerate("ymy"):
        np.testing.assert_array_equal(pieces[tick][name][0], at_once[name][tick])


def test_a_file_is_opened_once_for_all_sessions_and_others_only_when_needed(monkeypatch: pytest.MonkeyPatch):
    from thermoc.backends.onnx import run

    counts: list[int] = []
    opening = run._runtime
    monkeypatch.setattr(run, "_runtime", lambda data: (counts.append(len(data)), opening(data))[1])
    exe = tc.compile(probed(), "onnx")
    one, other = exe.start(batch=2), exe.start(batch=3)
    for session in (one, other):
        session.run(3, {"x": np.ones((session.batch, 3))})
    assert len(counts) == 1
    one.step({"x": np.ones((2, 3))})
    other.step({"x": np.ones((3, 3))})
    assert len(counts) == 2, "a single tick has a file without the loop"
