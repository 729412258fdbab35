"""A synapse takes a tick, and nothing shows of it: whole numbers come out the same, tick for tick."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import thermoc as tc
from tests.loihi_lowering.lowering import bound, lowered, reference, spikes
from thermoc.ir.dialects import loihi
from thermoc.ir.host_device import parts
from thermoc.passes.loihi.latency import Edge, lags
from thermoc.support.errors import ThermocError


def test_paths_of_different_length_and_a_loop_come_out_even():
    rng = np.random.default_rng(0)
    with tc.Network("net") as net:
        x = tc.input("x", (6,), role="spike")
        a = tc.if_(tc.affine(x, rng.integers(-3, 6, (6, 6))), v_threshold=4.0)[0]
        b = tc.if_(tc.affine(a, rng.integers(-3, 6, (6, 6))), v_threshold=4.0)[0]
        back = tc.placeholder((6,))
        c = tc.if_(
            tc.affine(b, rng.integers(-3, 6, (6, 6)))
            + a
            + 2.0 * tc.delay(a, ticks=3)
            + tc.affine(back, rng.integers(-3, 3, (6, 6))),
            v_threshold=4.0,
        )[0]
        tc.connect(back, tc.delay(c, ticks=2))
        tc.output("y", c)
        tc.output("early", a)
    result = lowered(net)
    assert parts(result.graph).latency == 3
    assert {op.longest for op in result.graph.of(loihi.Sparse)} >= {1, 4}
    inputs = {"x": spikes((200, 3, 6))}
    exact, found = reference(net.graph, inputs), reference(result.graph, inputs)
    for name in exact:
        assert exact[name].mean() > 0.05
        np.testing.assert_array_equal(found[name], exact[name])
    assert bound(result) == 0


@st.composite
def whole_networks(draw):
    """Layers of integrate-and-fire units with whole weights, skips, delays and convolutions."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    with tc.Network("net") as net:
        layers = [tc.input("x", (5,), role="spike")]
        for _ in range(draw(st.integers(1, 4))):
            sources = draw(st.lists(st.sampled_from(layers), min_size=1, max_size=3, unique_by=id))
            drive = sum(_arrives(draw, rng, source) for source in sources)
            how = {"reset": draw(st.sampled_from(["zero", "subtract"]))}
            how["compare"] = draw(st.sampled_from(["greater", "greater_equal"]))
            layers.append(tc.if_(drive, v_threshold=float(rng.integers(2, 9)), **how)[0])
        tc.output("y", layers[-1])
    return net


def _arrives(draw, rng, source):
    ticks = draw(st.integers(0, 3))
    late = tc.delay(source, ticks=ticks) if ticks else source
    if draw(st.booleans()):
        image = tc.reshape(late, shape=(1, 5))
        return tc.reshape(tc.conv(image, rng.integers(-4, 6, (1, 1, 3)), padding=1), shape=(5,))
    return tc.affine(late, rng.integers(-4, 6, (5, 5)), rng.integers(-1, 2, 5))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(net=whole_networks())
def test_whole_numbers_come_out_the_same(net):
    result = lowered(net)
    inputs = {"x": spikes((30, 2, 5), 0.5)}
    np.testing.assert_array_equal(reference(result.graph, inputs)["y"], reference(net.graph, inputs)["y"])
    assert bound(result) == 0


@st.composite
def graded_networks(draw):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    with tc.Network("net") as net:
        layers = [tc.input("x", (5,))]
        for _ in range(draw(st.integers(1, 3))):
            kind = draw(st.sampled_from(["relu", "tanh", "fermi", "floor"]))
            size = 10.0 ** draw(st.integers(-2, 1))
            x = tc.affine(draw(st.sampled_from(layers)), size * rng.normal(size=(5, 5)), rng.normal(size=5))
            make = {
                "relu": lambda x: tc.thermal_relu(x, T=0.2),
                "tanh": tc.tanh,
                "fermi": lambda x: tc.fermi_dirac(-x, T=0.5),
                "floor": lambda x: tc.maximum(x, 0.0),
            }[kind]
            layers.append(make(x))
        tc.output("y", tc.affine(layers[-1], rng.normal(size=(3, 5))))
    return net


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(net=graded_networks(), seed=st.integers(0, 2**32 - 1))
def test_numbers_stay_within_the_recorded_bound(net, seed):
    result = lowered(net, input_range=(-2.0, 2.0))
    x = {"x": np.random.default_rng(seed).uniform(-2, 2, size=(3, 20, 5))}
    off = np.abs(reference(result.graph, x)["y"] - reference(net.graph, x)["y"]).max()
    assert off <= bound(result)


def test_a_cycle_with_fewer_delays_than_synapses_is_named():
    with pytest.raises(ThermocError, match=r"T209.*\n.*%a -> %b -> %a(.|\n)*1 more tick"):
        lags({"a": 0, "b": 0}, [Edge("a", "b", 1), Edge("b", "a", 0)])


def test_a_cycle_with_enough_delays_is_not():
    assert lags({"a": 0, "b": 0}, [Edge("a", "b", 1), Edge("b", "a", -1)]) == {"a": 0, "b": 1}


def test_a_path_that_would_wait_too_long_is_refused():
    chain = [Edge(f"u{i}", f"u{i + 1}", 1) for i in range(70)]
    with pytest.raises(ThermocError, match="T206"):
        lags({f"u{i}": 0 for i in range(71)}, [*chain, Edge("u0", "u70", 1)])
