"""NVIDIA's compute-sanitizer finds nothing in kernels of either way of sharing out the work, where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = """
import numpy as np
import thermoc as tc
from thermoc.simulator.cuda import engine
from thermoc.simulator.cuda import gpu as this_gpu

if {spread}:
    this_gpu.device().threads = 32
    engine.POINTS_OF_A_BLOCK = 0
with tc.Network("ring", dt=0.1) as net:
    J = np.roll(np.eye(64), 1, 0) + np.roll(np.eye(64), -1, 0)
    tc.output("s", tc.gibbs(np.zeros(64), J, T=0.5))
    tc.output("x", tc.ou_network(np.eye(64), 1.0))
    tc.output("y", tc.delay(tc.affine(tc.input("u", (64,)), np.eye(48, 64)), ticks=3))
tc.compile(net, device="cuda").run({{"u": np.ones((3, 64))}}, ticks=4)
"""


@pytest.mark.parametrize("spread", [False, True])
@pytest.mark.parametrize("tool", ["memcheck", "racecheck", "synccheck", "initcheck"])
def test_nothing_is_found(tool: str, spread: bool):
    sanitizer = shutil.which("compute-sanitizer") or shutil.which("compute-sanitizer", path="/usr/local/cuda/bin")
    if sanitizer is None:
        pytest.skip("compute-sanitizer is not installed")
    command = [sanitizer, "--tool", tool, "--error-exitcode", "9", sys.executable, "-c", SCRIPT.format(spread=spread)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    if "not supported" in done.stdout:
        pytest.skip(f"compute-sanitizer does not work here: {done.stdout.strip().splitlines()[-1]}")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
