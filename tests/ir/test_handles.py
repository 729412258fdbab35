"""Values of a network take Python's operators, indices and NumPy's functions; what has no op says its cure."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest

import thermoc as tc
from thermoc.ir.handle import Handle
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import ThermocError

Build = Callable[[Any], Any]
"""Of a value of a network, or of an array."""
VECTOR, MATRIX = np.array([0.5, -1.5, 2.0]), np.arange(1.0, 7.0).reshape(2, 3) / 4
W, V = np.arange(12.0).reshape(4, 3) - 5, np.array([1.0, -2.0, 0.5])


def value(build: Build, x: AnyArray) -> AnyArray:
    """Run what ``build`` makes of an input, on one sample."""
    with tc.Network("n") as net:
        tc.output("y", build(tc.input("x", x.shape)))
    return tc.compile(net, "sim").run({"x": x[np.newaxis]})["y"][0, 0]


OF_A_VECTOR: list[Build] = [
    lambda x: x[0],
    lambda x: x[-1],
    lambda x: x[1:],
    lambda x: x[::2],
    lambda x: x[None, :],
    lambda x: x[..., 0],
    lambda x: W @ x,
    lambda x: x @ W.T,
    lambda x: x @ V,
    lambda x: V @ x,
    lambda x: x @ x,
    lambda x: np.tanh(x) + np.exp(x) * np.sqrt(np.abs(x)),
    lambda x: np.multiply(2.0, x) - np.float64(3) / (x + 10),
    lambda x: np.square(x) + np.ceil(x) + np.reciprocal(x),
    lambda x: 2.0**x + abs(-x) + +x,
    lambda x: np.where((x > 0) & ~(x == 2.0) | (x != x), x, -x),
    lambda x: np.sum(x) + x.mean() + np.max(x) + x.min(),
    lambda x: np.clip(x, -1.0, 1.0),
    lambda x: np.concatenate([x, x[:2]]),
    lambda x: np.stack([x, 2.0 * x], axis=1),
    lambda x: sum(x) * len(x),
    lambda x: V * x + VECTOR - x,
    lambda x: x.reshape(3, 1).T,
    lambda x: np.add(x, math.floor(1.5)),
]


@pytest.mark.parametrize("build", OF_A_VECTOR)
def test_a_vector_is_what_numpy_makes_of_it(build: Build):
    np.testing.assert_allclose(value(build, VECTOR), build(VECTOR), rtol=1e-14)


OF_A_MATRIX: list[Build] = [
    lambda x: x[1],
    lambda x: x[1, 2],
    lambda x: x[:, 1],
    lambda x: x[:, 1:],
    lambda x: x[..., None],
    lambda x: W @ x.T,
    lambda x: x @ W.T,
    lambda x: x @ V,
    lambda x: MATRIX @ x.T,
    lambda x: x @ x.T,
    lambda x: x @ x[0],
    lambda x: x[:, 0] @ x,
    lambda x: x.sum(axis=1),
    lambda x: x.sum(axis=0, keepdims=True),
    lambda x: np.transpose(x).flatten() if x is MATRIX else np.ravel(np.transpose(x)),
    lambda x: np.dot(x, V),
]


@pytest.mark.parametrize("build", OF_A_MATRIX)
def test_a_matrix_is_what_numpy_makes_of_it(build: Build):
    np.testing.assert_allclose(value(build, MATRIX), build(MATRIX), rtol=1e-14)


def test_a_product_with_numbers_is_an_affine_map():
    with tc.Network("n") as net:
        x = tc.input("x", (3,))
        tc.output("y", cast("Handle", W @ x))
        tc.output("z", x @ W.T)
    assert [op.opname for op in net.graph.ops].count("core.affine") == 2


REFUSED: list[tuple[Build, str, str]] = [
    (bool, "T111", "tc.select"),
    (float, "T111", "tc.tanh"),
    (math.tanh, "T111", "tc.tanh"),
    (lambda x: 1.0 if x > 0 else 0.0, "T111", "tc.select"),
    (lambda x: 1.0 in x, "T111", "x == y"),
    (lambda x: range(x), "T111", "exe.run"),
    (lambda x: round(x), "T111", "tc.floor"),
    (lambda x: x.__setitem__(0, 1.0), "T111", "tc.concat"),
    (lambda x: x[[0, 2]], "T111", "tc.concat"),
    (lambda x: x[x > 0], "T111", "tc.select"),
    (lambda x: x[True], "T111", "integers and slices"),
    (lambda x: x[::-1], "T111", "tc.affine"),
    (lambda x: x[0.5:], "T111", "x[1:3]"),
    (lambda x: x[3], "T103", "length 3"),
    (lambda x: x[0, 0], "T103", "shape [3]"),
    (lambda x: len(x[0]), "T111", "()"),
    (np.log1p, "T111", "tc.log(1 + x)"),
    (lambda x: x // 2, "T111", "tc.floor(x / y)"),
    (lambda x: 2 % x, "T111", "tc.floor(x / y)"),
    (lambda x: np.floor_divide(2.0, x), "T111", "tc.floor(x / y)"),
    (np.arctan, "T111", "dir(tc)"),
    (np.cumsum, "T111", "dir(tc)"),
    (np.add.reduce, "T111", 'kind="sum"'),
    (lambda x: np.add(x, 1.0, out=np.zeros(3)), "T111", "tc.select"),
    (np.asarray, "T111", "tc.affine"),
    (lambda x: x.cumsum(), "T111", "numpy.cumsum"),
    (lambda x: 2.0 @ x, "T111", "* multiplies"),
    (lambda x: np.sum(x, where=[True, False, True]), "T111", "NumPy's function"),
    (lambda x: W.T @ x, "T103", "n"),
]


@pytest.mark.parametrize(("build", "code", "cure"), REFUSED)
def test_what_has_no_op_says_what_does_its_work(build: Build, code: str, cure: str):
    with pytest.raises(ThermocError) as caught, tc.Network("n"):
        build(tc.input("x", (3,)))
    (finding,) = caught.value.findings
    assert finding.code == code and finding.where is not None and finding.where.file.endswith("test_handles.py")
    assert cure in str(finding)


def test_methods_that_are_missing_are_missing_for_hasattr():
    with tc.Network("n"):
        x = tc.input("x", (3,))
        assert not hasattr(x, "cumsum") and not hasattr(x, "__array_interface__") and not hasattr(x, "nonsense")
        assert (x is None, x == None, x != "x") == (False, False, True)  # noqa: E711
        assert x in [x] and {x: 1}[x] == 1
        tc.output("y", x)
        assert (x.shape, x.ndim, x.size, x.dtype) == ((3,), 1, 3, np.float64)
