"""``thermoc verify``, as a person runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

MODEL = """
import numpy as np
import thermoc as tc

with tc.Network("small", dt=0.5) as net:
    h = tc.tanh(tc.affine(tc.input("x", (3,)), np.eye(3)), name="h")
    tc.output("m", tc.memory(h, T=0.1))
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model.py").write_text(MODEL)
    np.savez(tmp_path / "x.npz", x=np.ones((2, 3)))
    return tmp_path


def thermoc(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")])
    command = [sys.executable, "-m", "thermoc", "verify", *arguments]
    return subprocess.run(
        command, cwd=cwd, capture_output=True, text=True, timeout=300, env={**os.environ, "PYTHONPATH": path}
    )


def test_a_network_that_holds_exits_with_0_and_draws_its_errors(folder: Path):
    options = ["-O", "onnx.precision=float64", "--probe", "h", "--plot", "error.svg", "--ticks", "20", "--seed", "7"]
    done = thermoc("model.py:net", "--targets", "sim,onnx", "--input", "x.npz", "--json", *options, cwd=folder)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["ok"] and (document["ticks"], document["batch"]) == (20, 2)
    assert {(row["target"], row["value"]) for row in document["rows"]} == {
        (target, value) for target in ("sim", "onnx") for value in ("m", "probe.h", "(final states)")
    }
    assert all(row["largest"] < 1e-12 for row in document["rows"])
    assert (folder / "error.svg").read_text().count("emission error") == 2  # a panel a target
    said = thermoc("model.py:net", cwd=folder)
    assert said.returncode == 0 and "1 of 1 targets hold" in said.stdout


def test_a_breach_exits_with_1_and_is_reduced(folder: Path):
    """float32 is held to a tolerance it cannot keep."""
    done = thermoc(
        *("model.py:net", "-t", "sim", "-O", "sim.precision=float32", "--tolerance", "1e-12", "--reduce", "small"),
        cwd=folder,
    )
    assert done.returncode == 1
    assert "lowering error of m begins in pass set-precision{dtype=f32}" in done.stdout
    assert "0 of 1 targets hold" in done.stdout
    assert (folder / "small.thermo").exists() and (folder / "small.npz").exists()
    again = thermoc(
        *("small.thermo", "-i", "small.npz", "-t", "sim", "-O", "sim.precision=float32", "--tolerance", "1e-12"),
        cwd=folder,
    )
    assert again.returncode == 1 and "breach" in again.stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["missing.thermo"], "T501"),
        (["model.py:net", "-t", "nowhere"], "T302"),
        (["model.py:net", "-t", ","], "T404"),
        (["model.py:net", "-O", "precision=float32"], "T303"),
        (["model.py:net", "-O", "onnx.precision=float32"], "T303"),
        (["model.py:net", "--probe", "q"], "T404"),
        (["model.py:net", "--plot", "error.gif"], "T404"),
        (["model.py:net", "--batch", "0"], "T404"),
        (["model.py:net", "-i", "model.py"], "T502"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else value,
)
def test_a_mistake_is_told_by_its_code(folder: Path, arguments: list[str], code: str):
    done = thermoc(*arguments, "--json", cwd=folder)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{code}: "), done.stderr
    assert json.loads(done.stdout)["errors"][0]["code"] == code
