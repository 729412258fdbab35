"""A .net that asks for much, or for windows that fit nowhere, is refused by its layer, and costs little."""

from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from frontends.test_lavadl import CUBA, file, layer

import thermoc as tc

MIB = 2**20


def image(*shape: int, **fields: Any) -> dict[str, Any]:
    return {"type": np.array([b"input"]), "shape": np.array(shape), **fields}


def conv(shape: tuple[int, ...], size: int = 1, **fields: Any) -> dict[str, Any]:
    return layer("conv", shape, weight=np.full((1, 1, size, size), 4), **fields)


WINDOWS: dict[str, tuple[dict[str, Any], str]] = {
    "a stride of 0": ({"stride": np.array([0, 1])}, "stride is [0, 1], at least 1"),
    "a negative padding": ({"padding": -1}, "padding is [-1, -1], at least 0"),
    "a dilation of 0": ({"dilation": 0}, "dilation is [0, 0], at least 1"),
    "a window wider than its input": ({"size": 9}, "the window is larger than the padded input"),
}


@pytest.mark.parametrize("delay", [{}, {"delay": 2}], ids=["plain", "delayed"])
@pytest.mark.parametrize("name", WINDOWS)
def test_a_window_that_fits_nowhere_names_its_layer(tmp_path: Path, name: str, delay: dict[str, int]):
    fields, fact = WINDOWS[name]
    with pytest.raises(tc.ThermocError) as caught:
        tc.load(file(tmp_path / "a.net", image(1, 4, 4), conv((1, 4, 4), **(fields | delay))))
    assert "layer 1" in str(caught.value) and fact in str(caught.value)


LARGE: dict[str, tuple[list[dict[str, Any]], str, str]] = {
    "a delayed convolution": ([image(1, 4096, 4096), conv((1, 4096, 4096), delay=2)], "T504", "16777216 connections"),
    "a padding whose square overflows 64 bits": ([image(1, 4, 4), conv((1, 1, 1), delay=2, padding=2**31 - 1)], "T504", "connections"),
    "a pool of many channels": ([image(2**16, 4, 4), layer("pool", (2**16, 4, 4), weight=np.full((1, 1, 24, 24), 4))], "T508", "more than 16777216 weights"),
}  # fmt: skip


@pytest.mark.parametrize("name", LARGE)
def test_what_is_too_large_is_refused_before_it_is_allocated(tmp_path: Path, name: str):
    layers, code, fact = LARGE[name]
    path = file(tmp_path / "a.net", *layers)
    tracemalloc.start()
    with pytest.raises(tc.ThermocError) as caught:
        tc.load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert caught.value.code == code and fact in str(caught.value)
    assert peak < 32 * MIB


def test_delays_of_a_large_image_cost_a_number_a_channel(tmp_path: Path):
    """62 channels of 250,000 inputs, each of its own delay: masks of every input would be 7.7 GB."""
    start = image(62, 500, 500, neuron=CUBA, delay=np.arange(62))
    path = file(tmp_path / "a.net", start, layer("conv", (1, 500, 500), weight=np.full((1, 62, 1, 1), 4)))
    tracemalloc.start()
    net = tc.load(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert net.graph.inputs["input"].shape == (62, 500, 500)
    assert peak < 32 * MIB


def test_delays_of_every_input_by_itself_are_bounded(tmp_path: Path):
    start = image(1, 600, 600, neuron=CUBA, delay=np.arange(360_000).reshape(1, 600, 600) % 61)
    with pytest.raises(tc.ThermocError, match="360000 inputs have 61 delays") as caught:
        tc.load(file(tmp_path / "a.net", start, conv((1, 600, 600))))
    assert caught.value.code == "T504"


def test_a_parameter_that_is_no_number_is_not_said_to_differ(tmp_path: Path):
    for value in (np.nan, np.array([1.0, np.inf])):
        with pytest.raises(tc.ThermocError, match="vThMant is beyond 32 bits, or no number"):
            tc.load(file(tmp_path / "a.net", layer("dense", (1,), CUBA | {"vThMant": value}, weight=np.ones((1, 1)))))
