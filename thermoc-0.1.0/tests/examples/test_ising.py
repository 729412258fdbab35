"""The example that finds a phase transition, run as a user would."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_transition_is_found_within_a_third_of_a_percent(tmp_path):
    """T_c from Binder crossings against 2.269185; the seed is fixed. The bound is 0.3 %, the error bar 0.05 %."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples/ising_phase_transition.py"), "ising.png"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"T_c = ([\d.]+) \+- ([\d.]+)", done.stdout)
    assert found is not None, done.stdout
    assert abs(float(found[1]) / 2.269185314 - 1) < 0.003
    assert float(found[2]) < 0.003
    assert (tmp_path / "ising.png").read_bytes().startswith(b"\x89PNG")
