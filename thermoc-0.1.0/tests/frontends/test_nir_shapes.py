"""Parameters of one number, one a channel, one a unit, with a batch axis or without: never the shape of an output."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import nir
import numpy as np
import pytest
from frontends.models import chain, drawn, full, trajectory, written

import thermoc as tc

OWN = np.random.default_rng(1)
X = OWN.normal(size=(8, 3, 4, 4))
CHANNEL = np.array([0.5, 2.0, -3.0])
SHAPES = {
    "a number": (),
    "a number in a list": (1,),
    "a number and a batch axis": (1, 1, 1, 1),
    "a channel": (3, 1, 1),
    "a channel, flat": (3,),
    "a channel and a batch axis": (1, 3, 1, 1),
    "a unit": (3, 4, 4),
    "a unit and a batch axis": (1, 3, 4, 4),
    "a column": (4,),
}


def numbers(layout: str) -> tuple[np.ndarray, np.ndarray]:
    """(as in a file, for each unit)."""
    shape = SHAPES[layout]
    if "number" in layout:
        return full(1.5, *shape), full(1.5, 3, 4, 4)
    if "channel" in layout:
        return CHANNEL.reshape(shape), np.broadcast_to(CHANNEL[:, None, None], (3, 4, 4))
    array = drawn(*shape)
    return array, np.broadcast_to(array.reshape(shape[-3:]), (3, 4, 4))


def integrated(p: np.ndarray) -> np.ndarray:
    return np.cumsum(p * X, axis=0)


def leaked(p: np.ndarray) -> np.ndarray:
    v, found = np.zeros((3, 4, 4)), []
    for x in X:
        v = v + 0.1 * (p * x - v)
        found.append(v)
    return np.array(found)


UNITS: dict[str, tuple[Callable[[np.ndarray], Any], Callable[[np.ndarray], np.ndarray]]] = {
    "Scale": (nir.Scale, lambda p: p * X),
    "Threshold": (nir.Threshold, lambda p: p < X),
    "I": (lambda p: nir.I(1e4 * p), integrated),
    "LI": (lambda p: nir.LI(full(1e-3, *p.shape), p, full(0.0, *p.shape)), leaked),
}
KERNEL = OWN.normal(size=(2, 3, 2, 2))


def summed(y: np.ndarray) -> np.ndarray:
    return y.reshape(-1, 3, 2, 2, 2, 2).sum((3, 5))


def convolved(y: np.ndarray) -> np.ndarray:
    """Windows side by side."""
    return np.einsum("tcihjw,ochw->toij", y.reshape(-1, 3, 2, 2, 2, 2), KERNEL)


UNSTATED = (77, 77)


def stored(path: Path, nodes: Any, edges: Any) -> Path:
    """A file in which shapes that are UNSTATED are left out."""
    written(path, nodes, edges, compression=None)
    with h5py.File(path, "r+") as file:
        for node in file["node/nodes"].values():  # pyright: ignore[reportAttributeAccessIssue]
            for key in ("input_shape", "shape"):
                if key in node and tuple(node[key]) == UNSTATED:
                    del node[key]
    return path


BEHIND: dict[str, tuple[Any, Callable[[np.ndarray], np.ndarray], tuple[int, ...]]] = {
    "SumPool2d": (nir.SumPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])), summed, (3, 2, 2)),
    "AvgPool2d": (nir.AvgPool2d(np.array([2, 2]), np.array([2, 2]), np.array([0, 0])), lambda y: summed(y) / 4, (3, 2, 2)),
    "Conv2d": (nir.Conv2d(UNSTATED, KERNEL, 2, 0, 1, 1, full(0.0, 2)), convolved, (2, 2, 2)),
    "Conv2d, input_shape": (nir.Conv2d((4, 4), KERNEL, 2, 0, 1, 1, full(0.0, 2)), convolved, (2, 2, 2)),
    "Flatten": (nir.Flatten({"input": np.array([3, 4, 4])}, 0, -1), lambda y: y.reshape(len(y), -1), (48,)),
    "nothing": (None, lambda y: y, (3, 4, 4)),
}  # fmt: skip


@pytest.mark.parametrize("layout", SHAPES)
@pytest.mark.parametrize("kind", UNITS)
def test_parameters_spread_over_units(tmp_path: Path, kind: str, layout: str):
    build, means = UNITS[kind]
    array, each = numbers(layout)
    for node, then, out in BEHIND.values():
        nodes = [part for part in (build(array), node) if part is not None]
        net = tc.load(stored(tmp_path / "n.nir", *chain(*nodes, shape=(3, 4, 4), out=out)), dt=1e-4)
        found = trajectory(net, X)
        np.testing.assert_allclose(found, then(means(each)), rtol=1e-12, atol=1e-13)
        assert net.graph.outputs["output"].x.type.shape == out  # pyright: ignore[reportOptionalMemberAccess]
        assert "reshaped" not in str(net.repairs)


@pytest.mark.parametrize("layout", ["a channel", "a channel and a batch axis", "a number"])
def test_delays_of_channels(tmp_path: Path, layout: str):
    times = np.array([0, 1, 3]) if "channel" in layout else np.array(2)
    delay = nir.Delay(1e-4 * times.reshape(SHAPES[layout]))
    pool = BEHIND["SumPool2d"][0]
    found = trajectory(tc.load(written(tmp_path / "n.nir", *chain(delay, pool, shape=(3, 4, 4), out=(3, 2, 2)), compression=None)), X)  # fmt: skip
    late = [np.concatenate([np.zeros((n, 4, 4)), X[: len(X) - n, c]]) for c, n in enumerate(np.broadcast_to(times, 3))]
    np.testing.assert_allclose(found, summed(np.stack(late, 1)), atol=1e-15)


def test_a_recurrent_population_with_a_number_a_channel(tmp_path: Path):
    """v' = v + p x + v(t - 1): a cycle, whose value has the shape of what the unit reads."""
    nodes, edges = chain(nir.I(1e4 * CHANNEL.reshape(3, 1, 1)), BEHIND["SumPool2d"][0], shape=(3, 4, 4), out=(3, 2, 2))
    found = trajectory(tc.load(written(tmp_path / "n.nir", nodes, [*edges, ("n0", "n0")]), dt=1e-4), X)
    v, before, expected = np.zeros((3, 4, 4)), np.zeros((3, 4, 4)), []
    for x in X:
        v, before = v + CHANNEL[:, None, None] * (x + before), v + CHANNEL[:, None, None] * (x + before)
        expected.append(v)
    np.testing.assert_allclose(found, summed(np.array(expected)), rtol=1e-12)


