"""What compiled code is made of: the source files that a function's module imports, and theirs, within thermoc."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import sys
import time
from functools import cache
from pathlib import Path
from pkgutil import iter_modules

from thermoc.support.announced import DEVICES, INSTRUCTIONS, announced

_IMPORT = re.compile(r"^\s*(?:from\s+([\w.]+)\s+import\s+(\([^)]*\)|.*)|import\s+(.*))", re.MULTILINE)
"""By its text: to parse all sources takes longer than to load what was compiled of them."""
_COMMENT = re.compile(r"#.*")
STARTED = time.time()
"""Sources changed after this are not those that this process has loaded."""


@cache
def digest(module: str) -> str | None:
    """Return a hash of every source file that the code of a module can depend on.

    None where one was changed while this process ran: what is compiled now is then made of neither version for sure.
    """
    total = hashlib.sha256()
    for name, path in sorted(files(module).items()):
        content, changed = _read(path)
        if changed:
            return None
        # with the length, so that no text can pass from one file to the next unnoticed
        total.update(f"{name} {len(content)}\n".encode() + content)
    return total.hexdigest()


def files(module: str) -> dict[str, Path]:
    """Return the source files of a module and of what it imports from thermoc, at any depth, by name.

    A package that is only passed on the way to a module does not count.
    """
    reached, waiting = dict[str, Path](), [module]
    while waiting:
        name = waiting.pop()
        path = _path(name)
        if name not in reached and path is not None:
            reached[name] = path
            # of another package's rule, what it imports from its own package too
            waiting += _imports(path, name.partition(".")[0]) + _members(name, path)
    return reached


@cache
def _read(path: Path) -> tuple[bytes, bool]:
    return path.read_bytes(), STARTED < path.stat().st_mtime <= time.time()


@cache
def _imports(path: Path, package: str = "thermoc") -> tuple[str, ...]:
    """Return the modules of thermoc and of a package that a file names in its import statements, wherever these are."""
    names = []
    for module, members, modules in _IMPORT.findall(_read(path)[0].decode()):
        names += _words(modules)
        if module.split(".")[0] in ("thermoc", package):
            submodules = [f"{module}.{member}" for member in _words(members)]
            names += [submodule if _path(submodule) else module for submodule in submodules]
    return tuple(name for name in names if name.startswith(("thermoc.", f"{package}.")))


def _words(text: str) -> list[str]:
    """Return the names that an import statement lists, without what they are called here."""
    listed = _COMMENT.sub("", text).strip(" ()\n").split(",")
    return [word.split()[0] for word in listed if word.strip()]


def _members(package: str, path: Path) -> tuple[str, ...]:
    """Return the modules of a package that imports whatever lies in it, and so names none of them."""
    if path.name != "__init__.py" or b"iter_modules(" not in _read(path)[0]:
        return ()
    foreign = {"thermoc.simulator.devices.models": DEVICES, "thermoc.simulator.instructions": INSTRUCTIONS}
    modules = [point.module for point in announced(foreign[package])] if package in foreign else []
    return (*(f"{package}.{module.name}" for module in iter_modules([str(path.parent)])), *modules)


@cache
def _path(name: str) -> Path | None:
    """Return the file of a module, or None where there is no such module."""
    loaded = sys.modules.get(name)
    if loaded is None and not name.startswith("thermoc."):
        return None
    try:
        origin = (
            getattr(loaded, "__file__", None) if loaded else getattr(importlib.util.find_spec(name), "origin", None)
        )
    except ImportError:  # its parent is a module, not a package
        return None
    return Path(origin) if origin else None
