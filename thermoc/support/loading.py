"""The one way to the bytes of a file that somebody else wrote, and what a failure inside its reader becomes."""

from __future__ import annotations

import os
import stat
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from thermoc.support.errors import ThermocError, caller, error

LFS = b"version https://git-lfs.github.com/spec/"
_SHOWN = 160


def check_path(path: object) -> None:
    """Refuse what is no name of a file: None, a number, bytes. Errors: T111."""
    if not isinstance(path, str | os.PathLike):
        notes, hint = [f"it is {cut(repr(path), 60)}"], 'give a text, "run.zarr", or a pathlib.Path'
        raise error("T111", "this is no name of a file", where=caller(), notes=notes, hint=hint)


def read_bytes(path: str | os.PathLike[str], *, most: int) -> bytes:
    """Return the content of a regular file of at most ``most`` bytes.

    A pipe or a device is refused, for it may never end; so is a file that grows while it is read.
    Errors: T111 (no name), T501 (missing, no file, a Git LFS pointer), T504 (larger than ``most``).
    """
    check_path(path)
    try:
        # Without O_NONBLOCK, opening a pipe that nobody writes to waits for ever.
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        with os.fdopen(handle, "rb") as stream:
            # Of the open file: what stands at the path may be exchanged between a look and the opening.
            about = os.fstat(handle)
            if not stat.S_ISREG(about.st_mode):
                kind = "a folder" if stat.S_ISDIR(about.st_mode) else "a device or a pipe"
                raise unreadable(path, f"it is {kind}, not a file")
            if about.st_size > most:
                raise too_large(path, about.st_size, most)
            # One byte more than it had: where that comes, the file is growing.
            data = stream.read(about.st_size + 1)
    except (OSError, ValueError) as reason:
        raise unreadable(path, str(getattr(reason, "strerror", None) or reason)) from None
    if len(data) > about.st_size:
        raise unreadable(path, "it grows while it is read")
    _check_pointer(path, data)
    return data


def read_text(path: str | os.PathLike[str], *, most: int) -> str:
    """Return the content of a UTF-8 file; a byte order mark is passed over. Errors: those of ``read_bytes``; T501."""
    try:
        return read_bytes(path, most=most).decode("utf-8-sig")
    except UnicodeDecodeError as reason:
        raise unreadable(path, f"it is not UTF-8: {reason}") from None


@contextmanager
def reading(source: object, format: str) -> Generator[None, None, None]:
    """Turn what fails inside a reader into a coded error that names the file and its format.

    Readers check what they read; this stands behind them, so that what no check foresaw is no crash either.
    """
    try:
        yield
    except ThermocError:
        raise
    except (MemoryError, RecursionError) as reason:
        what = "more memory than there is" if isinstance(reason, MemoryError) else "deeper nesting than can be read"
        raise error("T504", f"{shown(source)} asks for too much", notes=[f"{format} that needs {what}"]) from reason
    except Exception as reason:
        raise damaged(source, format, f"{type(reason).__name__}: {reason}") from reason


def unreadable(source: object, fact: str) -> ThermocError:
    """Return the error of a file whose bytes cannot be had."""
    return error("T501", f"{shown(source)} cannot be read", notes=[fact], hint="check the path")


def too_large(source: object, size: int, most: int) -> ThermocError:
    """Return the error of a file that is larger than its reader takes."""
    return error("T504", f"{shown(source)} holds {size} bytes", notes=[f"the limit is {most} bytes"])


def damaged(source: object, format: str, fact: str) -> ThermocError:
    """Return the error of a file whose content is not what its format says."""
    what = f"{shown(source)} is damaged, or not {format}"
    return error("T502", what, notes=[cut(fact)], hint="save or download it again")


def shown(source: object) -> str:
    """Return a path or label as messages show it; the middle of a very long one is left out."""
    text = os.fspath(cast("os.PathLike[str]", source)) if isinstance(source, os.PathLike) else str(source)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN // 2]}...{text[-_SHOWN // 2 :]}"


def cut(text: str, most: int = 300) -> str:
    """Return a text that came from a file, no longer than a message bears."""
    return text if len(text) <= most else f"{text[:most]}... ({len(text)} letters)"


def _check_pointer(path: str | os.PathLike[str], data: bytes) -> None:
    """Refuse a Git LFS pointer: a few lines that stand where Git has not fetched the file. Errors: T501."""
    if data.startswith(LFS):
        what = f"{Path(path)} is a Git LFS pointer, not the file itself"
        lines = [line for line in data[:400].decode("utf-8", "replace").splitlines()[1:3] if line]
        raise error("T501", what, notes=lines, hint="fetch the file: git lfs pull")
