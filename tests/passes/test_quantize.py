"""Weights, refusals and what the report says."""

from __future__ import annotations

import numpy as np
import pytest
from loihi_lowering.lowering import changes, lowered, reference

import thermoc as tc
from thermoc.ir.dialects import loihi
from thermoc.passes.loihi.weights import quantised
from thermoc.support.errors import ThermocError


@pytest.mark.parametrize(
    ("weights", "mode", "top"),
    [([-1.0, 0.5, 1.0], "mixed", 254), ([0.0, 0.25, 1.0], "excitatory", 255), ([-1.0, -0.5], "inhibitory", 255)],
)
def test_weights_take_the_mode_of_their_signs(weights, mode, top):
    made = quantised(np.array(weights) * 254)
    assert made is not None
    assert made.sign_mode == mode
    assert np.abs(made.mantissa).max() <= top
    assert not (made.mantissa % (2 if mode == "mixed" else 1)).any()
    np.testing.assert_allclose(made.real, np.array(weights) * 254, atol=2.0**made.exponent)


def test_weights_beyond_all_exponents_are_none():
    assert quantised(np.array([1.0, -(2.0**16)])) is None


def test_whole_weights_stay_whole():
    made = quantised(np.array([3.0, -5.0, 1.0]))
    assert made is not None
    np.testing.assert_array_equal(made.real, [3, -5, 1])
    assert not made.floors


def refused(code: str, build, **options) -> str:
    with tc.Network("net") as net:
        build()
    with pytest.raises(ThermocError) as caught:
        lowered(net, **options)
    assert caught.value.code == code
    return str(caught.value)


def test_a_host_op_with_a_state_between_two_parts_of_the_chip_is_refused():
    def build():
        x = tc.brownian(tc.affine(tc.input("x", (3,)), np.eye(3)), 1.0, stiffness=1.0)
        tc.output("y", tc.thermal_relu(tc.affine(x, np.eye(3)), T=0.1))

    assert "brownian" in refused("T205", build)


def test_a_refractory_time_is_refused():
    def build():
        tc.output("y", tc.lif(tc.input("x", (3,)), tau=5.0, refractory=2.0)[0])

    text = refused("T205", build)
    assert "rest after a spike" in text and "hint: leave out its rest (refractory)" in text


def test_a_cycle_without_a_delay_for_each_synapse_is_refused():
    def build():
        back = tc.placeholder((3,))
        b = tc.if_(tc.affine(tc.input("x", (3,), role="spike"), np.eye(3)) + tc.affine(back, np.eye(3)))[0]
        c = tc.if_(tc.affine(b, np.eye(3)))[0]
        tc.connect(back, tc.delay(c))
        tc.output("y", c)

    assert "its synapses take 2 ticks, its delays make up for 1" in refused("T209", build)


def test_a_temperature_below_all_weights_is_refused():
    def build():
        J = np.array([[0.0, 1.0], [1.0, 0.0]])
        tc.output("y", tc.gibbs(T=1e-9, J=J))

    assert "too low" in refused("T206", build)


@pytest.mark.parametrize(
    ("weight", "T", "options"),
    [
        (1.0, 5e-324, {}),
        (1e-310, 1.0, {"input_range": (-100.0, 100.0)}),
        (1.0, 1.0, {"calibrate": {"x": np.full((1, 2), 1e-320)}}),
    ],
)
def test_numbers_without_a_scale_in_float64_are_refused(weight: float, T: float, options: dict[str, object]):
    def build():
        h = tc.affine(tc.input("x", (2,)), weight * np.eye(2))
        tc.output("y", tc.sample_binary(h, T=T))

    assert "too large or too small" in refused("T206", build, **options)


def test_what_cannot_be_bounded_asks_for_samples():
    def build():
        back = tc.placeholder((3,))
        h = tc.thermal_relu(tc.affine(tc.input("x", (3,)), np.eye(3)) + tc.affine(back, 0.5 * np.eye(3)), T=0.1)
        tc.connect(back, tc.delay(h))
        tc.output("y", h)

    assert "calibrate" in refused("T206", build)


def test_samples_make_a_loop_of_graded_units_fit():
    with tc.Network("net") as net:
        back = tc.placeholder((3,))
        h = tc.thermal_relu(tc.affine(tc.input("x", (3,)), np.eye(3)) + tc.affine(back, 0.5 * np.eye(3)), T=0.1)
        tc.connect(back, tc.delay(h))
        tc.output("y", h)
    x = {"x": np.random.default_rng(0).uniform(0, 1, size=(20, 4, 3))}
    result = lowered(net, input_range=(0.0, 1.0), calibrate=x)
    np.testing.assert_allclose(reference(result.graph, x)["y"], reference(net.graph, x)["y"], atol=0.05)


def test_units_of_other_decays_are_populations_of_their_own():
    with tc.Network("net") as net:
        x = tc.input("x", (4,), role="spike")
        tc.output("y", tc.lif(tc.affine(x, np.eye(4)), tau=np.array([5.0, 5.0, 9.0, 9.0]))[0])
    assert [op.dv for op in lowered(net).graph.of(loihi.LoihiLif)] == [742, 431]


def test_thresholds_and_resets_of_a_unit_go_into_its_weights():
    """v~ = (v - v_reset) / (v_threshold - v_reset): the spikes are those of the network."""
    with tc.Network("net") as net:
        x = tc.input("x", (3,), role="spike")
        drive = tc.affine(x, np.array([[1.0, 1, 0], [2, 2, 0], [0, 4, 4]]))
        tc.output("y", tc.if_(drive, v_threshold=np.array([2.0, 4.0, 8.0]), v_reset=np.array([-1.0, -2.0, -4.0]))[0])
    x = {"x": (np.random.default_rng(0).random((100, 2, 3)) < 0.5).astype(float)}
    result = lowered(net)
    np.testing.assert_array_equal(reference(result.graph, x)["y"], reference(net.graph, x)["y"])


def test_the_report_names_each_number():
    with tc.Network("net") as net:
        x = tc.input("x", (3,), role="spike")
        tc.output("y", tc.lif(tc.affine(x, np.eye(3), np.ones(3) / 3), tau=5.0)[0])
    told = {change.what.split(" ")[0] for change in changes(lowered(net))}
    assert {"weights", "bias", "threshold", "membrane", "drive", "output", "cores", "places"} <= told
