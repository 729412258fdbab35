"""Git LFS pointers: the few lines that a clone without Git LFS has in a large file's place."""

from __future__ import annotations

import os
import re

from thermoc.support.errors import error

START = re.compile(rb"version https://(?:git-lfs|hawser)\.github\.com/spec/v\d+\r?\n")
SIZE = re.compile(rb"^size (\d{1,20})\r?$", re.MULTILINE)
LONGEST = 1024  # bytes of a pointer, by its specification


def refuse_pointer(source: str | os.PathLike[str], start: bytes) -> None:
    """Refuse a file whose first bytes (1,024 are enough) are those of a Git LFS pointer. Errors: T501."""
    if not START.match(start):
        return
    size = SIZE.search(start[:LONGEST])
    stands = f" of {int(size[1])} bytes" if size else ""
    what, notes = f"{source} is a Git LFS pointer", [f"it stands for a file{stands} that was not downloaded"]
    raise error("T501", what, notes=notes, hint="run git lfs pull in its repository")
