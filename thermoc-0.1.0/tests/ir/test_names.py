"""A name that was asked for is given, whatever the builder called its own values before or after."""

from __future__ import annotations

import numpy as np
import pytest

import thermoc as tc
from thermoc.ir.graph import Graph
from thermoc.ir.reference import interpret

BUILDERS_OWN = ("c", "c_1", "c_2", "add", "add_1", "mul", "affine", "placeholder", "delay", "input")


def written(names: tuple[str, ...]) -> Graph:
    """y = exp(...exp(2 x + 1)...) - 1, named by ``names``, with a cycle, before unnamed ops of every kind."""
    with tc.Network("n") as net:
        x = tc.input("x", (2,))
        back = tc.placeholder((2,))
        y = tc.affine(x, 2 * np.eye(2)) + 1.0 + 0.0 * tc.delay(back)
        tc.connect(back, y)
        for name in names:
            y = tc.tanh(y, name=name)
        tc.output("y", y - 1.0)
    return net.graph


def test_names_of_the_builders_own_are_free():
    graph = written(BUILDERS_OWN)
    plain = written(tuple("abdefghijk"))
    assert [op.results[0].name for op in graph.of(tc.ir.dialects.core.Tanh)] == list(BUILDERS_OWN)
    assert len(graph.producers) == len(plain.producers)
    x = {"x": np.array([[[0.3, -0.2]]])}
    np.testing.assert_array_equal(
        interpret(graph, tc.ir.feed.feed(graph, x)).outputs["y"],
        interpret(plain, tc.ir.feed.feed(plain, x)).outputs["y"],
    )


def test_results_of_a_unit_take_the_name_too():
    with tc.Network("n") as net:
        x = tc.input("x", (2,))
        first = tc.lif(x, 1.0)[0]  # lif.s, lif.v
        second = tc.lif(first, 1.0, name="lif")[0]
        tc.output("y", second)
    assert [op.results[0].name for op in net.graph.of(tc.ir.dialects.spiking.Lif)] == ["lif.s_1", "lif.s"]


def test_a_name_is_given_once():
    with pytest.raises(tc.ThermocError, match="the name 'c' is taken") as caught, tc.Network("n"):
        x = tc.affine(tc.input("x", (2,)), np.eye(2))
        tc.tanh(tc.tanh(x, name="c"), name="c")
    assert caught.value.code == "T102"
