"""kill -9 at random instants, resume: the same bytes at the end (``make test-kill`` does a thousand)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="it forks")
def test_twenty_kills_end_in_the_same_bytes():
    pytest.importorskip("zarr")
    # A process of its own: what is forked must have no threads.
    command = [sys.executable, str(Path(__file__).parents[1] / "kills.py"), "--kills", "20", "--ticks", "2000"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 ended otherwise" in done.stdout
