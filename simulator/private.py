"""Folders whose content may be run: none but their owner, who runs this process, can have put anything there."""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from pathlib import Path

OTHERS = stat.S_IWGRP | stat.S_IWOTH


def why_not_private(folder: Path) -> str:
    """Return why others could put files into a folder that exists, or replace it, or '' where they cannot."""
    if not hasattr(os, "getuid"):
        return ""  # Windows: a user's folders are closed to others unless they open them
    real, user = folder.resolve(), os.getuid()
    for path in (real, *real.parents):
        state = path.stat()
        if state.st_uid != user and (path == real or state.st_uid != 0):
            return f"{path} belongs to user {_name(state.st_uid)}"
        # in a folder with the sticky bit, such as /tmp, others cannot rename or remove what is not theirs
        shared = state.st_mode & OTHERS and not (path != real and state.st_mode & stat.S_ISVTX)
        if shared and not (state.st_mode & OTHERS == stat.S_IWGRP and _group_of_one(state.st_gid, user)):
            return f"{path} may be written by others"
    return ""


def _group_of_one(group: int, user: int) -> bool:
    """True for a user's private group, as many systems make it: it has the user's name and nobody else in it."""
    import grp
    import pwd

    with suppress(KeyError):
        name, entry = pwd.getpwuid(user).pw_name, grp.getgrgid(group)
        return entry.gr_name == name and set(entry.gr_mem) <= {name}
    return False


def _name(user: int) -> str:
    import pwd

    with suppress(KeyError):
        return pwd.getpwuid(user).pw_name
    return str(user)
