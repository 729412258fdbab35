"""Chips from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = """
import numpy as np
import thermoc as tc

with tc.Network("bits") as net:
    tc.output("s", tc.sample_binary(tc.affine(tc.constant(np.ones(8)), np.eye(8)), 1.0))
"""


def thermoc(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "thermoc", *arguments], cwd=cwd, capture_output=True, text=True, timeout=300
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model.py").write_text(SOURCE)
    return tmp_path


def test_a_run_on_a_chip_is_told_and_drawn(folder: Path):
    pictures = ("--floorplan", "f.png", "--heat-map", "h.svg", "--trace", "t.json")
    done = thermoc(
        "run",
        "model.py:net",
        "--chip",
        "thermo-1",
        "-O",
        "temperature=die",
        "--ticks",
        "3",
        *pictures,
        "--json",
        cwd=folder,
    )
    assert done.returncode == 0, done.stderr
    chip = json.loads(done.stdout)["chip"]
    assert chip["chip"] == "thermo-1" and chip["ticks"] == 3 and chip["joules"] > 0 and chip["peak_kelvin"] > 300
    assert {path.name for path in folder.iterdir()} >= {"f.png", "h.svg", "t.json"}


def test_compiling_to_a_chip_writes_its_program_and_tells_what_is_used(folder: Path):
    done = thermoc("compile", "model.py:net", "--chip", "thermo-1", "-o", "net.chip", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "p-bits" in done.stdout and "65536" in done.stdout and (folder / "net.chip").stat().st_size > 500


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("run", "model.py:net", "--chip", "thermo-9"), "T305"),
        (("run", "model.py:net", "--chip", "isaac"), "T305"),
        (("run", "model.py:net", "--chip", ""), "T305"),
        (("compile", "model.py:net", "-t", "lava", "--chip", "thermo-1"), "T303"),
        (("compile", "model.py:net", "--dump-ir", "model.py"), "T505"),
        (("run", "model.py:net", "--chip", "thermo-9", "--trace", "nowhere/t.json"), "T505"),  # before anything runs
        (("run", "model.py:net", "--trace", "t.json"), "T404"),
        (("run", "model.py:net", "--chip", "thermo-1", "--heat-map", "h.gif"), "T404"),
    ],
)
def test_mistakes_are_told_and_leave_no_file(folder: Path, arguments: tuple[str, ...], code: str):
    done = thermoc(*arguments, cwd=folder)
    assert done.returncode == 1 and done.stderr.startswith(code) and "Traceback" not in done.stderr
    assert {path.name for path in folder.iterdir()} <= {"model.py", "__pycache__"}
