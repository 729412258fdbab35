"""What NIR lacks stands in metadata: noise, temperature, resets, thresholds, starts; other readers pass over it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import nir
import numpy as np
import pytest

import thermoc as tc
from thermoc.ir.feed import feed
from thermoc.ir.reference import interpret

X = 2 * np.random.default_rng(3).normal(size=(60, 2, 3))


def runs(net: tc.Network, seed: int = 5) -> dict[str, np.ndarray]:
    (name,) = net.graph.inputs
    return dict(interpret(net.graph, feed(net.graph, {name: X}), seed=seed).outputs)


def p_bits(x):
    return tc.sample_binary(tc.affine(x, np.arange(6).reshape(2, 3) / 3, np.ones(2)), T=0.7)


def ornstein_uhlenbeck(x):
    noisy = tc.memory(x, T=0.3, gamma=2.0) + tc.noise(T=np.array([0.1, 0.2, 0.3]), shape=(3,))
    return tc.lif(noisy, 2e-2, reset="subtract", method="euler", v_threshold=0.02)[0]


def cooled(x):
    T = tc.schedule(kind="exponential", T0=2.0, parameter=40e-3, T_min=0.1)
    return tc.delay(tc.fermi_dirac(tc.affine(x, np.eye(3)), T=T)) * 2.0


STOCHASTIC: dict[str, tuple[Callable[[Any], Any], set[str]]] = {
    "p_bits": (p_bits, {"Input", "Affine", "Threshold", "Output"}),
    "ornstein_uhlenbeck": (ornstein_uhlenbeck, {"Input", "LI", "Delay", "LIF", "Output"}),
    "cooled": (cooled, {"Input", "Linear", "Threshold", "Delay", "Scale", "Output"}),
}


def saved(build: Callable[[Any], Any], path: Path) -> tc.Network:
    with tc.Network("net", dt=1e-3) as net:
        tc.output("y", build(tc.input("x", (3,))))
    net.save(path)
    return net


@pytest.mark.parametrize("name", STOCHASTIC)
def test_noise_and_temperature_come_back_whole(tmp_path: Path, name: str):
    build, kinds = STOCHASTIC[name]
    net = saved(build, tmp_path / "a.nir")
    again = tc.load(tmp_path / "a.nir")
    assert again.graph == net.graph and not again.repairs
    np.testing.assert_array_equal(runs(again)["y"], runs(net)["y"])
    assert len(np.unique(runs(net)["y"])) > 1
    # The official package reads it, and keeps what it passes over.
    graph = nir.read(tmp_path / "a.nir")
    assert {type(node).__name__ for node in graph.nodes.values()} == kinds
    nir.write(tmp_path / "b.nir", graph)
    assert tc.load(tmp_path / "b.nir").graph == net.graph


def test_what_others_see_is_the_limit_or_the_mean(tmp_path: Path):
    """An option asks for the nodes: a p-bit is a threshold there."""
    net = saved(p_bits, tmp_path / "a.nir")
    cold = tc.load(tmp_path / "a.nir", reset="value")
    weight, bias = np.arange(6).reshape(2, 3) / 3, np.ones(2)
    np.testing.assert_array_equal(runs(cold)["y"], (X @ weight.T + bias > 0).astype(float))
    assert (runs(cold)["y"] != runs(net)["y"]).any()


def test_nodes_that_were_changed_since_are_read(tmp_path: Path):
    saved(p_bits, tmp_path / "a.nir")
    with h5py.File(tmp_path / "a.nir", "r+") as file:
        file["node/nodes/affine/bias"][...] = [-90.0, 90.0]  # pyright: ignore[reportIndexIssue]
    again = tc.load(tmp_path / "a.nir")
    assert "changed since" in str(again.repairs)
    assert set(runs(again)["y"][..., 0].ravel()) == {0.0} and set(runs(again)["y"][..., 1].ravel()) == {1.0}


@pytest.mark.parametrize(
    "text", ["", "{", "{}", '{"graph": 1, "arrays": {}}', '{"graph": {}, "arrays": {"a": "no/where"}}']
)
def test_a_graph_in_the_metadata_that_is_damaged_is_refused(tmp_path: Path, text: str):
    saved(p_bits, tmp_path / "a.nir")
    with h5py.File(tmp_path / "a.nir", "r+") as file:
        del file["node/metadata/thermoc.graph"]
        file["node/metadata/thermoc.graph"] = text
    with pytest.raises(tc.ThermocError) as caught:
        tc.load(tmp_path / "a.nir")
    assert caught.value.code == "T502"


CONVENTIONS: dict[str, dict[str, Any]] = {
    "subtraction": {"reset": "subtract"},
    "at the threshold": {"compare": "greater_equal"},
    "refractory": {"refractory": 2e-3},
    "a start": {"initial": np.array([0.5, 0.9, -1.0])},
    "all": {"reset": "subtract", "compare": "greater_equal", "refractory": 3e-3, "initial": 0.5},
}


@pytest.mark.parametrize("name", CONVENTIONS)
def test_conventions_of_units_stand_at_their_nodes(tmp_path: Path, name: str):
    def build(x: Any) -> Any:
        first = tc.lif(x, 2e-2, method="euler", v_threshold=0.2, **CONVENTIONS[name])[0]
        return tc.cuba_lif(first * 9.0, 1e-2, 2e-2, method="semi_implicit", v_threshold=0.3, **CONVENTIONS[name])[0]

    net = saved(build, tmp_path / "a.nir")
    again = tc.load(tmp_path / "a.nir")
    assert not again.repairs
    np.testing.assert_array_equal(runs(again)["y"], runs(net)["y"])
    plain = saved(lambda x: tc.lif(x, 2e-2, method="euler", v_threshold=0.2)[0], tmp_path / "b.nir")
    assert (runs(again)["y"] != runs(plain)["y"]).any()
    assert {type(node).__name__ for node in nir.read(tmp_path / "a.nir").nodes.values()} >= {"LIF", "CubaLIF"}


@pytest.mark.parametrize(
    "noted", [{"reset": "sideways"}, {"compare": "less"}, {"refractory": "soon"}, {"refractory": "inf"}]
)
def test_notes_of_other_tools_that_say_nothing_are_passed_over(tmp_path: Path, noted: dict[str, str]):
    net = saved(lambda x: tc.lif(x, 2e-2, method="euler", v_threshold=0.2)[0], tmp_path / "a.nir")
    with h5py.File(tmp_path / "a.nir", "r+") as file:
        for key, text in noted.items():
            file[f"node/nodes/lif/metadata/{key}"] = text
    np.testing.assert_array_equal(runs(tc.load(tmp_path / "a.nir"))["y"], runs(net)["y"])


def test_a_unit_that_is_compared_again(tmp_path: Path):
    """reset='subtract_again' is snnTorch's rule: s = [u - [v > theta] theta > theta], v = u - theta s."""
    saved(lambda x: tc.lif(x, 5e-3, r=9.0, method="euler", v_threshold=0.5)[0], tmp_path / "a.nir")
    found = runs(tc.load(tmp_path / "a.nir", reset="subtract_again"))["y"]
    v, theta, again = np.zeros((2, 3)), 0.5, 0
    for x, s in zip(X, found):
        u = (1 - 0.2) * v + 0.2 * 9.0 * x
        expected = u - (v > theta) * theta > theta
        np.testing.assert_array_equal(s, expected)
        again += int(((v > theta) & (u > theta) & ~expected).sum())
        v = u - theta * expected
    assert again > 0
    with pytest.raises(tc.ThermocError, match="forward steps") as caught:
        tc.load(tmp_path / "a.nir", reset="subtract_again", method="exact")
    assert caught.value.code == "T508"


def test_files_of_every_release_and_nested_graphs():
    """Kinds that the newest release can write are those that are read."""
    from thermoc.frontends.nir.nodes import KINDS, OURS

    released = {name for name in nir.ir.__all__ if isinstance(getattr(nir, name, None), type)} - {"NIRNode", "NIRGraph"}
    assert released == KINDS.keys() - OURS
