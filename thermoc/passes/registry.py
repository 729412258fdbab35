"""Find passes by name: ours in the files of this folder, others under the entry-point group ``thermoc.passes``.

A pass stands in a file of its own name, ``explicit-broadcast`` in ``explicit_broadcast.py``, here or in a folder of
one target. So the name says which file to import, and no list of passes has to follow.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType

import thermoc.passes
from thermoc.passes.base import Pass
from thermoc.support.announced import PASSES
from thermoc.support.errors import error
from thermoc.support.suggestions import near

GROUP = PASSES


def names() -> tuple[str, ...]:
    """Return the names of all passes, ours first; this imports every file of passes."""
    ours = sorted(name for name, module in _modules().items() if _class_in(importlib.import_module(module)))
    return (*ours, *sorted(_announced().keys() - set(ours)))


@cache
def pass_class(name: str) -> type[Pass]:
    """Return the class of a pass by its name. Errors: T210 where there is none, or it does not load."""
    module = _modules().get(name)
    ours = None if module is None else _class_in(importlib.import_module(module))
    # Ours before those of packages: none of them can take the place of a pass of ours.
    if ours is not None:
        return ours
    if name in _announced():
        return _loaded(_announced()[name])
    hint = near(name, names(), "thermoc passes lists them")
    raise error("T210", f"there is no pass {name!r}", notes=[f"there are {', '.join(names())}"], hint=hint)


@cache
def _modules() -> Mapping[str, str]:
    """Return the files of passes by the name that a pass in them would have."""
    files = pkgutil.walk_packages(thermoc.passes.__path__, "thermoc.passes.")
    return {file.name.rpartition(".")[2].replace("_", "-"): file.name for file in files if not file.ispkg}


def _class_in(module: ModuleType) -> type[Pass] | None:
    name = module.__name__.rpartition(".")[2].replace("_", "-")
    classes = (item for item in vars(module).values() if isinstance(item, type) and issubclass(item, Pass))
    # A file imports other passes too: the one it is for has its name.
    return next((item for item in classes if not inspect.isabstract(item) and item.name == name), None)


def _announced() -> Mapping[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _loaded(point: EntryPoint) -> type[Pass]:
    try:
        loaded = point.load()
    except Exception as reason:  # a plugin may fail in any way; the user needs to know which
        raise _broken(point, str(reason)) from reason
    if not (isinstance(loaded, type) and issubclass(loaded, Pass)):
        raise _broken(point, "it is no class of a pass")
    return loaded


def _broken(point: EntryPoint, why: str) -> Exception:
    notes = [f"{point.value}: {why}"]
    return error("T210", f"pass {point.name!r} does not load", notes=notes, hint="reinstall the package that brings it")
