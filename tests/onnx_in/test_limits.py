"""What an ONNX file asks for and is refused: by a coded error that names the place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper
from onnx_in.cases import INT, F, model, node, saved

import thermoc as tc
from thermoc.frontends.onnx import control
from thermoc.support.errors import ThermocError

X, Y = [("x", F, ["N", 3])], [("y", F, ["N", 3])]


def refused(made: ModelProto | bytes, folder: Path, code: str, *texts: str, **options: Any) -> str:
    path = folder / "m.onnx"
    path.write_bytes(made if isinstance(made, bytes) else made.SerializeToString())
    with pytest.raises(ThermocError) as caught:
        tc.load(path, **options)
    assert caught.value.code == code, str(caught.value)
    for text in ("m.onnx", *texts):
        assert text in str(caught.value), str(caught.value)
    return str(caught.value)


def test_a_custom_domain(tmp_path: Path):
    made = model([node("Warp", ["x"], ["y"], domain="com.example", name="w")], X, Y)
    made.opset_import.append(helper.make_opsetid("com.example", 1))
    refused(made, tmp_path, "T507", "node 'w'", "com.example")


def test_an_operator_that_is_not_read(tmp_path: Path):
    refused(
        model([node("Det", ["x"], ["y"], name="d")], X, Y),
        tmp_path,
        "T507",
        "node 'd'",
        "Det: the operator is not read",
    )


def test_an_operator_that_the_standard_lacks(tmp_path: Path):
    refused(model([node("Warp", ["x"], ["y"], name="w")], X, Y), tmp_path, "T507", "node 'w'", "opset 18")


def _function(name: str, calls: str) -> Any:
    body = [node(calls, ["a"], ["b"], domain="f")]
    return helper.make_function("f", name, ["a"], ["b"], body, [helper.make_opsetid("f", 1)])


def _calling(*functions: Any, name: str) -> ModelProto:
    made = model([node(name, ["x"], ["y"], domain="f")], X, Y)
    made.functions.extend(functions)
    made.opset_import.append(helper.make_opsetid("f", 1))
    return made


def test_functions_in_a_cycle(tmp_path: Path):
    made = _calling(_function("a", "b"), _function("b", "a"), name="a")
    refused(made, tmp_path, "T507", "a -> b -> a")


def test_functions_that_double_at_every_level(tmp_path: Path):
    """2^40 nodes of a few hundred bytes: counted, never written out."""
    doubling = [
        helper.make_function(
            "f",
            f"d{i}",
            ["a"],
            ["c"],
            [node(f"d{i + 1}", ["a"], ["b"], domain="f"), node(f"d{i + 1}", ["b"], ["c"], domain="f")],
            [helper.make_opsetid("f", 1)],
        )
        for i in range(40)
    ]
    last = helper.make_function("f", "d40", ["a"], ["b"], [node("Neg", ["a"], ["b"])], [helper.make_opsetid("", 18)])
    refused(_calling(*doubling, last, name="d0"), tmp_path, "T504", "1000000 nodes")


def _weighted() -> ModelProto:
    return model([node("Add", ["x", "W"], ["y"])], X, Y, {"W": np.zeros(3, np.float32)})


def _external(made: ModelProto, **where: str) -> ModelProto:
    item = made.graph.initializer[0]
    item.ClearField("raw_data")
    item.data_location = TensorProto.EXTERNAL
    for key, value in where.items():
        item.external_data.add(key=key, value=value)
    return made


@pytest.mark.parametrize("location", ["../secret.bin", "/etc/passwd", "a/../../secret.bin", ""])
def test_numbers_outside_the_models_folder(location: str, tmp_path: Path):
    (tmp_path / "secret.bin").write_bytes(bytes(12))
    inner = tmp_path / "inner"
    inner.mkdir()
    refused(_external(_weighted(), location=location), inner, "T507", "initializer 'W'", "outside the model's folder")


def test_a_link_that_leads_out_of_the_models_folder(tmp_path: Path):
    (tmp_path / "secret.bin").write_bytes(bytes(12))
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "w.bin").symlink_to(tmp_path / "secret.bin")
    refused(_external(_weighted(), location="w.bin"), inner, "T507", "outside the model's folder")


def test_numbers_that_are_missing_or_too_few(tmp_path: Path):
    refused(_external(_weighted(), location="w.bin"), tmp_path, "T501", "initializer 'W'", "w.bin")
    (tmp_path / "w.bin").write_bytes(bytes(11))
    refused(_external(_weighted(), location="w.bin"), tmp_path, "T508", "it needs 12 bytes")


def test_an_array_that_claims_two_gigabytes(tmp_path: Path):
    made = _weighted()
    made.graph.initializer[0].dims[:] = [2**29]
    refused(made, tmp_path, "T508", "initializer 'W'", "the file holds 12")
    made.graph.initializer[0].dims[:] = [2**20, 2**30]
    refused(made, tmp_path, "T504", "initializer 'W'")


def test_a_file_that_is_cut_or_claims_more_than_it_has(tmp_path: Path):
    data = _weighted().SerializeToString()
    refused(data[:-5], tmp_path, "T502")
    refused(b"\x3a\xff\xff\xff\xff\x07" + data, tmp_path, "T502")  # a graph of 2 GiB
    refused(b"", tmp_path, "T502")
    refused(b"PK\x03\x04" + bytes(100), tmp_path, "T502")


def test_a_constant_of_any_shape_is_not_made(tmp_path: Path):
    nodes = [node("ConstantOfShape", ["s"], ["c"], name="big"), node("ReduceSum", ["c"], ["y"], keepdims=0)]
    made = model(nodes, X, [("y", F, [])], {"s": np.array([2**20, 2**20])})
    refused(made, tmp_path, "T504", "node 'big'")
    nodes = [node("Tile", ["x", "r"], ["y"], name="big")]
    refused(model(nodes, X, Y, {"r": np.array([1, 2**40])}), tmp_path, "T504", "node 'big'")
    nodes = [node("Range", ["a", "b", "c"], ["y"], name="big")]
    bounds = {"a": np.int64(0), "b": np.int64(2**60), "c": np.int64(1)}
    refused(model(nodes, X, [("y", INT, [None])], bounds), tmp_path, "T504", "node 'big'")


def test_a_product_of_constants_is_not_made(tmp_path: Path):
    """Two vectors of 8 MB whose sums of pairs would be 32 TB."""
    arrays = {"a": np.zeros((2**21, 1), np.float32), "b": np.zeros((1, 2**21), np.float32)}
    refused(model([node("Add", ["a", "b"], ["y"], name="big")], X, Y, arrays), tmp_path, "T504", "node 'big'")


def test_a_loop_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(control, "MOST_ROUNDS", 50)
    body = helper.make_graph(
        [node("Identity", ["c"], ["d"]), node("Neg", ["v"], ["w"])],
        "body",
        [helper.make_tensor_value_info(n, t, []) for n, t in (("i", INT), ("c", TensorProto.BOOL), ("v", F))],
        [helper.make_tensor_value_info(n, t, []) for n, t in (("d", TensorProto.BOOL), ("w", F))],
    )
    nodes = [node("Loop", ["m", "t", "x"], ["y"], body=body, name="l")]
    refused(model(nodes, X, Y, {"m": np.int64(2**62), "t": np.bool_(True)}), tmp_path, "T504", "the limit is 50")
    nodes[0].input[0] = "n"
    made = model(nodes, [*X, ("n", INT, [])], Y, {"t": np.bool_(True)})
    refused(made, tmp_path, "T508", "node 'l'", "the number of rounds must be known")


def test_what_mixes_the_samples_of_a_batch(tmp_path: Path):
    for nodes in (
        [node("ReduceSum", ["x", "zero"], ["y"], name="n")],
        [node("Softmax", ["x"], ["y"], axis=0, name="n")],
        [node("Transpose", ["x"], ["t"]), node("MatMul", ["t", "x"], ["y"], name="n")],
        [node("Transpose", ["x"], ["t"]), node("Reshape", ["t", "to"], ["y"], name="n")],
    ):
        made = model(nodes, X, [("y", F, None)], {"zero": np.array([0]), "to": np.array([-1])})
        refused(made, tmp_path, "T508", "node 'n'")


def test_numbers_made_of_the_length_of_the_batch(tmp_path: Path):
    """A mean over the batch by hand: x times 1 / N."""
    nodes = [
        node("Shape", ["x"], ["s"]),
        node("Cast", ["s"], ["f"], to=F),
        node("ReduceProd", ["f"], ["p"], keepdims=0),
        node("Div", ["x", "p"], ["y"], name="n"),
    ]
    refused(model(nodes, X, Y), tmp_path, "T508", "node 'n'", "depend on the length of the batch")


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        ({"fixed": {"z": 1}}, "T303", "'z'"),
        ({"sizes": {"N": -3}}, "T303", "-3"),
        ({"sizes": {"M": 3}}, "T303", "'M'"),
        ({"batch": "M"}, "T303", "'M'"),
        ({"fixed": {"x": "text"}}, "T303", "'x'"),
        ({"dt": -1.0}, "T303", "dt"),
    ],
)
def test_options_that_say_nothing(options: Any, code: str, text: str, tmp_path: Path):
    made = model([node("Neg", ["x"], ["y"])], X, Y)
    path = saved(made, tmp_path)
    with pytest.raises(ThermocError) as caught:
        tc.load(path, **options)
    assert caught.value.code == code and text in str(caught.value)


def test_a_newer_opset(tmp_path: Path):
    refused(model([node("Neg", ["x"], ["y"])], X, Y, opset=999), tmp_path, "T503", "999")


def test_nodes_out_of_order(tmp_path: Path):
    nodes = [node("Neg", ["h"], ["y"], name="n"), node("Abs", ["x"], ["h"])]
    refused(model(nodes, X, Y), tmp_path, "T508", "node 'n'", "'h'")
