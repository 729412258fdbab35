"""A Python that is not Lava's is told of before anything is tried with it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import thermoc as tc
from thermoc.backends.lava import interpreter
from thermoc.cli.main import app


def network() -> tc.Network:
    with tc.Network("net") as net:
        tc.output("y", tc.loihi.dense(tc.input("x", (1,), dtype="i32"), [[2]]))
    return net


@pytest.mark.parametrize("kind", ["absent", "folder", "without lava"])
def test_a_python_without_lava_is_told_of(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    named = {"absent": tmp_path / "none", "folder": tmp_path, "without lava": Path(sys.executable)}[kind]
    monkeypatch.setenv("THERMOC_LAVA", str(named))
    with pytest.raises(tc.ThermocError) as caught:
        tc.compile(network(), target="lava").run({"x": np.ones((1, 1), int)}, ticks=2)
    told = str(caught.value)
    assert caught.value.code == "T302" and str(named) in told and "THERMOC_LAVA" in told
    assert interpreter.installed() == ""
    shown = CliRunner().invoke(app, ["doctor"]).stdout
    assert "lava-nc" in shown and "thermoc doctor --install lava" in shown


def test_the_one_that_was_made_has_lava(lava: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("THERMOC_LAVA", str(lava))
    assert interpreter.installed() == "0.10.0"


def test_a_package_says_that_it_needs_lava(tmp_path: Path):
    tc.compile(network(), target="lava").save(tmp_path / "net.lava")
    done = subprocess.run([sys.executable, "net.lava/run.py", "--check"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1 and "has no lava" in done.stderr and "Traceback" not in done.stderr
