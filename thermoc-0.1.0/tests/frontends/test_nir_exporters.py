"""Networks as snnTorch, Norse, sinabs and SpikingJelly export them: no spike differs from the framework's own run.

What NIR cannot say of them is said when the file is loaded; without it spikes differ, which is shown too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import thermoc as tc

SCRIPT = Path(__file__).parents[1] / "exporters" / "export_nir.py"
LATE_ZERO, LATE, AT_ONCE = {"reset": "zero_delayed"}, {"reset": "subtract_delayed"}, {"reset": "subtract"}
READ: dict[str, dict[str, Any]] = {
    "snntorch_leaky_zero": {},
    "snntorch_leaky_zero_at_once": {},
    "snntorch_leaky_subtract": LATE,
    "snntorch_leaky_subtract_at_once": AT_ONCE,
    "snntorch_synaptic_zero": LATE_ZERO,
    "snntorch_synaptic_zero_at_once": {},
    "snntorch_synaptic_subtract": LATE,
    "snntorch_synaptic_subtract_at_once": AT_ONCE,
    "snntorch_rleaky_zero": LATE_ZERO,
    "snntorch_rleaky_zero_at_once": {},
    "snntorch_rleaky_subtract": LATE,
    "snntorch_rleaky_subtract_at_once": AT_ONCE,
    "snntorch_rleaky_one_to_one": {},
    "snntorch_rsynaptic": LATE_ZERO,
    "snntorch_endless": {},
    "snntorch_conv": {},
    "norse_lif_box": {},
    "norse_iaf": {},
    "sinabs_iaf_zero": {},
    "sinabs_iaf_subtract": AT_ONCE,
    "sinabs_lif_zero": {"method": "exact"},
    "sinabs_lif_subtract": {"method": "exact", **AT_ONCE},
    "sinabs_conv": {},
    "spikingjelly_if": {"compare": "greater_equal"},
    "spikingjelly_if_of_a_millisecond": {"compare": "greater_equal"},
    "spikingjelly_lif": {"compare": "greater_equal"},
    "spikingjelly_cuba": {"compare": "greater_equal"},
    "spikingjelly_conv": {"compare": "greater_equal"},
}
ONE_MEANING = {"compare": "greater_equal"}
"""An option that moves no spike here: no unit of these networks stands at its threshold."""


@pytest.fixture(scope="session")
def exported(exporters: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of files and runs that the frameworks wrote."""
    folder = tmp_path_factory.mktemp("exported")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [exporters, SCRIPT, folder], capture_output=True, text=True, timeout=300, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def run(folder: Path, name: str, **options: Any) -> tuple[np.ndarray, np.ndarray, tc.Network]:
    """(thermoc's spikes, the framework's, the network)."""
    net, data = tc.load(folder / f"{name}.nir", **options), np.load(folder / f"{name}.npz")
    ((key, entry),) = net.graph.inputs.items()
    ticks = len(data["x"])
    found = tc.compile(net, "sim").run({key: data["x"].reshape(ticks, 1, *entry.shape)}, ticks=ticks)
    return next(iter(found.outputs.values())).reshape(data["spikes"].shape), data["spikes"], net


@pytest.mark.parametrize("name", READ)
def test_no_spike_differs(exported: Path, name: str):
    spikes, expected, _ = run(exported, name, **READ[name])
    assert 0.03 < expected.mean() < 0.8
    assert int((spikes != expected).sum()) == 0


@pytest.mark.parametrize("name", [name for name, options in READ.items() if options not in ({}, ONE_MEANING)])
def test_what_is_not_said_shows(exported: Path, name: str):
    """Without the option spikes differ, and the repairs say what was assumed."""
    spikes, expected, net = run(exported, name)
    assert (spikes != expected).any()
    assert "reset='subtract'" in str(net.repairs)


def test_norses_units_with_a_current_lack_a_factor_in_its_files(exported: Path):
    """Norse adds an input to the current whole: i' = (1 - dt / tau_syn) i + x. Its files have w_in = 1, which is

    i' = (1 - dt / tau_syn) i + dt / tau_syn x; w_in = tau_syn / dt = 5 gives its spikes.
    """
    spikes, expected, net = run(exported, "norse_lif")
    assert (spikes != expected).any()
    for suffix in (".nir", ".npz"):
        shutil.copy(exported / f"norse_lif{suffix}", exported / f"mended{suffix}")
    with h5py.File(exported / "mended.nir", "r+") as file:
        unit = file["node/nodes/1"]
        unit["w_in"][...] = unit["tau_syn"][()] / net.graph.dt  # pyright: ignore[reportIndexIssue]
    spikes, expected, _ = run(exported, "mended", dt=net.graph.dt)
    np.testing.assert_array_equal(spikes, expected)
    assert expected.mean() > 0.03
