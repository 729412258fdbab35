"""Parameters in a file: initializers by name, which a user's own tool exchanges, and inputs that may be left out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper

import thermoc as tc
from thermoc.backends.onnx import run
from thermoc.ir.parameters import frozen

RNG = np.random.default_rng(5)
NEW = {"layer0.W": RNG.normal(size=(4, 3)), "layer0.b": RNG.normal(size=4), "decay": np.array(0.25)}
X = RNG.normal(size=(6, 2, 3))


def network() -> tc.Network:
    """A layer, and a trace whose decay is computed from a parameter: outside the loop, once a call."""
    with tc.Network("layer") as net:
        x = tc.input("x", (3,))
        h = tc.layers.feed_forward(x, RNG.normal(size=(4, 3)), np.zeros(4), T=0.1)
        tc.output("g", tc.trace_step(h, tc.exp(-tc.parameter("decay", 1.0))))
    return net


NET = network()


@pytest.mark.parametrize("options", [{}, {"precision": "float64"}, {"step": True}])
def test_other_values_need_no_other_session(options: dict[str, Any]):
    """What onnxruntime has opened serves both; the numbers are those of a file compiled with the constants."""
    exe = tc.compile(NET, "onnx", **options)
    before = exe.run({"x": X})["g"]
    opened = len(run._OPEN)
    other = exe.with_parameters(NEW)
    found = other.run({"x": X})["g"]
    assert len(run._OPEN) == opened
    expected = tc.compile(frozen(NET.with_parameters(NEW).graph), "onnx", **options).run({"x": X})["g"]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert np.abs(found - before).max() > 0.1
    np.testing.assert_array_equal(exe.run({"x": X})["g"], before)
    again = other.with_parameters(exe.parameters).run({"x": X})["g"]
    np.testing.assert_array_equal(again, before)


def test_a_users_tool_exchanges_initializers(tmp_path: Path):
    tc.compile(NET, "onnx").save(tmp_path / "net.onnx")
    model = onnx.load(tmp_path / "net.onnx")
    held = {item.name: item for item in model.graph.initializer}
    assert NEW.keys() <= held.keys()
    for name, array in NEW.items():
        held[name].CopyFrom(numpy_helper.from_array(array.astype(numpy_helper.to_array(held[name]).dtype), name))
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    found = session.run(["g"], {"x": X.astype(np.float32)})[0]
    np.testing.assert_allclose(found, tc.compile(NET, "onnx").with_parameters(NEW).run({"x": X})["g"], rtol=1e-6)


def test_parameters_are_inputs_that_may_be_left_out(tmp_path: Path):
    exe = tc.compile(NET, "onnx")
    exe.save(tmp_path / "net.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    given = {"x": X.astype(np.float32)}
    np.testing.assert_array_equal(session.run(["g"], given)[0], exe.run({"x": X})["g"])
    formats = {item.name: item.type for item in session.get_overridable_initializers()}
    assert NEW.keys() <= formats.keys()
    new = {name: array.astype(np.float64 if "double" in formats[name] else np.float32) for name, array in NEW.items()}
    found = session.run(["g"], given | new)[0]
    np.testing.assert_array_equal(found, exe.with_parameters(NEW).run({"x": X})["g"])


def test_what_is_saved_holds_the_replaced_values(tmp_path: Path):
    exe = tc.compile(NET, "onnx").with_parameters(NEW)
    exe.save(tmp_path / "net.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "net.onnx")
    found = session.run(["g"], {"x": X.astype(np.float32)})[0]
    np.testing.assert_array_equal(found, exe.run({"x": X})["g"])


def test_cones_stand_outside_the_loop():
    """exp(-decay) is computed once a call: no node of the loop's body is an exponential."""
    graph = tc.compile(NET, "onnx").artefact.model.graph
    (loop,) = [node for node in graph.node if node.op_type == "Loop"]
    assert "Exp" in {node.op_type for node in graph.node}
    assert "Exp" not in {node.op_type for node in loop.attribute[0].g.node}


def test_replaced_values_give_the_file_of_the_network_that_has_them(tmp_path: Path):
    """Its hash too: a session that was saved after parameters were replaced is loaded again."""
    exe = tc.compile(NET, "onnx")
    other = tc.compile(NET.with_parameters(NEW), "onnx")
    assert exe.with_parameters(NEW).artefact.to_bytes() == other.artefact.to_bytes()
    with exe.start(batch=X.shape[1]) as session:
        session.parameters.update(NEW)
        session.run(2, {"x": X[:2]})
        session.save(tmp_path / "net.ckpt")
        expected = session.run(1, {"x": X[:1]})["g"]
    with tc.Session.load(tmp_path / "net.ckpt") as session:
        np.testing.assert_array_equal(session.run(1, {"x": X[:1]})["g"], expected)
