"""A backend alone, without the op it was written for, found through its entry point; or one that does not load."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

BACKEND = Path(__file__).parent / "package" / "thermoc_twolevel" / "backend.py"
MODEL = """
import thermoc as tc

with tc.Network("n") as good:
    tc.output("y", -tc.input("x", (2,)))
with tc.Network("n") as bad:
    tc.output("y", tc.sin(tc.input("x", (2,))))
"""


def install(folder: Path, entry: str) -> None:
    """Lay out what an installer would: the module, and its metadata with the entry point."""
    shutil.copy(BACKEND, folder / "text_backend.py")
    info = folder / "text_backend-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: text-backend\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[thermoc.backends]\ntwolevel-text = {entry}\n")
    (folder / "model.py").write_text(MODEL)


def thermoc(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, "-m", "thermoc", *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=300)


def test_a_plugin_is_a_target_like_ours(tmp_path: Path):
    install(tmp_path, "text_backend:TextBackend")
    rows = {row["op"]: row["twolevel-text"] for row in json.loads(thermoc(tmp_path, "targets", "--json").stdout)}
    assert rows["core.neg"] == "native"
    assert rows["core.sin"] == "no: it has no sine"
    assert rows["core.flatten"] == "expanded"
    done = thermoc(tmp_path, "compile", "model.py:good", "-t", "twolevel-text")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "n.txt").read_text().startswith('network "n"')
    refused = thermoc(tmp_path, "compile", "model.py:bad", "-t", "twolevel-text")
    assert refused.returncode == 1
    assert refused.stderr.startswith("T301: target 'twolevel-text' cannot hold core.sin")


def test_a_plugin_that_does_not_load_is_named(tmp_path: Path):
    install(tmp_path, "text_backend:NoSuchBackend")
    done = thermoc(tmp_path, "compile", "model.py:good", "-t", "twolevel-text")
    assert done.returncode == 1
    assert done.stderr.startswith("T302: target 'twolevel-text' does not load")
