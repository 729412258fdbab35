"""What a run in Lava may leave behind."""

from __future__ import annotations

from pathlib import Path


def left_behind(folder: Path, mark: str) -> list[str]:
    """Return processes, shared memory and sockets of a run in this folder, with this mark, that are there now."""
    found = [f"shared memory {path.name}" for path in Path("/dev/shm").glob(f"*{mark}*")]
    found += [f"file {path}" for path in [*folder.rglob("*"), *Path("/tmp").glob(f"*{mark}*")]]
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += [f"process {path.parent.name}"] * (bytes(folder) in path.read_bytes())
        except OSError:
            continue
    return found
