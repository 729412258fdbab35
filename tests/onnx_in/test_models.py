"""Models with an open batch against onnxruntime: every sample is what the model gives for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper
from onnx_in.cases import INT, RNG, B, F, model, node, runtime, saved

import thermoc as tc
from thermoc.frontends.onnx.read import read_onnx
from thermoc.ir.feed import feed
from thermoc.ir.reference.interpreter import interpret

pytest.importorskip("onnxruntime")


def normal(*shape: int) -> NDArray:
    return RNG.normal(size=shape).astype(np.float32)


def same(made: Any, folder: Path, feeds: dict[str, NDArray], atol: float = 2e-6, **options: Any) -> tuple:
    """Hold the reference against onnxruntime; return the graph and what was assumed."""
    path = saved(made, folder)
    graph, notes = read_onnx(path, **options)
    trace = interpret(graph, feed(graph, {k: v for k, v in feeds.items() if k not in options.get("fixed", {})}))
    for port, want in zip(made.graph.output, runtime(path, feeds)):
        got = trace.outputs[port.name][0]
        assert got.shape == want.shape
        np.testing.assert_allclose(got, want, atol=atol, rtol=1e-5)
    return graph, notes


def test_a_perceptron(tmp_path: Path):
    arrays = {"W": normal(8, 5), "b": normal(8), "V": normal(8, 3)}
    nodes = [
        node("Gemm", ["x", "W", "b"], ["h"], transB=1),
        node("Relu", ["h"], ["r"]),
        node("MatMul", ["r", "V"], ["z"]),
        node("Softmax", ["z"], ["y"]),
    ]
    made = model(nodes, [("x", F, ["N", 5])], [("y", F, ["N", 3])], arrays)
    graph, notes = same(made, tmp_path, {"x": normal(7, 5)})
    assert graph.inputs["x"].shape == (5,) and not notes


def test_an_image_network_flattened_by_its_own_shape(tmp_path: Path):
    """Shape, Gather and Concat make the shape that Reshape is given, as exporters write it."""
    arrays = {"W": normal(4, 3, 3, 3), "b": normal(4), "V": normal(36, 2), "zero": np.array(0), "rest": np.array([-1])}
    nodes = [
        node("Conv", ["x", "W", "b"], ["c"], pads=[1, 1, 1, 1], strides=[2, 2]),
        node("BatchNormalization", ["c", "b", "b", "b", "v"], ["n"]),
        node("MaxPool", ["n"], ["p"], kernel_shape=[2, 2], strides=[1, 1]),
        node("Shape", ["p"], ["s"]),
        node("Gather", ["s", "zero"], ["n0"]),
        node("Unsqueeze", ["n0", "first"], ["n1"]),
        node("Concat", ["n1", "rest"], ["to"], axis=0),
        node("Reshape", ["p", "to"], ["f"]),
        node("MatMul", ["f", "V"], ["y"]),
    ]
    arrays |= {"v": np.abs(normal(4)) + 1, "first": np.array([0])}
    made = model(nodes, [("x", F, ["N", 3, 8, 8])], [("y", F, ["N", 2])], arrays)
    same(made, tmp_path, {"x": normal(3, 3, 8, 8)})


def test_attention_over_an_open_batch(tmp_path: Path):
    """Heads are split and joined by reshapes of which the batch is one axis; the mask holds -inf."""
    arrays = {name: normal(8, 8) for name in ("Q", "K", "V")}
    mask = np.where(np.tri(6, dtype=bool), 0, -np.inf).astype(np.float32)
    arrays |= {"heads": np.array([0, 6, 2, 4]), "back": np.array([0, 6, 8]), "mask": mask, "half": np.float32(0.5)}
    nodes = [node("MatMul", ["x", name], [name.lower()]) for name in "QKV"]
    nodes += [node("Reshape", [name, "heads"], [name + "h"]) for name in "qkv"]
    nodes += [
        node("Transpose", ["qh"], ["qt"], perm=[0, 2, 1, 3]),
        node("Transpose", ["kh"], ["kt"], perm=[0, 2, 3, 1]),
        node("Transpose", ["vh"], ["vt"], perm=[0, 2, 1, 3]),
        node("MatMul", ["qt", "kt"], ["s0"]),
        node("Mul", ["s0", "half"], ["s1"]),
        node("Add", ["s1", "mask"], ["s2"]),
        node("Softmax", ["s2"], ["p"], axis=-1),
        node("MatMul", ["p", "vt"], ["o"]),
        node("Transpose", ["o"], ["ot"], perm=[0, 2, 1, 3]),
        node("Reshape", ["ot", "back"], ["y"]),
    ]
    made = model(nodes, [("x", F, ["N", 6, 8])], [("y", F, ["N", 6, 8])], arrays)
    same(made, tmp_path, {"x": normal(3, 6, 8)})


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_recurrence_with_the_batch_in_the_middle(kind: str, tmp_path: Path):
    gates = {"RNN": 1, "GRU": 3, "LSTM": 4}[kind]
    arrays = {"W": normal(2, gates * 4, 3), "R": normal(2, gates * 4, 4), "b": normal(2, gates * 8)}
    nodes = [
        node("Transpose", ["x"], ["t"], perm=[1, 0, 2]),
        node(kind, ["t", "W", "R", "b"], ["y", "h"], hidden_size=4, direction="bidirectional"),
        node("Transpose", ["h"], ["z"], perm=[1, 0, 2]),
    ]
    made = model(nodes, [("x", F, ["N", 5, 3])], [("z", F, ["N", 2, 4])], arrays)
    same(made, tmp_path, {"x": normal(4, 5, 3)})


def test_quantised_by_the_standards_rounding(tmp_path: Path):
    """Halves go to the even neighbour, and what is out of range stays at its end: equal in every integer."""
    x = np.array([[0.5, 1.5, 2.5, -0.5, -1.5, 127.5, 1e6, -1e6]], np.float32)
    W = RNG.integers(-128, 128, (8, 4)).astype(np.int8)
    arrays = {"one": np.float32(1.0), "z": np.int8(3), "W": W, "k": np.float32(0.01), "none": np.int8(0)}
    nodes = [
        node("QuantizeLinear", ["x", "one", "z"], ["q"]),
        node("DequantizeLinear", ["q", "one", "z"], ["d"]),
        node("DequantizeLinear", ["W", "k", "none"], ["w"]),
        node("MatMul", ["d", "w"], ["y"]),
    ]
    made = model(nodes, [("x", F, ["N", 8])], [("q", TensorProto.INT8, ["N", 8]), ("y", F, ["N", 4])], arrays)
    graph, _ = same(made, tmp_path, {"x": x}, atol=1e-4)
    q = interpret(graph, feed(graph, {"x": x})).outputs["q"][0, 0]
    assert q.tolist() == [3, 5, 5, 3, 1, 127, 127, -128]


def test_names_that_no_network_has_are_changed_and_noted(tmp_path: Path):
    """torch's own numbers, and slashes; a name that is legal stays."""
    made = model(
        [node("Sub", ["0", "n0"], ["/y:0"])], [("0", F, ["N", 2]), ("n0", F, ["N", 2])], [("/y:0", F, ["N", 2])]
    )
    graph, notes = read_onnx(saved(made, tmp_path))
    assert list(graph.inputs) == ["n0_1", "n0"] and list(graph.outputs) == ["_y_0"]
    assert [note.code for note in notes] == ["W501", "W501"] and "'0' is called 'n0_1'" in notes[0].what


