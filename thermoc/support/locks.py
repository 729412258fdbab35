"""Locks on open files and folders, which the system takes from a process that ends, killed or not."""

from __future__ import annotations

from typing import IO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None


def locked(handle: int | IO[bytes], *, shared: bool = False, wait: bool = False) -> bool | None:
    """Lock an open file or folder until it is closed or its process ends.

    Return whether that was done, or another has it; None where the system has no such locks. shared: others may lock it
    shared too. wait: until others let go of it.
    """
    if fcntl is None:
        return None
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError:  # some file systems of networks
        return None
    return True
