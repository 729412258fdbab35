"""What the official reader refuses is mended, and told; what cannot be mended is refused by name."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import nir
import numpy as np
import pytest
from frontends.models import RNG, chain, cuba, drawn, everything, full, lif, trajectory, written

import thermoc as tc

X = RNG.normal(size=(20, 4))
TEXT = h5py.string_dtype()


def edges(group: h5py.Group, *pairs: tuple[str, str]) -> None:
    del group["edges"]
    group.create_dataset("edges", data=np.array(pairs, object).reshape(-1, 2), dtype=TEXT)


LINE = [("input", "n0"), ("n0", "n1"), ("n1", "output")]


def drop(*names: str) -> Callable[[h5py.Group], None]:
    def change(group: h5py.Group) -> None:
        for name in names:
            del group[name]

    return change


def without_output(g: h5py.Group) -> None:
    drop("nodes/output")(g)
    edges(g, *LINE[:2])


def without_input(g: h5py.Group) -> None:
    drop("nodes/input")(g)
    edges(g, *LINE[1:])


def put(name: str, value: Any) -> Callable[[h5py.Group], None]:
    def change(group: h5py.Group) -> None:
        if name in group:
            del group[name]
        group[name] = value

    return change


def rename(g: h5py.Group) -> None:
    edges(g, ("input", "zero"), ("zero", "n1"), ("n1", "output"))


MENDED: dict[str, tuple[Callable[[h5py.Group], object], str, bool]] = {
    "an edge twice": (lambda g: edges(g, LINE[0], *LINE), "'input' -> 'n0' stands twice", True),
    "an edge to nowhere": (lambda g: edges(g, *LINE, ("n1", "gone"), ("lost", "n1")), "'n1' -> 'gone' is left out: no node 'gone'", True),
    "a node misnamed by edges": (rename, "name a node 'zero' that is not there: 'n0'", True),
    "no output": (without_output, "nothing reads node 'n1': the output 'output' is put behind it", False),
    "no input": (without_input, "node 'n0' reads nothing: the input 'input' is put before it", False),
    "an input without a shape": (drop("nodes/input/shape"), "input 'input' states no shape: [4] follows", True),
    "an output without a shape": (drop("nodes/output/shape"), "", True),
    "an output of another shape": (put("nodes/output/shape", [2, 2]), "output 'output' states shape [2, 2]: it is [4]", True),
    "an input of another shape": (put("nodes/input/shape", [2, 2]), "node 'n0' reads [4], it is given [2, 2]: reshaped", True),
    "an older version": (drop("nodes/n1/v_reset", "nodes/n1/w_in"), "v_reset is 0, w_in is 1", False),
    "a field too many": (put("nodes/n0/colour", 3.0), "node 'n0': fields that Affine does not have are left out", True),
    "a field of a graph too many": (put("colour", 3.0), "graph '(the whole)': fields that NIR does not have are left out", True),
    "one number for all units": (put("nodes/n1/tau_mem", 1e-3), "", True),
    "a unit without a bias": (drop("nodes/n0/bias"), "node 'n0' is an Affine without a bias: a Linear", True),
    "integers": (put("nodes/n1/v_threshold", np.ones(4, np.int32)), "", False),
    "a type in a list": (put("nodes/n0/type", np.array([b"Affine"])), "", False),
    "metadata": (put("nodes/n0/metadata/note", "mine"), "", False),
}  # fmt: skip


def base(path: Path) -> Path:
    """input -> n0, an Affine -> n1, a CubaLIF -> output."""
    unit = cuba(4, w_in=full(1.0, 4))
    return written(path, *chain(nir.Affine(np.eye(4), full(0.0, 4)), unit, shape=(4,), out=(4,)), compression=None)


@pytest.mark.parametrize("name", MENDED)
def test_a_file_is_mended(tmp_path: Path, name: str):
    """The trajectory is that of the sound file; where ``refused``, the official reader raises."""
    change, told, refused = MENDED[name]
    path = base(tmp_path / "a.nir")
    expected = trajectory(tc.load(path), X)
    with h5py.File(path, "r+") as file:
        change(file["node"])  # pyright: ignore[reportArgumentType]
    net = tc.load(path)
    assert any(told in repair.what for repair in net.repairs) or not told, net.repairs
    assert {repair.code for repair in net.repairs} == {"W501"}
    x = X.reshape(-1, *net.graph.inputs["input"].shape)
    np.testing.assert_array_equal(trajectory(net, x).reshape(expected.shape), expected)
    if refused:
        with pytest.raises((ValueError, TypeError, KeyError, AssertionError, AttributeError)):
            nir.read(path)


def test_a_graph_at_the_root_and_without_a_version(tmp_path: Path):
    path = base(tmp_path / "a.nir")
    with h5py.File(path) as file, h5py.File(tmp_path / "b.nir", "w") as other:
        for key in ("nodes", "edges", "type"):
            file.copy(f"node/{key}", other, key)
    found = str(tc.load(tmp_path / "b.nir").repairs)
    assert "at the root of the file" in found
    assert "no version of NIR" in found


def test_a_newer_version_and_more_in_the_file(tmp_path: Path):
    path = base(tmp_path / "a.nir")
    with h5py.File(path, "r+") as file:
        del file["version"]
        file["version"], file["more/x"] = "2.1", 3.0
    whats = [repair.what for repair in tc.load(path).repairs]
    assert "the file is of NIR 2.1: it is read as NIR 1" in whats
    assert "the file: fields that NIR does not have are left out" in whats


def test_an_image_into_a_matrix_is_flattened(tmp_path: Path):
    nodes = chain(nir.AvgPool2d(np.array([1, 1]), np.array([1, 1]), np.array([0, 0])), nir.Linear(drawn(3, 8)), shape=(2, 2, 2), out=(3,))  # fmt: skip
    net = tc.load(written(tmp_path / "a.nir", *nodes))
    x = RNG.normal(size=(2, 2, 2, 2))
    weight = next(op.value.numpy for op in net.graph.ops if op.opname == "core.constant")  # pyright: ignore[reportAttributeAccessIssue]
    np.testing.assert_allclose(trajectory(net, x), x.reshape(2, 8) @ weight.T)
    assert "node 'n1' reads [8], it is given [2, 2, 2]: reshaped" in [repair.what for repair in net.repairs]


def test_names_become_names(tmp_path: Path):
    """Digits first, spaces, and two that become one."""
    nodes = {"in put": nir.Input({"input": np.array([4])}), "0": lif(4), "n0": lif(4), "ä/": lif(4), "end!": nir.Output({"output": np.array([4])})}  # fmt: skip
    del nodes["ä/"]
    path = written(tmp_path / "a.nir", nodes, [("in put", "0"), ("0", "n0"), ("n0", "end!")])
    net = tc.load(path)
    assert [op.results[0].name for op in net.graph.ops if op.opname == "spiking.lif"] == ["n0_1.s", "n0.s"]
    assert (list(net.graph.inputs), list(net.graph.outputs)) == (["in_put"], ["end_"])


@pytest.mark.parametrize("name", ["c", "c_1", "add", "add_1", "placeholder", "delay", "reshape", "mul"])
def test_names_that_the_builder_gives_too(tmp_path: Path, name: str):
    """Two sources that meet, a cycle, constants: all are named while the graph is built."""
    nodes, edges = chain(nir.Linear(drawn(4, 4)), lif(4), nir.Linear(drawn(4, 4)), shape=(4,), out=(4,))
    plain = [*edges, ("n1", "n0"), ("n0", "n2")]
    expected = trajectory(tc.load(written(tmp_path / "a.nir", nodes, plain)), X)
    for old in ("n0", "n1", "n2"):
        named = {name if key == old else key: node for key, node in nodes.items()}
        meets = [tuple(name if end == old else end for end in edge) for edge in plain]
        net = tc.load(written(tmp_path / "b.nir", named, meets))
        np.testing.assert_array_equal(trajectory(net, X), expected)
        assert name in {value.split(".")[0] for value in net.graph.producers}
        net.save(tmp_path / "c.nir")
        assert tc.load(tmp_path / "c.nir").graph == net.graph


def test_names_that_a_units_results_have(tmp_path: Path):
    """A unit ``a`` in a cycle gives ``a.s`` and ``a.before``; so do nodes of these names."""
    nodes, _ = chain(lif(4), shape=(4,), out=(4,))
    nodes |= {"a": nodes.pop("n0"), "a.s": nir.Scale(full(0.5, 4)), "a.before": nir.Scale(full(2.0, 4))}
    rest = [("input", "a"), ("a", "a.s"), ("a.s", "a.before"), ("a.before", "a"), ("a", "output")]
    net = tc.load(written(tmp_path / "a.nir", nodes, rest))
    net.save(tmp_path / "b.nir")
    again = tc.load(tmp_path / "b.nir")
    np.testing.assert_array_equal(trajectory(again, 9 * X), trajectory(net, 9 * X))
    assert again.graph == net.graph
    assert trajectory(net, 9 * X).sum() > 3


REFUSED: dict[str, tuple[Callable[[h5py.Group], object], str, str]] = {
    "a type of no node": (put("nodes/n0/type", "Izhikevich"), "T508", "its type is 'Izhikevich'"),
    "no type": (drop("nodes/n0/type"), "T508", "its type is 'None'"),
    "a missing field": (drop("nodes/n0/weight"), "T508", "Affine needs the field 'weight'"),
    "text for numbers": (put("nodes/n0/weight", "many"), "T508", "weight is the text 'many'"),
    "a group for numbers": (lambda g: (drop("nodes/n0/weight")(g), g.create_group("nodes/n0/weight")), "T508", "weight is no array"),
    "a node that is none": (put("nodes/n2", 1.0), "T508", "it is no group"),
    "edges of numbers": (put("edges", np.ones((2, 2))), "T508", "its edges are not an array of pairs of names"),
    "edges of three": (put("edges", np.array([[b"a", b"b", b"c"]])), "T508", "its edges are not an array of pairs of names"),
    "shapes of halves": (put("nodes/input/shape", np.array([1.5])), "T508", "shape must hold integers"),
    "a shape of nothing": (put("nodes/input/shape", np.array([0])), "T508", "its shape is [0]"),
    "a shape of much": (put("nodes/input/shape", np.array([2**40])), "T504", "the limit is 16777216 elements"),
    "an edge into an input": (lambda g: edges(g, *LINE, ("n0", "input")), "T508", "an edge leads into it"),
    "a graph of no nodes": (lambda g: (drop("nodes/n0")(g), g.create_group("nodes/n0"), put("nodes/n0/type", "NIRGraph")(g)), "T508", "a NIRGraph needs the group 'nodes'"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_mended_is_refused(tmp_path: Path, name: str):
    change, code, fact = REFUSED[name]
    path = base(tmp_path / "a.nir")
    with h5py.File(path, "r+") as file:
        change(file["node"])  # pyright: ignore[reportArgumentType]
    with pytest.raises(tc.ThermocError) as caught:
        tc.load(path)
    assert (caught.value.code, fact in str(caught.value)) == (code, True), str(caught.value)


def test_an_hdf5_file_of_something_else(tmp_path: Path):
    with h5py.File(tmp_path / "a.nir", "w") as file:
        file["x"] = 1
    with pytest.raises(tc.ThermocError, match="holds no NIR graph") as caught:
        tc.load(tmp_path / "a.nir")
    assert caught.value.code == "T506"


def test_a_flipped_file_gives_a_graph_or_our_error(tmp_path: Path):
    """400 files with up to 16 changed bytes: nothing but a network or a ThermocError comes of them."""
    source, path = written(tmp_path / "a.nir", *everything()), tmp_path / "b.nir"
    whole, draw, codes = source.read_bytes(), random.Random(5), set()
    live = [place for place, byte in enumerate(whole) if byte]
    for _ in range(400):
        data = bytearray(whole)
        for _ in range(draw.choice((1, 2, 4, 16))):
            data[draw.choice(live)] = draw.randrange(256)
        path.write_bytes(data)
        try:
            tc.load(path)
            codes.add("read")
        except tc.ThermocError as problem:
            codes.add(problem.code)
    assert {"read", "T502", "T508"} <= codes
