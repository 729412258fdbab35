"""Networks of snnTorch and Norse by tc.from_torch: no spike differs from the packages' own runs in 200 ticks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
SCRIPT = Path(__file__).parents[1] / "exporters" / "from_torch.py"
NETS = [name for name in SCRIPT.read_text().split("def ") if name.startswith(("snntorch_", "norse_"))]
NETS = [name.partition("(")[0] for name in NETS]


@pytest.fixture(scope="session")
def found(exporters: Path) -> dict[str, Any]:
    """What each network gave: the share of spikes, and how many differ."""
    site = next(exporters.parents[1].glob("lib/python3*/site-packages"))
    done = subprocess.run([sys.executable, SCRIPT, site], capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


def test_there_are_ten_networks_of_each():
    assert [sum(name.startswith(package) for name in NETS) for package in ("snntorch", "norse")] == [10, 10]


@pytest.mark.parametrize("name", NETS)
def test_no_spike_differs(found: dict[str, Any], name: str):
    assert found[name].get("differing") == 0, found[name]
    assert 0.02 < found[name]["rate"] < 0.98
