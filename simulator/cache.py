"""Compiled kernels kept on disk, under a hash of everything they are made of.

Numba's own cache looks only at the file of the function it stores, not at the functions it calls, and writes beside
the source, which may be read-only. Ours lies in the user's cache folder (``THERMOC_CACHE`` names another place), one
file a function and signature: a SHA-256, then Numba's pickle with the machine code. What a pickle says is run, so
nothing is read from a folder that others may write, nor before its hash agrees: then kernels are compiled in memory.
"""

from __future__ import annotations

import hashlib
import os
import pickle
import platform
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite
import numba
from numba.core import caching, compiler, serialize, sigutils

from thermoc.simulator.private import why_not_private
from thermoc.simulator.sources import digest
from thermoc.support import notices
from thermoc.support.files import cache_root

VERSIONS = f"1 {numba.__version__} {llvmlite.__version__} {platform.python_version()} {sys.implementation.cache_tag}"
WORTH_TELLING = 1.0
"""Seconds of compiling from which on they are announced."""
_HASH = hashlib.sha256().digest_size
_SIGNATURE = 3
"""Where in what Numba pickles the signature stands that the code was compiled for."""


class KernelCache(caching._Cache):
    """Where one function's machine code is kept. A damaged file is compiled anew; a full disk keeps nothing."""

    def __init__(self, dispatcher: Any, title: str, seconds: float, text: str, made_of: Sequence[str]):
        self._function, self._options = dispatcher.py_func, dispatcher.targetoptions
        self._title, self._seconds, self._text = title, seconds, text
        self._made_of = made_of or (dispatcher.py_func.__module__,)

    @property
    def cache_path(self) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        return str(folder() or "")

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        target_context.refresh()
        path = self.path(sig, target_context.codegen())
        if path is not None:
            try:
                content = path.read_bytes()
                payload = content[_HASH:]
                if _checksum(path.name, payload) == content[:_HASH]:
                    parts = pickle.loads(payload)
                    # types that read alike may differ, as named tuples whose fields do: that code is for others
                    if parts[_SIGNATURE].args == sigutils.normalize_signature(sig)[0]:
                        return compiler.CompileResult._rebuild(target_context, *parts)
            except Exception:  # no such file, one that cannot be read, or code that this process cannot take in
                pass
        if self._seconds >= WORTH_TELLING:
            announce(self._title, self._seconds)
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        path = self.path(sig, data.codegen)
        # code that holds addresses of this process would lead another astray
        if path is None or data.library.has_dynamic_globals or any(not loop.can_cache for loop in data.lifted):
            return
        payload = serialize.dumps(data._reduce())
        with suppress(OSError):
            _write(path, _checksum(path.name, payload) + payload)

    def enable(self) -> None:
        """Nothing: it always is."""

    def disable(self) -> None:
        """Nothing: it always is."""

    def flush(self) -> None:
        """Nothing: a changed function has another file."""

    def path(self, sig: Any, codegen: Any) -> Path | None:
        """Return the file of a signature on this processor, or None where none may be kept."""
        sources, kernels = [digest(module) for module in self._made_of], folder()
        if None in sources or kernels is None:
            return None
        # Numba compiles the values of a closure into the code as constants
        closure = [cell.cell_contents for cell in self._function.__closure__ or ()]
        # sets are sorted: their order, with the hashes of strings, changes from process to process
        options = sorted(
            (name, sorted(value) if isinstance(value, set) else repr(value)) for name, value in self._options.items()
        )
        description = (
            f"{VERSIONS} {sources} {self._text} {self._function.__qualname__} {sig} {codegen.magic_tuple()} {options}"
        )
        key = hashlib.sha256(description.encode() + self._function.__code__.co_code + serialize.dumps(closure))
        return kernels / f"{self._function.__name__}-{key.hexdigest()[:32]}.kernel"


def keep(
    dispatcher: Any, title: str = "a kernel", seconds: float = 0.0, *, text: str = "", made_of: Sequence[str] = ()
) -> Any:
    """Let a compiled function be kept on disk; return it. What takes long to compile says so, by ``title``.

    text: of a function that was generated. made_of: the modules it is made of, if not its own alone.
    """
    if hasattr(dispatcher, "targetoptions"):  # NUMBA_DISABLE_JIT leaves a plain function
        dispatcher._cache = KernelCache(dispatcher, title, seconds, text, made_of)
    return dispatcher


def folder() -> Path | None:
    """Return the folder of kernels, or None where there can be none that others could not have written."""
    return _folder(cache_root() / "kernels")


def announce(title: str, seconds: float) -> None:
    """Tell on stderr what is compiled and how long it takes, unless inside ``quiet``."""
    if _QUIET:
        return
    kernels = folder()
    once = f"once, kept in {kernels}" if kernels else "for this process alone"
    notices.notify(f"thermoc: compiling {title}, {once}: about {max(1, round(seconds))} s ...")


_QUIET: list[None] = []


@contextmanager
def quiet() -> Iterator[None]:
    """Inside it nothing is announced."""
    _QUIET.append(None)
    try:
        yield
    finally:
        _QUIET.pop()


@cache
def _folder(kernels: Path) -> Path | None:
    try:
        kernels.mkdir(mode=0o700, parents=True, exist_ok=True)
        reason = why_not_private(kernels)
    except OSError:
        return None
    if reason:
        notices.notify(f"thermoc: compiled kernels are not kept: {reason}, and could be replaced")
        return None
    return kernels.resolve()


def _checksum(name: str, payload: bytes) -> bytes:
    # the name too, so that a file which was renamed does not pass for another function
    return hashlib.sha256(name.encode() + payload).digest()


def _write(path: Path, content: bytes) -> None:
    # written beside and renamed: another process sees all of a file or none
    handle, name = tempfile.mkstemp(prefix=".", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        os.replace(name, path)
    except OSError:
        with suppress(OSError):
            os.unlink(name)
        raise
