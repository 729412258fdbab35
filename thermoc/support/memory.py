"""How much memory there is to be had: of the machine, or of the group of processes (a container) that limits us."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from thermoc.support.errors import error

GROUPS = Path("/sys/fs/cgroup")
LIMITS = (("memory.max", "memory.current"), ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"))
"""Files of the limit and of what is used, in the second and the first version of control groups."""


def available(groups: Path = GROUPS) -> int | None:
    """Return the bytes that can still be had without swapping, or None where the system does not tell."""
    reported = [number for number in (_machine(), *_group(groups)) if number is not None]
    return min(reported, default=None)


def _machine() -> int | None:
    """Return what Linux says is available, elsewhere the machine's memory."""
    with suppress(OSError, ValueError, IndexError):
        # MemAvailable counts caches that can be dropped; MemFree does not, and is small on any busy machine.
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    with suppress(OSError, ValueError, AttributeError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return None


def _group(groups: Path) -> Iterator[int]:
    """Yield limit - use of our control group and of those above it; files that can be dropped do not count as used."""
    for folder in _folders(groups):
        for limit, used in LIMITS:
            with suppress(OSError, ValueError):
                bound = int((folder / limit).read_text())  # "max" is no number: there is no limit
                yield max(0, bound - int((folder / used).read_text()) + _droppable((folder / used).parent))


def _folders(groups: Path) -> list[Path]:
    """Return the folder of our group, as a container sees it, and of those above it."""
    folders = [groups]
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            # Only the second version has a line 0::/path; lines of the first name controllers and add no folder here.
            cgroup = Path(line.partition("::")[2].lstrip("/"))
            folders += [groups / cgroup, *(groups / above for above in cgroup.parents)]
    return list(dict.fromkeys(folders))


def _droppable(folder: Path) -> int:
    with suppress(OSError, ValueError, IndexError):
        for line in (folder / "memory.stat").read_text().splitlines():
            # Pages of files count as used, yet the kernel drops them before it refuses memory.
            if line.startswith(("inactive_file ", "total_inactive_file ")):
                return int(line.split()[1])
    return 0


def readable(size: float) -> str:
    """Return a number of bytes with its unit: 12.5 GiB."""
    for unit in ("bytes", "KiB", "MiB", "GiB", "TiB"):
        if size < 1024 or unit == "TiB":
            break
        size /= 1024
    return f"{size:.4g} {unit}"


UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12} | {
    f"{letter}{end}": 2 ** (10 * power) for power, letter in enumerate("KMGT", 1) for end in ("", "IB")
}
"""Letters behind a size, as upper case: 2G and 2GiB are powers of two, 2GB is a power of ten."""


def parsed(size: int | str, option: str) -> int:
    """Return the bytes of a size, "12.5GiB", "500 MB" or a number of bytes. Errors: T404."""
    match = re.fullmatch(r"\s*(\d{1,15}(?:\.\d{1,9})?)\s*([a-zA-Z]*)\s*", str(size))
    if match is None or match[2].upper() not in UNITS or isinstance(size, bool):
        raise error("T404", f"{option} must be a size", notes=[f"{option} = {size!r}"], hint="e.g. 12.5GiB or 500MB")
    return int(float(match[1]) * UNITS[match[2].upper()])
