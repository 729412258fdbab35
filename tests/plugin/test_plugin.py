"""A backend in a package of its own, found through its entry point."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

PLUGIN = """
from dataclasses import dataclass

from thermoc.backends.base import Artefact, Backend
from thermoc.backends.interpreted import InterpretedSession
from thermoc.ir.target import TargetDescription
from thermoc.passes.discretize import Discretize
from thermoc.passes.legalize import Legalize

TARGET = TargetDescription(name="echo", summary="the reference, as a plugin", ops=frozenset(
    {"core.input", "core.output", "core.constant", "core.neg"}), refused={"core.sin": "it has no sine"})


@dataclass(frozen=True, kw_only=True)
class Options:
    pass


@dataclass(frozen=True, kw_only=True)
class Text(Artefact):
    graph: object
    suffix = ".txt"

    def to_bytes(self):
        return str(self.graph).encode()


class EchoBackend(Backend):
    name = "echo"
    Options = Options

    def target(self):
        return TARGET

    def lower(self, options, *, dt):
        return [Discretize(dt=dt), Legalize(target=TARGET)]

    def emit(self, lowered, options):
        return Text(graph=lowered.graph)

    def start(self, artefact, *, batch, position):
        return InterpretedSession(artefact.graph, batch=batch, position=position)
"""
MODEL = """
import thermoc as tc

with tc.Network("n") as good:
    tc.output("y", -tc.input("x", (2,)))
with tc.Network("n") as bad:
    tc.output("y", tc.sin(tc.input("x", (2,))))
"""


def install(folder: Path, entry: str) -> None:
    """Lay out what an installer would: the module, and its metadata with the entry point."""
    (folder / "echo_backend.py").write_text(PLUGIN)
    info = folder / "echo_backend-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: echo-backend\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[thermoc.backends]\necho = {entry}\n")
    (folder / "model.py").write_text(MODEL)


def thermoc(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, "-m", "thermoc", *arguments]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=300)


def test_a_plugin_is_a_target_like_ours(tmp_path: Path):
    install(tmp_path, "echo_backend:EchoBackend")
    rows = {row["op"]: row["echo"] for row in json.loads(thermoc(tmp_path, "targets", "--json").stdout)}
    assert rows["core.neg"] == "native"
    assert rows["core.sin"] == "no: it has no sine"
    assert rows["core.flatten"] == "expanded"
    done = thermoc(tmp_path, "compile", "model.py:good", "-t", "echo")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "n.txt").read_text().startswith('network "n"')
    refused = thermoc(tmp_path, "compile", "model.py:bad", "-t", "echo")
    assert refused.returncode == 1
    assert refused.stderr.startswith("T301: target 'echo' cannot hold core.sin")


def test_a_plugin_that_does_not_load_is_named(tmp_path: Path):
    install(tmp_path, "echo_backend:NoSuchBackend")
    done = thermoc(tmp_path, "compile", "model.py:good", "-t", "echo")
    assert done.returncode == 1
    assert done.stderr.startswith("T302: target 'echo' does not load")
