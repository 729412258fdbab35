"""Sweeps over every target, with options of it varied: rows are the runs of executables compiled so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thermoc as tc

pytest.importorskip("zarr")
FIXED: dict[str, dict[str, Any]] = {"brian2": {"codegen": "numpy"}, "lava": {"runtime": "reference"}}
VARIED: dict[str, dict[str, list[Any]]] = {
    "sim": {"precision": ["float64", "float32"]},
    "onnx": {"precision": ["float64", "float32"]},
    "brian2": {"time_unit": ["second", "ms", "us"]},
    "lava": {"coding": ["graded", "thermal"], "input_range": [[-1.0, 1.0], [-4.0, 4.0]]},
    "chip": {"temperature": ["model", "die"], "precision": ["float64", "float32"]},
}
RUNTIMES = {"onnx": "onnxruntime", "brian2": "brian2"}


def layer() -> tc.Network:
    W = np.random.default_rng(0).normal(size=(3, 4))
    with tc.Network("layer") as net:
        h = tc.fermi_dirac(tc.affine(tc.input("x", (4,)), tc.parameter("W", W), np.zeros(3)), mu=0.0, T=0.5)
        tc.output("s", tc.sample_binary(h, 0.25))
    return net


MARKS = {"brian2": (pytest.mark.brian2, pytest.mark.slow), "chip": (pytest.mark.slow,)}


@pytest.mark.parametrize("target", [pytest.param(target, marks=MARKS.get(target, ())) for target in VARIED])
def test_options_are_varied(target: str, tmp_path: Path):
    if target in RUNTIMES:
        pytest.importorskip(RUNTIMES[target])
    net, inputs = layer(), {"x": np.linspace(-1, 1, 8).reshape(2, 4)}
    options, W = {**FIXED.get(target, {}), **VARIED[target]}, net.parameters["W"]
    about = {"ticks": 5, "batch": 2, "seed": 3, "inputs": inputs, "record": {"s": "all"}}
    result = tc.sweep(
        net,
        tmp_path / "a.zarr",
        target=target,
        options=options,
        parameters={"W": tc.sweeps.times([1.0, 0.5])},
        workers=0,
        progress=False,
        **about,
    )
    assert result.complete and result.store.count == 2 * np.prod([len(values) for values in VARIED[target].values()])
    for index in range(result.store.count):
        at = result.labels(index)
        chosen = {**FIXED.get(target, {}), **{name: at[name] for name in VARIED[target]}}
        exe = tc.compile(net.with_parameters({"W": at["W"] * W}), target, **chosen)
        assert np.array_equal(result["s"][index], exe.run(**about)["s"]), at
