"""Files written whole or not at all, and the folder of caches."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
import zlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

from thermoc.support.errors import error
from thermoc.support.loading import check_path, shown
from thermoc.support.locks import locked
from thermoc.support.suggestions import near

Content = bytes | Callable[[IO[bytes]], object]
"""What a file is to hold: its bytes, or a function that writes them into a stream."""

_LONGEST_NAME = 255


def cache_root() -> Path:
    """Return the folder that holds caches: $THERMOC_CACHE, else the platform's place for them."""
    named = os.environ.get("THERMOC_CACHE")
    if named:
        return Path(named)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "thermoc"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "thermoc"


def write_atomic(path: str | os.PathLike[str], content: Content) -> int:
    """Write a file so that ``path`` holds either the old content or all of the new; return its size in bytes.

    A temporary file beside it is written, brought to the disk and renamed; those that killed processes left of the same
    path are removed. A device or a pipe (``/dev/null``) is written into, never replaced. Errors: T505 where the folder
    is missing or full or cannot be written.
    """
    check_path(path)
    target = Path(path)
    if _is_special(target):
        return _write_into(target, content)
    handle, name = _beside(target)
    try:
        with os.fdopen(handle, "wb") as stream:
            _put(stream, content)
            stream.flush()
            # Else the rename may reach the disk before the content: after a power cut the file would be empty.
            os.fsync(stream.fileno())
            size = os.fstat(stream.fileno()).st_size
            if os.name == "nt":
                stream.close()  # Windows renames no file that is open; elsewhere it stays locked until it is renamed
            # mkstemp makes files that their owner alone may read.
            os.chmod(name, 0o666 & ~_umask())
            os.replace(name, target)
        _sync_folder(target.parent)
    # After an interrupt too no temporary file may stay behind.
    except BaseException as reason:
        with suppress(OSError):
            os.unlink(name)
        if isinstance(reason, OSError):
            raise _unwritable(target, reason) from None
        raise
    return size


def _put(stream: IO[bytes], content: Content) -> None:
    if callable(content):
        content(stream)
    else:
        stream.write(content)


def _sync_folder(folder: Path) -> None:
    """Bring a rename to the disk, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def picture_format(path: str | os.PathLike[str], known: Sequence[str]) -> str:
    """Return how a picture is written, as the suffix says, without its dot. Errors: T111, T404."""
    check_path(path)
    kind = Path(path).suffix.lstrip(".")
    if kind not in known:
        notes, hint = [f"there are {', '.join(f'.{name}' for name in known)}"], near(kind, known)
        raise error("T404", f"no picture can be written as {Path(path).name!r}", notes=notes, hint=hint)
    return kind


def can_write(path: str | os.PathLike[str]) -> None:
    """Refuse, before work is done, a path that could not be written after it; nothing is left there. Errors: T505."""
    check_path(path)
    if _is_special(Path(path)):
        return
    handle, name = _beside(Path(path))
    os.close(handle)
    os.unlink(name)


def _is_special(target: Path) -> bool:
    """Tell whether something stands there that is neither a file nor a folder: a device, a pipe."""
    try:
        return target.exists() and not target.is_file() and not target.is_dir()
    except OSError:  # a name that is too long
        return False


def _write_into(target: Path, content: Content) -> int:
    try:
        with open(target, "wb") as stream:
            _put(stream, content)
        return len(content) if isinstance(content, bytes) else 0
    except OSError as reason:
        raise _unwritable(target, reason) from None


def _beside(target: Path) -> tuple[int, str]:
    """Return an open temporary file in the target's folder, and its name. Errors: T505."""
    try:
        if target.is_dir():
            raise error(
                "T505", f"{shown(target)} cannot be written", notes=["it is a folder"], hint="name a file in it"
            )
        # The temporary name is short: the rename would be the first to fail, when the work is done.
        if len(os.fsencode(target.name)) > _LONGEST_NAME:
            raise OSError(errno.ENAMETOOLONG, f"its name has {len(target.name)} letters")
        # In the same folder, for a rename is atomic within one file system only.
        prefix = f".thermoc.{zlib.crc32(os.fsencode(target.name)):08x}."
        _remove_left(target.parent, prefix)
        handle, name = tempfile.mkstemp(prefix=prefix, dir=target.parent)
        locked(handle)
        return handle, name
    except (OSError, ValueError) as reason:
        raise _unwritable(target, reason) from None


def _remove_left(folder: Path, prefix: str) -> None:
    """Remove the temporary files of writers that were killed; those of others are locked by their processes."""
    for path in folder.glob(f"{prefix}*"):
        with suppress(OSError):
            handle = os.open(path, os.O_RDONLY)
            try:
                if locked(handle):
                    path.unlink()
            finally:
                os.close(handle)


def make_folder(path: Path) -> None:
    """Make a folder and those above it, where they are not there. Errors: T505."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as reason:
        raise _unwritable(path, reason) from None


def _unwritable(path: Path, reason: Exception):
    full = getattr(reason, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    hint = "make room there, or choose another path" if full else "create the folder first, or choose another path"
    note = str(getattr(reason, "strerror", None) or reason)
    return error("T505", f"{shown(path)} cannot be written", notes=[note], hint=hint)


def _umask() -> int:
    # POSIX has no call that reads the mask without setting it.
    mask = os.umask(0)
    os.umask(mask)
    return mask
