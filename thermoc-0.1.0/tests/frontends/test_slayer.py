"""Networks as lava-dl's SLAYER exports them: no spike differs from SLAYER's own run, or the convention is stated."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thermoc as tc

SCRIPT = Path(__file__).parents[1] / "exporters" / "export_slayer.py"
EXACT: dict[str, dict[str, Any]] = {
    "dense": {},
    "dense_at_its_threshold": {},
    "dense_with_delays": {},
    "weight_norm": {},
    "mean_batch_norm": {},
    "recurrent": {},
    "convolution": {"input_shape": (2, 9, 8)},
    "convolution_with_delays": {"input_shape": (2, 6, 5)},
    "pool": {"input_shape": (2, 8, 8)},
}


@pytest.fixture(scope="module")
def exported(exporters: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of files and runs that SLAYER wrote."""
    folder = tmp_path_factory.mktemp("slayer")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [exporters, SCRIPT, folder], capture_output=True, text=True, timeout=300, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def run(folder: Path, name: str, **options: Any) -> tuple[np.ndarray, np.ndarray, tc.Network]:
    """(Our outputs, SLAYER's, the network): (ticks, units)."""
    net, data = tc.load(folder / f"{name}.net", **options), np.load(folder / f"{name}.npz")
    y = tc.compile(net, "sim").run({"input": data["x"][:, np.newaxis]})["output"][:, 0]
    return y.reshape(len(y), -1), data["y"].reshape(len(y), -1), net


@pytest.mark.parametrize("name", EXACT)
def test_no_spike_differs(exported: Path, name: str):
    spikes, expected, _ = run(exported, name, **EXACT[name])
    assert 0.01 < expected.mean() < 0.8
    assert int((spikes != expected).sum()) == 0


def test_at_the_threshold_the_older_rule_differs(exported: Path):
    spikes, expected, _ = run(exported, "dense_at_its_threshold", compare="greater_equal")
    assert (spikes != expected).any()


def test_a_batch_norm_that_scales_is_kept_finer(exported: Path):
    """SLAYER rounds the divided current to 2^-12, membranes here are 2^weight_exp finer: 1 of 1,200 spikes differs."""
    spikes, expected, _ = run(exported, "scale_batch_norm")
    assert 0.1 < expected.mean() < 0.95 and int((spikes != expected).sum()) <= 2


def test_input_layers_are_a_tick_earlier(exported: Path):
    """SLAYER counts a tick of latency behind an input layer; here, as in netx, it begins with the first synapse."""
    spikes, expected, _ = run(exported, "image_input")
    assert 0.1 < expected.mean() < 0.9 and int((spikes[:-1] != expected[1:]).sum()) == 0


def test_affine_layers_give_their_membranes(exported: Path):
    """In SLAYER's unit, to the last bit, a synapse's tick later; without dynamics they add up what SLAYER gives."""
    membranes, expected, _ = run(exported, "affine")
    assert np.abs(expected).max() > 10 and np.array_equal(membranes[1:], expected[:-1])
    sums, currents, _ = run(exported, "affine_without_dynamics")
    assert np.abs(currents).max() > 0.5 and np.array_equal(np.diff(sums, axis=0), currents[:-1])


def test_sigma_delta_networks_are_exact(exported: Path):
    """Two layers late, in units of 2^-12: inputs and weights of 1 are 2^6."""
    y, expected, _ = run(exported, "sigma_delta")
    assert np.abs(expected).max() > 0.5 and np.array_equal(y[2:] / 2**12, expected[:-2])
