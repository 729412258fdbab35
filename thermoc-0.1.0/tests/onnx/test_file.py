"""The file itself: what is in it, and what it refuses to hold."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import numpy as np
import onnx
import pytest

import thermoc as tc
from thermoc.backends.onnx import target
from thermoc.ir.target import Limit
from thermoc.support.errors import ThermocError


def network(weight: Any = 0.5) -> tc.Network:
    with tc.Network("small", dt=0.25) as net:
        x = tc.input("x", (3,), role="energy")
        m = tc.memory(tc.affine(x, np.full((3, 3), weight), np.ones(3)), T=0.5, name="m")
        tc.output("p", tc.boltzmann(m, T=0.5))
    return net


def nodes(graph: onnx.GraphProto) -> list[onnx.NodeProto]:
    inner = [node for n in graph.node for a in n.attribute if a.HasField("g") for node in nodes(a.g)]
    return [*graph.node, *inner]


def test_noise_is_no_random_operator():
    kinds = {node.op_type for node in nodes(tc.compile(network(), "onnx").artefact.model.graph)}
    assert not {kind for kind in kinds if kind.startswith(("Random", "Multinomial", "Bernoulli"))}
    assert {"Mul", "BitShift", "BitwiseXor", "BitwiseAnd"} <= kinds


def test_what_no_tick_changes_is_computed_before_the_loop():
    """Of the generator's products only those with the words of the tick are left inside."""
    graph = tc.compile(network(), "onnx").artefact.model.graph
    (loop,) = [node for node in graph.node if node.op_type == "Loop"]
    inside = [node.op_type for node in nodes(loop.attribute[0].g)]
    assert "Range" not in inside
    assert inside.count("Cast") == 3  # the tick, and two words to floats
    assert inside.count("Gemm") == 1


def test_metadata_says_what_the_file_is():
    exe = tc.compile(network(), "onnx")
    properties = {entry.key: entry.value for entry in exe.artefact.model.metadata_props}
    assert properties["thermoc.version"] == tc.__version__
    assert properties["thermoc.graph_hash"] == exe.graph.hash
    assert "Philox4x32-10" in properties["thermoc.seed_convention"]
    assert json.loads(properties["thermoc.units"])["dt"] == 0.25
    face = json.loads(properties["thermoc.interface"])
    assert face["mode"] == "run"
    x = {"name": "x", "tensor": "x", "shape": [3], "dtype": "f32", "role": "energy"}
    assert face["inputs"] == [x]
    assert [(s["name"], s["shape"]) for s in face["states"]] == [("m.buffer", [1, 3])]
    names = {port.name for port in exe.artefact.model.graph.input}
    assert names == {"x", "m.buffer", *face["controls"].values()}


def test_the_same_network_gives_the_same_bytes():
    assert tc.compile(network(), "onnx").artefact.to_bytes() == tc.compile(network(), "onnx").artefact.to_bytes()


def test_save_writes_what_onnx_loads(tmp_path):
    exe = tc.compile(network(), "onnx")
    size = exe.save(tmp_path / "small.onnx")
    assert (tmp_path / "small.onnx").stat().st_size == size
    assert onnx.load(tmp_path / "small.onnx") == exe.artefact.model


def code(call: Any) -> tuple[str, str]:
    with pytest.raises(ThermocError) as caught:
        call()
    return caught.value.code, str(caught.value)


@pytest.mark.parametrize("options", [{"precision": "float16"}, {"step": "yes"}, {"optset": 18}])
def test_bad_options_are_refused(options: dict[str, Any]):
    assert code(lambda: tc.compile(network(), "onnx", **options))[0] == "T303"


def test_what_cannot_be_held_is_refused_by_name_all_at_once():
    with tc.Network("no") as net:
        x, tick = tc.input("x", (2,)), tc.cast(tc.tick(), dtype="f64")
        offsets = tc.broadcast(tc.cast(tick, dtype="i64"), shape=(3,))
        tc.output("late", tc.delay(x, tick, name="late"))
        tc.output("sparse", tc.sparse_affine(x, np.ones(2), np.array([0, 1]), offsets, name="sparse"))
        tc.output("empty", tc.slice(x, starts=(1,), stops=(1,), steps=(1,), name="empty"))
    found, text = code(lambda: tc.compile(net, "onnx").artefact)
    assert found == "T301"
    for op in ("core.delay (%late)", "core.sparse_affine (%sparse)", "core.slice (%empty)"):
        assert f"T301: target 'onnx' cannot hold {op}" in text


def test_a_network_beyond_the_limit_of_a_file_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(target.TARGET.limits, "file", Limit(value=10, unit="bytes", source="this test"))  # type: ignore
    found, text = code(lambda: tc.compile(network(), "onnx").artefact)
    assert found == "T304"
    assert "the limit is 10 (this test)" in text


def test_a_missing_onnxruntime_is_named_with_its_cure(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    found, text = code(lambda: tc.compile(network(), "onnx").run({"x": np.zeros((1, 3))}))
    assert found == "T302"
    assert 'pip install "thermoc[onnx]"' in text


def test_compiling_needs_no_runtime_and_importing_neither():
    script = (
        "import sys, thermoc as tc\n"
        "from thermoc.plugins import backend; backend('onnx').target()\n"
        "assert not {'onnx', 'onnxruntime'} & sys.modules.keys(), 'import'\n"
        "with tc.Network('n') as net: tc.output('y', tc.exp(tc.input('x')))\n"
        "tc.compile(net, 'onnx').artefact.to_bytes()\n"
        "assert 'onnxruntime' not in sys.modules, 'compile'\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
