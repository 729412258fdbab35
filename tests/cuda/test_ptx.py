"""Every instruction compiles for GPUs, where there is none: to PTX of three compute capabilities."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("ptx_of_instructions.py")
CAPABILITIES = ("7.5", "8.0", "9.0")


@pytest.mark.slow
def test_every_instruction_compiles():
    """In a process of its own: this one has chosen numba-cuda's simulator."""
    if importlib.util.find_spec("numba_cuda") is None:
        if os.environ.get("CI"):
            pytest.fail("in CI nothing is skipped: pip install numba-cuda nvidia-nvvm nvidia-cuda-nvrtc")
        pytest.skip("numba-cuda is not installed")
    paths = os.pathsep.join([str(SCRIPT.parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
    env = {name: value for name, value in os.environ.items() if name != "NUMBA_ENABLE_CUDASIM"} | {"PYTHONPATH": paths}
    command = [sys.executable, str(SCRIPT), *CAPABILITIES]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    for line in map(json.loads, done.stdout.splitlines()):
        for capability, said in line["targets"].items():
            assert said == f".target sm_{capability.replace('.', '')}", line["names"]
        # they have not the bits of the CPU
        assert not line["inexact"], line
        # a GPU's driver takes minutes for more
        assert line["bytes"] < 2_000_000, line
