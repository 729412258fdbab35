"""Files that thermoc exported are read back as the graph that they were made of, noise included."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnx_in.cases import RNG

import thermoc as tc
from thermoc.frontends.onnx.read import read_onnx
from thermoc.ir.feed import feed
from thermoc.ir.reference.interpreter import interpret

pytest.importorskip("onnxruntime")


def stochastic() -> tc.Network:
    with tc.Network("walk", dt=0.25) as net:
        m = tc.memory(tc.input("x", (3,)), T=0.5, gamma=2.0)
        drive = tc.affine(m, RNG.normal(size=(4, 3)), tc.parameter("bias", RNG.normal(size=4)))
        tc.output("p", tc.sample_binary(drive, T=0.5))
        tc.output("m", m)
        tc.output("late", tc.delay(drive, ticks=3, initial=0.5))
    return net


@pytest.mark.parametrize("precision", ["float32", "float64"])
@pytest.mark.parametrize("step", [False, True])
def test_exported_and_read_it_is_the_same_graph(precision: str, step: bool, tmp_path: Path):
    exe = tc.compile(stochastic(), "onnx", precision=precision, step=step)
    exe.save(tmp_path / "a.onnx")
    graph, notes = read_onnx(tmp_path / "a.onnx")
    assert graph.hash == exe.graph.hash and graph.dt == 0.25 and not notes
    # Exported again it is the same file, to the byte.
    tc.compile(tc.load(tmp_path / "a.onnx"), "onnx", precision=precision, step=step).save(tmp_path / "b.onnx")
    assert (tmp_path / "b.onnx").read_bytes() == (tmp_path / "a.onnx").read_bytes()


def test_one_seed_is_one_trajectory_before_and_after(tmp_path: Path):
    exe = tc.compile(stochastic(), "onnx", precision="float64")
    exe.save(tmp_path / "a.onnx")
    graph, _ = read_onnx(tmp_path / "a.onnx")
    x = RNG.normal(size=(50, 5, 3))
    trace, run = interpret(graph, feed(graph, {"x": x}), seed=9), exe.run({"x": x}, seed=9)
    assert np.array_equal(trace.outputs["p"], run["p"])
    np.testing.assert_allclose(trace.outputs["m"], run["m"], atol=1e-12)


def test_numbers_of_parameters_are_those_in_the_file(tmp_path: Path):
    """Of two parameters that are equal at first, one is changed."""
    with tc.Network("n") as net:
        x = tc.input("x", (4,))
        tc.output("y", tc.tanh(x + tc.parameter("bias", np.ones(4))) * tc.parameter("gain", np.ones(4)))
    tc.compile(net, "onnx").save(tmp_path / "a.onnx")
    proto, fresh = onnx.load(tmp_path / "a.onnx"), np.arange(4, dtype=np.float32)
    (item,) = [item for item in proto.graph.initializer if item.name == "bias"]
    item.CopyFrom(numpy_helper.from_array(fresh, "bias"))
    onnx.save(proto, tmp_path / "b.onnx")
    graph, notes = read_onnx(tmp_path / "b.onnx")
    assert np.array_equal(graph.parameters["bias"].value.numpy, fresh) and not notes
    assert np.array_equal(graph.parameters["gain"].value.numpy, np.ones(4))


def test_a_file_that_was_changed_is_read_by_its_operators(tmp_path: Path):
    with tc.Network("n") as net:
        tc.output("y", tc.tanh(tc.affine(tc.input("x", (3,)), np.eye(3))))
    tc.compile(net, "onnx").save(tmp_path / "a.onnx")
    proto = onnx.load(tmp_path / "a.onnx")
    next(node for node in proto.graph.node if node.op_type == "Tanh").op_type = "Exp"
    onnx.save(proto, tmp_path / "b.onnx")
    graph, notes = read_onnx(tmp_path / "b.onnx")
    assert "changed since" in notes[0].what
    x = np.array([[0.0, 1.0, 2.0]], np.float32)
    np.testing.assert_allclose(interpret(graph, feed(graph, {"x": x})).outputs["y"][0], np.exp(x), rtol=1e-6)


def test_without_its_metadata_a_network_of_layers_is_read_by_its_operators(tmp_path: Path):
    with tc.Network("n") as net:
        h = tc.thermal_relu(tc.affine(tc.input("x", (3,)), RNG.normal(size=(4, 3))), T=0.1)
        tc.output("y", tc.boltzmann(tc.affine(h, RNG.normal(size=(2, 4))), T=0.5))
    exe = tc.compile(net, "onnx")
    exe.save(tmp_path / "a.onnx")
    proto = onnx.load(tmp_path / "a.onnx")
    proto.ClearField("metadata_props")
    onnx.save(proto, tmp_path / "b.onnx")
    graph, _ = read_onnx(tmp_path / "b.onnx")
    x = RNG.normal(size=(6, 3)).astype(np.float32)
    got = interpret(graph, feed(graph, {"x": x})).outputs["y"][0]
    np.testing.assert_allclose(got, exe.run({"x": x})["y"][0], atol=1e-6)


def test_without_its_metadata_noise_is_refused_by_name(tmp_path: Path):
    tc.compile(stochastic(), "onnx", step=True).save(tmp_path / "a.onnx")
    proto = onnx.load(tmp_path / "a.onnx")
    proto.ClearField("metadata_props")
    onnx.save(proto, tmp_path / "b.onnx")
    with pytest.raises(tc.ThermocError) as caught:
        read_onnx(tmp_path / "b.onnx")
    assert caught.value.code in ("T507", "T508") and "node" in str(caught.value)


def test_metadata_that_is_damaged(tmp_path: Path):
    tc.compile(stochastic(), "onnx").save(tmp_path / "a.onnx")
    proto = onnx.load(tmp_path / "a.onnx")
    for item in proto.metadata_props:
        if item.key == "thermoc.graph":
            item.value = item.value.replace('"arrays"', '"arrows"', 1)
    onnx.save(proto, tmp_path / "b.onnx")
    with pytest.raises(tc.ThermocError) as caught:
        read_onnx(tmp_path / "b.onnx")
    assert caught.value.code == "T502"