def test_a_gather_at_computed_places(tmp_path: Path):
    made = model(
        [node("Gather", ["E", "i"], ["y"])], [("i", INT, ["N", 4])], [("y", F, ["N", 4, 3])], {"E": normal(9, 3)}
    )
    same(made, tmp_path, {"i": np.array([[0, 8, -1, 3], [4, 4, -9, 1]])})


def test_infinite_and_undefined_numbers_are_told_apart(tmp_path: Path):
    nodes = [
        node("Log", ["x"], ["l"]),
        node("IsInf", ["l"], ["i"]),
        node("IsInf", ["l"], ["p"], detect_negative=0),
        node("IsNaN", ["l"], ["n"]),
    ]
    outputs = [(name, B, ["N", 3]) for name in "ipn"]
    same(model(nodes, [("x", F, ["N", 3])], outputs), tmp_path, {"x": np.array([[0.0, -1.0, 2.0]], np.float32)})


@pytest.mark.parametrize("function", ["Erf", "Atan", "Asin", "Asinh", "Sinh", "Softplus", "Gelu"])
def test_functions_without_an_op_are_exact_to_a_few_roundings(function: str):
    """Of float64 against SciPy: 4e-15 relative to 1 or to the value."""
    from scipy import special

    exact = {
        "Erf": special.erf,
        "Atan": np.arctan,
        "Asin": np.arcsin,
        "Asinh": np.arcsinh,
        "Sinh": np.sinh,
        "Softplus": lambda x: np.logaddexp(0, x),
        "Gelu": lambda x: x * special.ndtr(x),
    }[function]
    from thermoc.frontends.onnx.read import from_model

    double = TensorProto.DOUBLE
    made = model([node(function, ["x"], ["y"])], [("x", double, ["N"])], [("y", double, ["N"])], opset=22)
    graph, _ = from_model(made, "m.onnx")
    x = np.linspace(-1, 1, 2001) if function == "Asin" else np.linspace(-8, 8, 4001)
    got = interpret(graph, feed(graph, {"x": x})).outputs["y"][0]
    assert np.max(np.abs(got - exact(x)) / np.maximum(1, np.abs(exact(x)))) < 4e-15