def test_an_input_without_a_shape_takes_that_of_its_readers(tmp_path: Path):
    """A number a channel says how many channels; the convolution says how large the image is."""
    nodes = {"input": nir.Input({"input": np.array(UNSTATED)}), "s": nir.Scale(CHANNEL.reshape(3, 1, 1)), "conv": BEHIND["Conv2d, input_shape"][0], "output": nir.Output({"output": np.array([2, 2, 2])})}  # fmt: skip
    path = stored(tmp_path / "n.nir", nodes, [("input", "s"), ("s", "conv"), ("conv", "output")])
    np.testing.assert_allclose(trajectory(tc.load(path), X), convolved(X * CHANNEL[:, None, None]))


def test_a_batch_axis_of_the_input_is_left_out_before_windows(tmp_path: Path):
    for node, then, out in (BEHIND["SumPool2d"], BEHIND["Conv2d"], BEHIND["Conv2d, input_shape"]):
        net = tc.load(stored(tmp_path / "n.nir", *chain(node, shape=(1, 3, 4, 4), out=out)))
        np.testing.assert_allclose(trajectory(net, X[:, None]), then(X), rtol=1e-12, atol=1e-13)
        assert "node 'n0' reads [3, 4, 4], it is given [1, 3, 4, 4]: reshaped" in [r.what for r in net.repairs]


def test_windows_of_another_size_than_stated_are_told(tmp_path: Path):
    net = tc.load(written(tmp_path / "n.nir", *chain(nir.Conv2d((9, 9), KERNEL, 2, 0, 1, 1, full(0.0, 2)), shape=(3, 4, 4), out=(2, 2, 2))))  # fmt: skip
    np.testing.assert_allclose(trajectory(net, X), convolved(X), rtol=1e-12, atol=1e-13)
    assert "node 'n0' states input_shape [9, 9]: it is [4, 4]" in [repair.what for repair in net.repairs]


def test_what_does_not_spread_is_refused_with_both_shapes(tmp_path: Path):
    for shape in ((2, 1, 1), (2,), (3, 4), (2, 3, 1, 1), (3, 4, 5)):
        path = written(tmp_path / "n.nir", *chain(nir.Scale(drawn(*shape)), shape=(3, 4, 4), out=(3, 4, 4)))
        with pytest.raises(tc.ThermocError) as caught:
            tc.load(path)
        assert caught.value.code == "T508"
        assert f"a parameter has shape {list(shape)}, the input [3, 4, 4]" in str(caught.value)
