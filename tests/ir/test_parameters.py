"""Parameters of a graph: names, files, what is computed of them alone, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thermoc as tc
from thermoc.ir.dialects.core import Constant, Parameter
from thermoc.ir.parameters import GROWTH, ParameterCone, frozen, with_parameters
from thermoc.ir.parser import parse_graph
from thermoc.support.bundle import read_bundle
from thermoc.support.errors import ThermocError

W, B = np.arange(6.0).reshape(2, 3), np.array([0.5, -0.5])


def layer() -> tc.Network:
    with tc.Network("layer") as net:
        x = tc.input("x", (3,))
        y = tc.affine(x, tc.parameter("W", W), -tc.parameter("b", B, trainable=False))
        tc.output("y", y / tc.parameter("T", 2.0, role="temperature"))
    return net


def test_parameters_are_listed_by_name():
    graph = layer().graph
    assert list(graph.parameters) == ["W", "b", "T"]
    assert graph.parameters["W"].trainable and not graph.parameters["b"].trainable
    assert graph.parameters["T"].y.role == "temperature"
    assert not isinstance(graph.parameters["W"], Constant)


def test_text_and_file_round_trip(tmp_path: Path):
    net = layer()
    assert parse_graph(str(net.graph)) == net.graph
    net.save(tmp_path / "layer.thermo")
    assert tc.load(tmp_path / "layer.thermo").graph == net.graph
    tensors = read_bundle(tmp_path / "layer.thermo", kind="thermoc graph", version=2).arrays
    assert {"W", "b", "T"} <= tensors.keys()
    np.testing.assert_array_equal(tensors["W"], W)


def test_no_constant_takes_the_name_of_a_parameter_in_a_file(tmp_path: Path):
    with tc.Network("names") as net:
        c = tc.constant([1.0, 2.0], name="c")
        tc.output("y", c * tc.parameter("c.value", [3.0, 4.0]))
    net.save(tmp_path / "names.thermo")
    assert tc.load(tmp_path / "names.thermo").graph == net.graph


def test_hash_follows_the_numbers():
    net = layer()
    assert net.with_parameters({"W": W}).graph.hash == net.graph.hash
    assert net.with_parameters({"W": W + 1}).graph.hash != net.graph.hash


def test_two_parameters_of_one_name_are_refused():
    with pytest.raises(ThermocError) as caught, tc.Network("twice"):
        tc.parameter("W", W)
        tc.parameter("W", W)
    assert caught.value.code == "T102"


def test_the_cone_holds_what_depends_on_parameters_alone():
    graph = layer().graph
    cone = ParameterCone(graph)
    assert [op.opname for op in cone.ops] == ["core.parameter", "core.parameter", "core.neg", "core.parameter"]
    values = cone.values({"b": np.array([1.0, 2.0])})
    assert sorted(map(cone.title, values)) == ["%neg", "T", "W"]
    np.testing.assert_array_equal(values["neg"], [-1.0, -2.0])


def test_the_cone_blows_nothing_up():
    with tc.Network("wide") as net:
        wide = tc.broadcast(tc.parameter("a", 1.0), shape=(GROWTH + 2,))
        tc.output("y", tc.input("x", (GROWTH + 2,)) * wide)
    assert [op.opname for op in ParameterCone(net.graph).ops] == ["core.parameter"]


def test_frozen_parameters_are_constants():
    graph = layer().graph
    assert not frozen(graph).parameters
    assert list(frozen(graph, ["W"]).parameters) == ["b", "T"]
    assert len(frozen(graph).of(Constant)) == 3
    assert with_parameters(graph, {"other": W}) == graph


@pytest.mark.parametrize(
    "given, text",
    [
        ({"W1": W}, "did you mean 'W'"),
        ({"W": W.T}, r"has shape \[3, 2\]"),
        ({"W": W * np.nan}, r"W\[0, 0\] = nan"),
        ({"W": W + 0j}, "is complex128"),
        ({"W": [[1.0], [2.0, 3.0]]}, "is not a regular array"),
        ({"W": "weights"}, "another shape"),
        ([W], "a list was given"),
        (0, "an? int was given"),
        ({"count": [1.5, 2.0]}, "is float64"),
        ({"count": [2**40, 0]}, r"count\[0\] = 1099511627776"),
    ],
)
def test_values_that_do_not_fit_are_refused(given: Any, text: str):
    with tc.Network("two") as net:
        W_, count = tc.parameter("W", W), tc.parameter("count", [1, 2], dtype="i32")
        tc.output("y", tc.affine(tc.input("x", (3,)), W_) * tc.cast(count, dtype="f64"))
    exe = tc.compile(net, "sim")

    def run(parameters: Any) -> Any:
        return exe.run({"x": np.ones((1, 3))}, parameters=parameters)

    for call in (net.with_parameters, exe.with_parameters, run):
        with pytest.raises(ThermocError, match=text) as caught:
            call(given)
        assert caught.value.code == "T418"


def test_integers_go_into_floats():
    net = layer().with_parameters({"W": np.ones((2, 3), int)})
    assert net.parameters["W"].dtype == float


def test_every_finding_is_said_at_once():
    with pytest.raises(ThermocError) as caught:
        layer().with_parameters({"U": 1, "W": 2, "b": np.inf * B})
    assert [finding.code for finding in caught.value.findings] == ["T418"] * 3


def test_a_temperature_stays_positive():
    with tc.Network("hot") as net:
        tc.output("p", tc.boltzmann(tc.input("x", (3,)), tc.parameter("T", 1.0)))
    with pytest.raises(ThermocError, match="must be > 0") as caught:
        tc.compile(net, "sim").with_parameters({"T": -1.0})
    assert caught.value.code == "T108"


def test_parameters_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        layer().parameters["W"][0, 0] = 1


def test_layers_name_their_arrays():
    with tc.Network("layers") as net:
        x = tc.input("x", (3,))
        h = tc.layers.feed_forward(x, W, B, T=0.1)
        h = tc.layers.recurrent(h, np.eye(2), np.eye(2), T=0.1)
        h = tc.layers.feed_forward(h, np.eye(2), T=0.1, name="out")
        tokens = tc.reshape(h, shape=(2, 1))
        tc.output("y", tc.layers.attention(tokens, np.eye(1), np.eye(1), np.eye(1), T=1.0))
    names = ["layer0.W", "layer0.b", "layer1.W", "layer1.U", "out.W", "layer2.V", "layer2.Q", "layer2.K"]
    assert list(net.graph.parameters) == names


def test_plain_ops_take_arrays_as_constants():
    with tc.Network("plain") as net:
        tc.output("y", tc.affine(tc.input("x", (3,)), W, B))
    assert not net.graph.of(Parameter)
