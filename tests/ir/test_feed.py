"""What is handed to a run is checked before it starts."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import thermoc as tc
from thermoc.ir.feed import feed


def network() -> tc.Network:
    with tc.Network("n") as net:
        x = tc.input("pixels", (3,))
        T = tc.input("T", (), role="temperature")
        places = tc.input("places", (2,), dtype="i64")
        tc.output("y", tc.thermal_relu(x, T=T))
        tc.output("p", places)
    return net


GOOD: dict[str, Any] = {"pixels": np.zeros((2, 3)), "T": np.ones(2), "places": np.zeros((2, 2), int)}


def test_inputs_are_held_or_given_for_each_tick():
    held = feed(network().graph, GOOD, ticks=4)
    assert (held.ticks, held.batch) == (4, 2)
    assert held.arrays["pixels"].shape == (4, 2, 3)
    assert held.arrays["pixels"].strides[0] == 0
    timed = feed(network().graph, GOOD | {"pixels": np.zeros((5, 2, 3), np.float32)})
    assert timed.ticks == 5
    assert timed.arrays["pixels"].dtype == np.float64


def test_without_inputs_ticks_and_batch_are_what_is_asked():
    with tc.Network("n") as net:
        tc.output("z", tc.normal(shape=(2,)))
    assert (feed(net.graph, {}).ticks, feed(net.graph, {}).batch) == (1, 1)
    assert feed(net.graph, {}, ticks=3, batch=2).batch == 2


@pytest.mark.parametrize("options", [{"batch": 2**31}, {"first_sample": 2**31}, {"first_tick": 2**32 - 1, "ticks": 2}])
def test_noise_that_would_repeat_is_refused(options: dict[str, Any]):
    with tc.Network("n") as net:
        tc.output("z", tc.normal(shape=(3,)))
    with pytest.raises(tc.ThermocError) as caught:
        feed(net.graph, {}, **options)
    assert caught.value.code == "T404"
    assert "counter of the noise" in str(caught.value)


@pytest.mark.parametrize(
    ("change", "options", "code", "words"),
    [
        ({"pixel": 1}, {}, "T401", "did you mean 'pixels'?"),
        ({"pixels": None}, {}, "T401", "input 'pixels' is missing"),
        ({"pixels": np.zeros((2, 4))}, {}, "T402", "it is [2, 4]"),
        ({"pixels": np.zeros(3)}, {}, "T402", "x[np.newaxis]"),
        ({"pixels": np.zeros((0, 3))}, {}, "T402", "it is [0, 3]"),
        ({"pixels": [[1.0], [1.0, 2.0]]}, {}, "T402", "not a regular array"),
        ({"pixels": np.zeros((3, 3))}, {}, "T402", "input 'pixels' says 3"),
        ({"pixels": np.zeros((4, 2, 3))}, {"ticks": 5}, "T402", "ticks says 5"),
        ({"pixels": np.array([["a", "b", "c"]] * 2)}, {}, "T403", "the network wants f64"),
        ({"pixels": np.zeros((2, 3), complex)}, {}, "T403", "complex128"),
        ({"places": np.zeros((2, 2))}, {}, "T403", "the network wants i64"),
        ({"pixels": np.array([[0, 0, 0], [0, np.nan, 0]])}, {}, "T403", "element [1, 1] is nan"),
        ({"T": np.array([1.0, 0.0])}, {}, "T403", "finite and > 0"),
        ({}, {"ticks": 0}, "T404", "ticks = 0"),
        ({}, {"batch": 2.5}, "T404", "batch = 2.5"),
        ({}, {"seed": -1}, "T404", "seed = -1"),
        ({}, {"seed": 2**64}, "T404", "seed"),
        ({}, {"first_tick": -1}, "T404", "first_tick = -1"),
        ({}, {"batch": 7}, "T402", "batch says 7"),
    ],
)
def test_a_mistake_is_told(change: dict[str, Any], options: dict[str, Any], code: str, words: str):
    given = {name: array for name, array in (GOOD | change).items() if array is not None}
    with pytest.raises(tc.ThermocError) as caught:
        feed(network().graph, given, **options)
    assert caught.value.code == code
    assert words in str(caught.value)


def test_an_input_that_an_op_takes_as_temperature_is_one():
    """Whatever role it was declared with."""
    with tc.Network("n") as net:
        tc.output("s", tc.sample_binary(tc.input("x", (2,)), tc.input("T", ())))
    with pytest.raises(tc.ThermocError, match="input 'T' must be finite and > 0"):
        feed(net.graph, {"x": np.zeros((1, 2)), "T": np.array([-1.0])})


def test_a_run_names_its_outputs():
    run = tc.compile(network(), "sim").run(GOOD)
    with pytest.raises(tc.ThermocError) as caught:
        run["z"]
    assert caught.value.code == "T401"
    data = run.to_xarray()
    assert dict(data.sizes) == {"tick": 1, "sample": 2, "y_unit": 3, "p_unit": 2}
    assert data.attrs["seed"] == 0


def test_arrays_without_names_are_refused():
    with pytest.raises(tc.ThermocError) as caught:
        tc.compile(network()).run(np.ones((2, 3)))  # pyright: ignore[reportArgumentType]
    assert caught.value.code == "T401" and "by name" in str(caught.value)
