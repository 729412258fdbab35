"""The command line on files of other tools: repairs are told on stderr, errors by their code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from frontends.models import chain, lif, written


def thermoc(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "thermoc", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, env=dict(os.environ))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    written(tmp_path / "a.nir", *chain(lif(4), shape=(4,), out=(4,)))
    np.savez(tmp_path / "x.npz", input=np.full((40, 1, 4), 5.0))
    with h5py.File(tmp_path / "bad.nir", "w") as file:
        file["node"] = h5py.ExternalLink("/etc/passwd", "/")
    return tmp_path


def test_commands_take_a_nir_file(folder: Path):
    shown = thermoc("show", "a.nir", cwd=folder)
    assert shown.returncode == 0
    assert "spiking.lif" in shown.stdout
    assert shown.stderr.startswith("W501: the file states no time step: 0.0001 s\n")
    done = thermoc("run", "a.nir", "-i", "x.npz", "--json", cwd=folder)
    assert json.loads(done.stdout)["outputs"][0]["max"] == 1.0
    assert "W501" in done.stderr
    done = thermoc("verify", "a.nir", "-i", "x.npz", "-t", "sim,onnx", cwd=folder)
    assert done.returncode == 0, done.stdout
    done = thermoc("compile", "a.nir", "-t", "onnx", "-o", "a.onnx", cwd=folder)
    assert (done.returncode, (folder / "a.onnx").exists()) == (0, True)


def test_a_hostile_file_is_an_error_without_a_traceback(folder: Path):
    done = thermoc("show", "bad.nir", "--json", cwd=folder)
    assert done.returncode == 1
    assert done.stderr.startswith("T507: bad.nir uses an external link (b'node'), which is refused")
    assert "Traceback" not in done.stderr
    assert json.loads(done.stdout)["errors"][0]["code"] == "T507"
