"""Every name that an output or input may have survives files, xarray, certificates and saved scripts."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import thermoc as tc
from thermoc.certificates import recheck
from thermoc.support.arrays import npz_bytes
from thermoc.support.errors import ThermocError

NAMES = ("allow_pickle", "file", "args", "kwds", "arr_0", "time", "tick", "sample", "x_0", "self", "certificate.x", "_")


def network() -> tc.Network:
    with tc.Network("names", dt=0.5) as net:
        x = tc.input("file", (3,), dtype="f64")
        drive = tc.mul(tc.input("allow_pickle", (3,)), 1.0, name="x")
        tc.output("m", tc.memory(x + drive, T=0.1))
        for number, name in enumerate(NAMES):
            tc.output(name, drive * float(number) if number % 2 else tc.reduce(drive, kind="sum") + float(number))
    return net


@pytest.fixture(scope="module")
def run() -> Any:
    inputs = {"file": np.ones((2, 3)), "allow_pickle": np.arange(6.0).reshape(2, 3)}
    return tc.compile(network(), "sim").run(inputs, ticks=20)


def test_an_npz_holds_every_output(run: Any):
    with np.load(io.BytesIO(npz_bytes(run.outputs))) as stored:
        assert set(stored.files) == {"m", *NAMES}
        assert all(np.array_equal(stored[name], run[name]) for name in run.outputs)


def test_names_that_numpy_confuses_are_refused():
    with pytest.raises(ThermocError) as caught:
        npz_bytes({"x": np.zeros(1), "x.npy": np.ones(1)})
    assert caught.value.code == "T505"
    with np.load(io.BytesIO(npz_bytes({"x.npy": np.ones(1)}))) as stored:
        assert stored["x.npy"] == 1


def test_a_dataset_holds_every_output_and_its_time(run: Any):
    data: Any = run.to_xarray()
    assert all(np.array_equal(data[name].values, run[name]) for name in run.outputs)
    assert np.array_equal(data.coords["time_"], np.arange(20) * 0.5)
    assert data["m"].dims == ("tick_", "sample_", "m_unit")


def test_a_dataset_without_such_names_has_plain_dimensions():
    with tc.Network("plain") as net:
        tc.output("y", tc.input("x", (3,)))
    data = tc.compile(net, "sim").run({"x": np.ones((2, 3))}, ticks=4).to_xarray()
    assert data["y"].dims == ("tick", "sample", "y_unit") and np.array_equal(data["time"], np.arange(4.0))


def test_a_certificate_is_checked_again(run: Any, tmp_path: Path):
    tc.certify(run).save(tmp_path / "c.json")
    assert {law.statement for law in recheck(tmp_path / "c.json").laws} >= {
        "the run, repeated from its seed, is the same"
    }


@pytest.mark.brian2
@pytest.mark.slow
def test_a_brian2_script_writes_every_output(tmp_path: Path):
    pytest.importorskip("brian2")
    with tc.Network("script") as net:
        x = tc.input("x", (3,))
        tc.output("file", x * 2.0)
        tc.output("allow_pickle", x * 3.0)
    tc.compile(net, "brian2", codegen="numpy").save(tmp_path / "s.py")
    np.savez(tmp_path / "x.npz", x=np.ones((1, 3)))
    command = [sys.executable, "s.py", "--inputs", "x.npz", "--out", "y.npz", "--codegen", "numpy"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    with np.load(tmp_path / "y.npz") as stored:
        assert {name: stored[name].max() for name in stored.files} == {"file": 2.0, "allow_pickle": 3.0}
