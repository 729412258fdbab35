"""Networks with parameters are verified and certified as they are now; what needs constants freezes them."""

from __future__ import annotations

import numpy as np
import pytest

import thermoc as tc
from thermoc.support.errors import ThermocError


def network() -> tc.Network:
    with tc.Network("bits") as net:
        x = tc.input("x", (3,))
        h = tc.affine(x, tc.parameter("W", np.eye(4, 3) / 4), tc.parameter("b", np.zeros(4)))
        tc.output("s", tc.sample_binary(-h, tc.parameter("T", 1.0)))
    return net


def test_every_precision_holds_its_bounds():
    for precision in ("float64", "float32"):
        assert tc.verify(network(), ["sim"], options={"sim": {"precision": precision}}, ticks=20).ok


def test_a_certificate_is_of_the_parameters_that_ran():
    exe, x = tc.compile(network(), "sim"), {"x": np.ones((2, 3))}
    run = exe.run(x, ticks=400, parameters={"b": np.full(4, 3.0), "T": 2.0})
    assert abs(run["s"].mean() - exe.run(x, ticks=400)["s"].mean()) > 0.1
    assert tc.certify(run).holds


@pytest.mark.parametrize("target", ["chip", "lava"])
def test_weights_of_chips_are_frozen(target: str):
    exe = tc.compile(network(), target)
    assert list(exe.frozen_parameters) == ["W", "b", "T"]
    assert not exe.graph.parameters
    with pytest.raises(ThermocError, match="'W' is a constant of what was compiled") as caught:
        exe.with_parameters({"W": np.zeros((4, 3))})
    assert caught.value.code == "T418"
