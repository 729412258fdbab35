"""The examples of associative memory, of generation and of training for chips, run as a user would, at a size that tests can wait for."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def run(script: str, *words: str, cwd: Path) -> str:
    command = [sys.executable, str(ROOT / "examples" / script), *words]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (cwd / words[0]).read_bytes().startswith(b"\x89PNG")
    return done.stdout


@pytest.mark.slow
def test_digits_are_recalled_and_the_capacity_falls_with_temperature(tmp_path: Path):
    said = run("associative_memory.py", "memory.png", "300", cwd=tmp_path)
    assert "10 of 10 digits" in said
    assert len(re.findall(r"recall breaks at 0\.\d+, theory 0\.\d+", said)) == 3


@pytest.mark.slow
def test_machines_draw_digits(tmp_path: Path):
    """Twelve epochs are enough for every assertion of the example."""
    said = run("generate_digits.py", "digits.png", "12", cwd=tmp_path)
    assert "restricted machine: -" in said and "variational bound" in said


@pytest.mark.slow
def test_digits_are_trained_for_two_chips(tmp_path: Path):
    """A dozen steps show that it runs; its assertions want a whole training."""
    pytest.importorskip("torch")
    said = run("hardware_aware_digits.py", "digits.png", "12", cwd=tmp_path)
    assert re.search(r"thermo-1: plain [+-]\d+\.\d+ points of float, trained [+-]", said)
    assert "Loihi, 16 ticks, seed 0: float 0." in said
