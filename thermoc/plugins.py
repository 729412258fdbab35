"""Backends: ours, and those that other packages announce under the entry-point group ``thermoc.backends``."""

from __future__ import annotations

import importlib
from functools import cache
from typing import TYPE_CHECKING

from thermoc.support.announced import BACKENDS
from thermoc.support.errors import error
from thermoc.support.suggestions import near

if TYPE_CHECKING:
    from thermoc.backends.base import Backend

GROUP = BACKENDS
OURS = {
    "sim": "thermoc.backends.sim:SimBackend",
    "onnx": "thermoc.backends.onnx:OnnxBackend",
    "brian2": "thermoc.backends.brian2:Brian2Backend",
    "lava": "thermoc.backends.lava:LavaBackend",
    "chip": "thermoc.backends.chip:ChipBackend",
}


def names() -> tuple[str, ...]:
    """Return the targets that can be named, ours first."""
    from importlib.metadata import entry_points

    # A package cannot replace a target of ours by announcing its name.
    announced = sorted({point.name for point in entry_points(group=GROUP)} - OURS.keys())
    return (*OURS, *announced)


@cache
def backend(name: str) -> Backend:
    """Return a backend by name. Errors: T302 where there is none, or it does not load."""
    if name in OURS:
        module, attribute = OURS[name].split(":")
        return getattr(importlib.import_module(module), attribute)()
    from importlib.metadata import entry_points

    for point in entry_points(group=GROUP):
        if point.name == name:
            return _plugin(point)
    notes, hint = [f"there are {', '.join(names())}"], near(name, names())
    raise error("T302", f"there is no target {name!r}", notes=notes, hint=hint)


def _plugin(point) -> Backend:
    try:
        return point.load()()
    except Exception as reason:  # a plugin may fail in any way; the user needs to know which
        raise error(
            "T302",
            f"target {point.name!r} does not load",
            notes=[f"{point.value}: {reason}"],
            hint="reinstall the package that brings it",
        ) from reason
