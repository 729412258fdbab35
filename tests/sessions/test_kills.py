"""kill -9 at random instants, resume: the same bytes at the end (``make test-kill`` does a thousand)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="it forks")
@pytest.mark.parametrize(("of", "count", "needs"), [("run", 12, "zarr"), ("training", 5, "torch")])
def test_killed_and_resumed_it_ends_in_the_same_bytes(of: str, count: int, needs: str):
    pytest.importorskip(needs)
    # A process of its own: what is forked must have no threads.
    script = Path(__file__).parents[1] / "kills.py"
    command = [sys.executable, str(script), "--of", of, "--kills", str(count), "--ticks", "2000"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 ended otherwise" in done.stdout
