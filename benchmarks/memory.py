"""How much memory this process holds now."""

from __future__ import annotations

import os
from pathlib import Path


def resident() -> float:
    """Return the MiB of memory that the process has in use (Linux)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
