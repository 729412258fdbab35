"""A network without an output computes nothing: that is said where it is used, and it can be gone on with until then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import thermoc as tc
from thermoc.support.array_types import AnyArray


def y_of(run: Any) -> AnyArray:
    return run["y"]


def test_it_may_be_left_and_entered_again():
    with tc.Network("late") as net:
        x = tc.input("x", (2,))
    with net:
        tc.output("y", 2 * x)
    assert np.array_equal(y_of(tc.compile(net).run({"x": np.ones((1, 2))})), np.full((1, 1, 2), 2.0))


USES: list[Callable[[tc.Network], object]] = [lambda net: net.graph, tc.compile, lambda net: net.save("nowhere.thermo")]


@pytest.mark.parametrize("use", USES)
def test_using_it_says_what_is_missing(use: Callable[[tc.Network], object]):
    with tc.Network("none") as net:
        tc.tanh(tc.input("x", (2,)))
    with pytest.raises(tc.ThermocError, match="has no output") as caught:
        use(net)
    assert caught.value.code == "T101" and "tc.output" in str(caught.value)


def test_other_mistakes_are_said_on_leaving():
    with pytest.raises(tc.ThermocError) as caught, tc.Network("hole"):
        tc.tanh(tc.placeholder((2,)))
    assert "never connected" in str(caught.value)
