"""Compiled kernels kept on disk, under a stamp of everything they are made of.

Numba's own cache looks only at the file of the function it stores, not at the functions it calls, and writes beside
the source, which may be read-only. Ours lives in the user's cache folder, under a hash of every kernel source and
the versions of Numba and Python: a changed kernel has another folder. ``THERMOC_CACHE`` names another place.
"""

from __future__ import annotations

import hashlib
import platform
from contextlib import suppress
from pathlib import Path
from typing import Any

import numba
from numba.core import caching

from thermoc.support.files import cache_root

HERE = Path(__file__).parent


def stamp() -> str:
    """Return a hash of the kernels' sources and of what compiles them."""
    digest = hashlib.sha256(f"{numba.__version__} {platform.python_version()}".encode())
    for path in kernel_files():
        digest.update(path.read_bytes())
    return digest.hexdigest()[:20]


def kernel_files() -> list[Path]:
    """Return every source file that compiled code may depend on."""
    from thermoc.support import philox

    return [*sorted(HERE.rglob("*.py")), Path(philox.__file__)]


class _Locator(caching._CacheLocator):
    """Says where one function's machine code lies, and by what it is known to be current."""

    def __init__(self, py_func: Any):
        self._name = py_func.__name__

    def get_cache_path(self) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        return str(cache_root() / "kernels" / stamp())

    def get_source_stamp(self) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        return stamp()

    def get_disambiguator(self) -> str:  # pyright: ignore[reportIncompatibleMethodOverride]
        return self._name

    @classmethod
    def from_function(cls, py_func: Any, py_file: str) -> _Locator | None:
        return cls(py_func)


class _Impl(caching.CompileResultCacheImpl):
    _locator_classes = [_Locator]  # noqa: RUF012  (numba reads it as a class attribute)


class KernelCache(caching.FunctionCache):
    """Numba's function cache at our place. A damaged file is compiled anew; a full disk keeps nothing."""

    _impl_class = _Impl

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # reading damaged bytes can raise anything
            with suppress(OSError):
                self.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        with suppress(OSError):
            super().save_overload(sig, data)


def empty() -> bool:
    """Tell whether no compiled kernel is kept yet, so that the first run will have to compile."""
    return not any((cache_root() / "kernels" / stamp()).glob("*.nbc"))


def keep(dispatcher: Any) -> Any:
    """Let a compiled function be kept on disk, where the folder can be written; return it."""
    try:
        Path(cache_root() / "kernels" / stamp()).mkdir(parents=True, exist_ok=True)
        dispatcher._cache = KernelCache(dispatcher.py_func)
    except (OSError, RuntimeError, AttributeError):  # the last where NUMBA_DISABLE_JIT leaves a plain function
        return dispatcher
    return dispatcher
