"""The examples with spiking units, run as a user would."""

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def run(script: str, *words: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess:
    command = [sys.executable, str(ROOT / "examples" / script), *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, env=os.environ | environment)


def test_the_unit_spikes_when_the_published_ones_do(tmp_path: Path, shared: Path):
    done = run("lif_platforms.py", "lif.png", cwd=tmp_path, THERMOC_SHARED=str(shared.parent))
    assert done.returncode == 0, done.stderr
    spikes = dict(re.findall(r"^\s*(\S.*?)\s{2,}((?:\d{3} ?)+)\s", done.stdout, re.MULTILINE))
    for name in ("thermoc, sim", "closed form", "Norse", "snnTorch"):
        assert spikes[name].split() == ["460", "510", "710", "760"], name
    assert spikes["Loihi 2"].split() == ["461", "511", "711", "761"]
    assert (tmp_path / "lif.png").read_bytes().startswith(b"\x89PNG")


def test_absent_traces_are_told_of(tmp_path: Path):
    done = run("lif_platforms.py", cwd=tmp_path, THERMOC_SHARED=str(tmp_path))
    assert done.returncode == 1
    assert "traces are absent" in done.stderr and "Traceback" not in done.stderr


def test_the_cuba_network_fires_at_its_rate(tmp_path: Path):
    """Brian2 gives 5.4 Hz for these connections and first potentials; the mean over seeds wanders by 0.2 Hz."""
    done = run("cuba.py", cwd=tmp_path)
    excites, inhibits = map(float, re.findall(r"([\d.]+) Hz", done.stdout))
    assert abs(excites - 5.4) < 0.8 and abs(inhibits - 5.4) < 0.8
