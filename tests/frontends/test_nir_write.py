"""Writing NIR: what is written is read back by us and by the official package; what has no node is refused by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nir
import numpy as np
import pytest
from frontends.models import NETWORKS, RNG, chain, everything, trajectory, written

import thermoc as tc
from thermoc.ir.dialects import core
from thermoc.ir.feed import feed
from thermoc.ir.reference import interpret

X = 2 * RNG.normal(size=(60, 3))


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_comes_back_with_its_trajectory(tmp_path: Path, name: str):
    net = NETWORKS[name]()
    net.save(tmp_path / "a.nir")
    again = tc.load(tmp_path / "a.nir")
    found = trajectory(again, X)
    np.testing.assert_allclose(found, trajectory(net, X), rtol=1e-12, atol=1e-15)
    assert len(np.unique(found)) > 1
    assert (again.name, again.graph.dt) == (name, 1e-3)
    assert set(again.graph.outputs) == set(net.graph.outputs)
    again.save(tmp_path / "b.nir")
    assert tc.load(tmp_path / "b.nir").graph == again.graph
    again.save(tmp_path / "c.nir")
    assert (tmp_path / "b.nir").read_bytes() == (tmp_path / "c.nir").read_bytes()


@pytest.mark.parametrize("name", NETWORKS)
def test_the_official_package_reads_it(tmp_path: Path, name: str):
    net = NETWORKS[name]()
    net.save(tmp_path / "a.nir")
    graph = nir.read(tmp_path / "a.nir")  # checks types and structure
    again = tc.load(written(tmp_path / "b.nir", graph.nodes, graph.edges), dt=1e-3)
    np.testing.assert_array_equal(trajectory(again, X), trajectory(tc.load(tmp_path / "a.nir"), X))


def test_every_node_round_trips(tmp_path: Path):
    """All of NIR 1.0 in one file: read, written, read gives an equal graph, and the official package agrees."""
    net = tc.load(written(tmp_path / "a.nir", *everything()))
    net.save(tmp_path / "b.nir")
    again = tc.load(tmp_path / "b.nir")
    assert again.graph == net.graph
    graph = nir.read(tmp_path / "b.nir")
    kinds = {type(node).__name__ for node in graph.nodes.values()}
    assert len(kinds) == 18  # all but NIRGraph
    given = {"image": RNG.normal(size=(20, 2, 2, 8, 8)), "side": RNG.normal(size=(20, 2, 4))}
    first, second = (interpret(one.graph, feed(one.graph, given)).outputs for one in (net, again))
    for name, expected in first.items():
        np.testing.assert_array_equal(second[name], expected)
        assert len(np.unique(expected)) > 1


def test_the_tick_in_a_cycle_is_not_written_where_reading_puts_it(tmp_path: Path):
    for name, delays in (("two_in_a_ring", 0), ("a_delay_that_reading_would_not_put_there", 1)):
        NETWORKS[name]().save(tmp_path / "a.nir")
        kinds = [type(node).__name__ for node in nir.read(tmp_path / "a.nir").nodes.values()]
        assert kinds.count("Delay") == delays
        assert len(tc.load(tmp_path / "a.nir").graph.of(core.Delay)) == 1


REFUSED: dict[str, tuple[Callable[[Any], Any], str, str]] = {
    "a spin": (lambda x: tc.sample_binary(x, T=1.0, levels="spin"), "thermo.sample_binary", "NIR's own units"),
    "a maximum of noise": (lambda x: tc.maximum(x, tc.noise(T=1.0, shape=(3,))), "core.maximum", "NIR's own units"),
    "tanh": (tc.tanh, "core.tanh", "NIR's own units"),
    "the largest": (lambda x: tc.flatten(tc.pool(tc.reshape(x, shape=(1, 1, 3)), kind="max", window=1)), "core.pool", "it takes the max over 2 axes"),
    "sums over a line": (lambda x: tc.pool(tc.reshape(x, shape=(1, 3)), kind="sum", window=1), "core.pool", "over 1 axes"),
    "a split": (lambda x: tc.reshape(x, shape=(3, 1)), "core.reshape", "from [3] to [3, 1]"),
    "a delay's start": (lambda x: tc.delay(x, 1.0), "core.delay", "initial is not 0"),
    "the membrane": (lambda x: tc.lif(x, 1.0)[1], "spiking.lif", "its result %lif.v is read"),
    "a bias": (lambda x: x + 1.0, "core.add", "b is a constant"),
    "twice": (lambda x: x + x, "core.add", "it adds a value to itself"),
    "a product": (lambda x: x * x, "core.mul", "neither factor is a constant"),
    "a computed weight": (lambda x: tc.scale(x, tc.exp(tc.constant([1.0, 2.0, 3.0]))), "core.exp", ""),
    "a matrix of rows": (lambda x: tc.affine(tc.constant(np.ones((2, 3))) * x, np.ones((1, 3))), "core.affine", "x has shape [2, 3]"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_an_op_without_a_node_is_refused_by_name(tmp_path: Path, name: str):
    build, op, fact = REFUSED[name]
    with tc.Network("n") as net:
        tc.output("y", build(tc.input("input", (3,))))
    with pytest.raises(tc.ThermocError) as caught:
        net.save(tmp_path / "n.nir")
    assert {finding.code for finding in caught.value.findings} == {"T509"}
    assert f"NIR has no node for {op}" in str(caught.value)
    assert fact in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_all_ops_without_a_node_are_named_at_once(tmp_path: Path):
    with tc.Network("n") as net:
        tc.output("y", tc.tanh(tc.exp(tc.input("input", (3,)))))
    with pytest.raises(tc.ThermocError) as caught:
        net.save(tmp_path / "n.nir")
    assert len(caught.value.findings) == 2


@pytest.mark.parametrize(("size", "dilation"), [(2, 1), (4, 1), (2, 3), (3, 1)])
def test_padding_same_is_written_as_it_was_read(tmp_path: Path, size: int, dilation: int):
    """As many places as the input has: uneven at even spans, which only the text can say."""
    for axes in (1, 2):
        weight = RNG.normal(size=(2, 1, *(size,) * axes))
        with tc.Network("n") as net:
            before, span = dilation * (size - 1) // 2, dilation * (size - 1)
            pads = ((before, span - before),) * axes
            x = tc.input("input", (1, *(9,) * axes))
            tc.output("y", tc.conv(x, weight, np.zeros(2), padding=pads, dilation=dilation))
        net.save(tmp_path / "a.nir")
        again = tc.load(tmp_path / "a.nir")
        again.save(tmp_path / "b.nir")
        assert tc.load(tmp_path / "b.nir").graph == again.graph
        image = RNG.normal(size=(2, 1, *(9,) * axes))
        np.testing.assert_array_equal(trajectory(again, image), trajectory(net, image))
        node = nir.read(tmp_path / "a.nir").nodes["conv"]
        assert (node.padding == "same") if span % 2 else np.all(node.padding == before)  # pyright: ignore[reportAttributeAccessIssue]


def test_padding_same_of_strided_windows_means_nothing(tmp_path: Path):
    node = nir.Conv1d(9, np.ones((1, 1, 2)), 2, "same", 1, 1, np.zeros(1))
    with pytest.raises(tc.ThermocError, match="goes with a stride of 1") as caught:
        tc.load(written(tmp_path / "a.nir", *chain(node, shape=(1, 9), out=(1, 9))))
    assert caught.value.code == "T508"


def test_padding_on_one_side_has_no_node(tmp_path: Path):
    with tc.Network("n") as net:
        tc.output("y", tc.conv(tc.input("input", (1, 5)), np.ones((1, 1, 2)), padding=((1, 0),)))
    with pytest.raises(tc.ThermocError, match="not the same on both sides"):
        net.save(tmp_path / "n.nir")


def test_a_missing_folder_and_a_missing_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    net = NETWORKS["units"]()
    with pytest.raises(tc.ThermocError) as caught:
        net.save(tmp_path / "absent" / "n.nir")
    assert caught.value.code == "T505"
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(tc.ThermocError) as caught:
        net.save(tmp_path / "n.nir")
    assert caught.value.code == "T510"
