"""Artefacts are a function of what they mean: byte for byte the same over saves, folders, processes and hash seeds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from filefuzz import artefacts

KINDS = [
    *("network.thermo", "network.nir", "program.program", "chip.chip", "onnx.onnx", "script.py", "script.npz"),
    *("package.zip", "clocked.zip", "certificate.json", "package.lava"),
]


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """Digests by kind from two more processes, each with a hash seed and a working folder of its own."""
    found = []
    for seed in ("1", "77"):
        folder = tmp_path_factory.mktemp(f"seed{seed}")
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        command = [sys.executable, artefacts.__file__, str(folder)]
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout))
    return found


def test_every_artefact_is_the_same_bytes_everywhere(others: list[dict[str, str]], tmp_path: Path):
    here, again = artefacts.digests(tmp_path / "a"), artefacts.digests(tmp_path / "b")
    assert sorted(here) == sorted(KINDS)
    assert here == again == others[0] == others[1]


def test_no_artefact_names_a_place_of_its_authors_machine(tmp_path: Path):
    artefacts.digests(tmp_path)
    places = [
        str(Path(__file__).parents[2]).encode(),
        b"artefacts.py",
        str(Path.home()).encode() + b"/",
        bytes(tmp_path),
    ]
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert not [place for place in places if place in path.read_bytes()], path