def test_a_branch_that_is_computed_is_chosen_for_each_sample(tmp_path: Path):
    def branch(name: str, op: str) -> Any:
        return helper.make_graph([node(op, ["x"], [name])], name, [], [helper.make_tensor_value_info(name, F, [3])])

    nodes = [
        node("ReduceSum", ["x"], ["s"], keepdims=0),
        node("Greater", ["s", "zero"], ["c"]),
        node("If", ["c"], ["y"], then_branch=branch("a", "Exp"), else_branch=branch("b", "Neg")),
    ]
    made = model(nodes, [("x", F, [3])], [("y", F, [3])], {"zero": np.float32(0)})
    graph, _ = read_onnx(saved(made, tmp_path))
    x = np.array([[1.0, 0, 0], [-1.0, 0, 0]], np.float32)
    got = interpret(graph, feed(graph, {"x": x})).outputs["y"][0]
    np.testing.assert_allclose(got, [np.exp(x[0]), -x[1]], rtol=1e-6)


def test_functions_of_the_model_are_written_out(tmp_path: Path):
    body = [node("Mul", ["a", "a"], ["b"]), node("Add", ["b", "a"], ["c"])]
    opsets = [helper.make_opsetid("", 18)]
    function = helper.make_function("mine", "square_plus", ["a"], ["c"], body, opsets)
    made = model([node("square_plus", ["x"], ["y"], domain="mine")], [("x", F, ["N", 3])], [("y", F, ["N", 3])])
    made.functions.append(function)
    made.opset_import.append(helper.make_opsetid("mine", 1))
    same(made, tmp_path, {"x": normal(2, 3)})


def test_the_length_of_a_sequence_is_given(tmp_path: Path):
    nodes = [node("CumSum", ["x", "one"], ["y"])]
    made = model(nodes, [("x", F, ["N", "T"])], [("y", F, ["N", "T"])], {"one": np.array(1)})
    with pytest.raises(tc.ThermocError, match="sizes="):
        read_onnx(saved(made, tmp_path))
    same(made, tmp_path, {"x": normal(2, 6)}, sizes={"T": 6})


def test_numbers_beside_the_model_are_read(tmp_path: Path):
    W = normal(3, 4)
    made = model([node("MatMul", ["x", "W"], ["y"])], [("x", F, ["N", 3])], [("y", F, ["N", 4])], {"W": W})
    (tmp_path / "weights.bin").write_bytes(bytes(16) + W.tobytes())
    _external(made, location="weights.bin", offset="16", length=str(W.nbytes))
    same(made, tmp_path, {"x": normal(2, 3)})


def _external(made: Any, **where: str) -> None:
    item = made.graph.initializer[0]
    item.ClearField("raw_data")
    item.data_location = TensorProto.EXTERNAL
    for key, value in where.items():
        item.external_data.add(key=key, value=value)


@pytest.mark.slow
def test_a_model_runs_on_every_target_alike(tmp_path: Path):
    arrays = {"W": normal(8, 5), "V": normal(8, 3)}
    nodes = [node("Gemm", ["x", "W"], ["h"], transB=1), node("Gelu", ["h"], ["g"]), node("MatMul", ["g", "V"], ["y"])]
    path = saved(model(nodes, [("x", F, ["N", 5])], [("y", F, ["N", 3])], arrays, opset=20), tmp_path)
    net, x = tc.load(path), normal(4, 5)
    want = runtime(path, {"x": x})[0]
    for target in ("onnx", "sim"):
        np.testing.assert_allclose(tc.compile(net, target).run({"x": x})["y"][0], want, atol=2e-6)
