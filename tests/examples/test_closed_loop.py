"""The example that balances a pole, run as a user would, with Lava and without."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from thermoc.backends.lava import interpreter

EXAMPLE = Path(__file__).parents[2] / "examples/closed_loop.py"


def run(cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(EXAMPLE), "pole.png"]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=os.environ | environment)
    assert done.returncode == 0, done.stderr
    assert (cwd / "pole.png").read_bytes().startswith(b"\x89PNG")
    return done


def test_without_lava_the_simulator_balances_it_alone(tmp_path: Path):
    done = run(tmp_path, THERMOC_LAVA=str(tmp_path / "no python"))
    assert "simulator: pole within 8" in done.stdout and "the simulator runs alone" in done.stdout


@pytest.mark.lava
def test_lava_pushes_as_the_simulator_does(tmp_path: Path):
    done = run(tmp_path, THERMOC_LAVA=str(interpreter.install()))
    assert "Lava: pole within 8" in done.stdout and "bit for bit" in done.stdout
