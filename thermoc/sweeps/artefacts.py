"""Compiled networks that the processes of one machine share while a sweep runs: each is compiled by one of them.

They lie in a folder of the user's caches, a file an artefact under the hash of all that it is made of: a SHA-256, then
a pickle. What a pickle says is run, so the folder must be its owner's alone, as that of kernels must, and nothing is
read whose hash does not agree. Whoever uses the folder holds a lock on it, and on an artefact while it is compiled;
the system takes locks from a process that is killed. The last to leave removes the folder, and those of the killed.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import shutil
from collections.abc import Generator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from thermoc.api import Executable
from thermoc.simulator.private import why_not_private
from thermoc.support.errors import ThermocError
from thermoc.support.files import cache_root, write_atomic
from thermoc.support.locks import locked

HELD = "held"
"""The file whose lock says that a folder is in use."""
_HASH = hashlib.sha256().digest_size


class SharedArtefacts:
    """The folder of one sweep's artefacts on this machine. Where there can be none, every process compiles its own."""

    def __init__(self, sweep: str):
        self._held: IO[bytes] | None = None
        self._folder = cache_root() / "artefacts" / sweep
        with suppress(OSError):
            _remove_left(self._folder)
            self._held = _entered(self._folder)

    @property
    def usable(self) -> bool:
        """Whether there is a folder."""
        return self._held is not None

    @contextmanager
    def alone(self, key: str) -> Generator[None, None, None]:
        """Wait until no other process compiles what lies under this key."""
        with ExitStack() as stack:
            with suppress(OSError):
                if self.usable:
                    locked(stack.enter_context(open(self._folder / f"{key}.lock", "ab")), wait=True)
            yield

    def get(self, key: str) -> Executable | None:
        """Return what lies under a key, None where nothing whole does."""
        if not self.usable:
            return None
        try:
            content = (self._folder / key).read_bytes()
            return pickle.loads(content[_HASH:]) if _checksum(key, content[_HASH:]) == content[:_HASH] else None
        except Exception:  # it is not there, or of a class that this process cannot take in
            return None

    def put(self, key: str, exe: Executable) -> None:
        """Leave an executable for others; one that cannot be written down is compiled by each of them."""
        if not self.usable:
            return
        try:
            _ = exe.artefact  # computed now, and once
            payload = pickle.dumps(exe)
        except ThermocError:  # told by the run
            return
        except Exception:  # of another package, and holds what no pickle can
            return
        with suppress(ThermocError):  # a full disk
            write_atomic(self._folder / key, _checksum(key, payload) + payload)

    def close(self) -> None:
        """Leave the folder; the last to leave removes it."""
        if self._held is not None:
            with self._held as stream, suppress(OSError):
                if locked(stream, shared=False):
                    shutil.rmtree(self._folder, ignore_errors=True)
            self._held = None


def _entered(folder: Path) -> IO[bytes] | None:
    """Return the lock of a folder, which is made where it is not there; None where it cannot be trusted."""
    for _ in range(9):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if why_not_private(folder):
            return None
        stream = open(folder / HELD, "ab")  # noqa: SIM115  kept as long as the folder is used
        # removed between by the last that left: then the next is another file
        if locked(stream, shared=True) and _is_same(stream, folder / HELD):
            return stream
        stream.close()
    return None


def _is_same(stream: IO[bytes], path: Path) -> bool:
    with suppress(OSError):
        return os.path.samestat(os.fstat(stream.fileno()), path.stat())
    return False


def _remove_left(mine: Path) -> None:
    """Remove the folders of sweeps all of whose processes were killed."""
    for folder in [path for path in mine.parent.glob("*") if path != mine]:
        with suppress(OSError), open(folder / HELD, "ab") as stream:
            if locked(stream, shared=False):
                shutil.rmtree(folder, ignore_errors=True)


def _checksum(key: str, payload: bytes) -> bytes:
    # the key too, so that a file which was renamed does not pass for another
    return hashlib.sha256(key.encode() + payload).digest()
