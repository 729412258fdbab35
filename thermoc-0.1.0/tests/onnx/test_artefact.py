"""The ONNX file as a whole: its layers, a step at a time, one trajectory on every target."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

import thermoc as tc
from thermoc.ir.feed import feed
from thermoc.ir.reference import interpret


def layers() -> tc.Network:
    with tc.Network("layers") as net:
        x = tc.input("x", (3,))
        h = tc.thermal_relu(tc.affine(x, np.arange(12.0).reshape(4, 3), np.ones(4)), T=0.1)
        tc.output("p", tc.boltzmann(-tc.affine(h, np.ones((2, 4))), T=0.5))
    return net


def restless() -> tc.Network:
    """State, noise, a clock and feedback, over inputs."""
    with tc.Network("restless", dt=0.1) as net:
        x = tc.input("x", (3,))
        T = tc.schedule(kind="power", T0=1.0, parameter=0.5, T_min=0.1)
        m = tc.memory(x, T=T, gamma=2.0)
        hole = tc.placeholder((3,), role="spike")
        s, _ = tc.lif(tc.delay(hole, ticks=2) + m, 0.3, v_threshold=0.2)
        tc.connect(hole, s)
        tc.output("m", m)
        tc.output("s", s)
    return net


def session(exe: tc.Executable) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(exe.artefact.to_bytes(), providers=["CPUExecutionProvider"])


def test_layers_are_a_plain_network_with_a_free_batch_and_few_nodes():
    exe = tc.compile(layers(), "onnx")
    model = exe.artefact.model
    assert [node.op_type for node in model.graph.node] == ["Gemm", "Sub", "Relu", "Gemm", "Div", "Softmax"]
    face = session(exe)
    assert [(i.name, i.shape) for i in face.get_inputs()] == [("x", ["batch", 3])]
    assert [(o.name, o.shape) for o in face.get_outputs()] == [("p", ["batch", 2])]
    for batch in (1, 7):
        assert face.run(None, {"x": np.ones((batch, 3), np.float32)})[0].shape == (batch, 2)


@pytest.mark.parametrize("step", [False, True])
@pytest.mark.parametrize("build", [layers, restless])
def test_the_file_is_sound_standard_and_self_contained(build, step: bool):
    model = tc.compile(build(), "onnx", step=step).artefact.model
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, strict_mode=True, check_type=True, data_prop=True)
    assert {opset.domain for opset in model.opset_import} == {""}
    assert not model.functions
    assert not any(tensor.external_data for tensor in model.graph.initializer)
    assert not [node for node in model.graph.node if node.op_type.startswith("Random")]


@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_a_step_at_a_time_is_the_whole_run(precision: str):
    x = np.random.default_rng(0).normal(size=(30, 4, 3))
    whole = tc.compile(restless(), "onnx", precision=precision).run({"x": x}, seed=3)
    steps = tc.compile(restless(), "onnx", precision=precision, step=True).run({"x": x}, seed=3)
    for name in ("m", "s"):
        np.testing.assert_array_equal(steps[name], whole[name])
    assert whole["s"].any()
    assert whole.states.keys() == steps.states.keys()


def test_one_seed_is_one_trajectory_in_reference_simulator_and_onnx():
    """float64: spikes equal for 200 ticks of 12 units; memories to rounding."""
    net = restless()
    x = {"x": np.random.default_rng(2).normal(size=(4, 3))}
    exes = {name: tc.compile(net, name, precision="float64") for name in ("sim", "onnx")}
    runs = {name: exe.run(x, ticks=200, seed=7) for name, exe in exes.items()}
    reference = interpret(net.graph, feed(net.graph, x, ticks=200), seed=7).outputs
    for name, run in runs.items():
        assert np.array_equal(run["s"], reference["s"]), name
        np.testing.assert_allclose(run["m"], reference["m"], rtol=1e-12, atol=1e-13, err_msg=name)
    assert 0.02 < reference["s"].mean() < 0.98


def test_the_saved_file_runs_by_its_own_metadata(tmp_path: Path):
    """As a user without thermoc: onnxruntime alone, optional inputs left out."""
    exe = tc.compile(restless(), "onnx")
    exe.save(tmp_path / "r.onnx")
    face = onnxruntime.InferenceSession(tmp_path / "r.onnx")
    names = [output.name for output in face.get_outputs()]
    found = dict(zip(names, face.run(None, {"x": np.ones((6, 2, 3), np.float32)})))
    expected = exe.run({"x": np.ones((6, 2, 3))}, seed=0)
    assert np.array_equal(found["s"], expected["s"])
