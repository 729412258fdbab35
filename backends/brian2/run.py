"""Runs the script of an artefact in this process."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from thermoc.backends.base import Outcome, Place
from thermoc.backends.brian2.artefact import Brian2Artefact
from thermoc.ir.feed import Feed
from thermoc.support.errors import error

_MODULES: WeakKeyDictionary[Brian2Artefact, ModuleType] = WeakKeyDictionary()


def run(artefact: Brian2Artefact, feed: Feed, place: Place) -> Outcome:
    """Return outputs and states of a run from the initial state. Errors: T302."""
    module = loaded(artefact)
    with preferences(artefact):
        inputs = {name: _given(array) for name, array in feed.arrays.items()}
        where = module.place_of(place.seed, place.first_sample, place.first_tick)
        sim = module.build(feed.batch, inputs, where)
        module.Network(sim.objects).run(feed.ticks * module.DT, namespace={})
        outputs, states = module.results(sim, feed.ticks)
    return Outcome(outputs=outputs, states=states)


def _given(array: Any) -> Any:
    """Return an input as the script takes it: (batch, units) where it is held, else (ticks, batch, units)."""
    ticks, batch = array.shape[:2]
    held = ticks == 1 or array.strides[0] == 0
    return np.asarray(array[0] if held else array, float).reshape(*(() if held else (ticks,)), batch, -1)


def loaded(artefact: Brian2Artefact) -> ModuleType:
    """Return the script as a module, read once. Errors: T302 where Brian2 is missing."""
    if artefact not in _MODULES:
        try:
            import brian2  # noqa: F401
        except ImportError:
            hint = 'pip install "thermoc[brian2]"'
            raise error("T302", "running Brian2 scripts needs brian2, which is not installed", hint=hint) from None
        with tempfile.TemporaryDirectory(prefix="thermoc-brian2-") as folder:
            path = Path(folder) / "network.py"
            artefact.save(path)
            module = ModuleType(f"thermoc_brian2_{id(artefact)}")
            module.__file__ = str(path)
            sys.modules[module.__name__] = module  # dataclasses look their module up
            try:
                with preferences(artefact):
                    exec(compile(artefact.text, str(path), "exec"), module.__dict__)
            finally:
                del sys.modules[module.__name__]
        _MODULES[artefact] = module
    return _MODULES[artefact]


@contextmanager
def preferences(artefact: Brian2Artefact) -> Iterator[None]:
    """Set Brian2's preferences for a run, and put back what was there."""
    from brian2 import prefs

    names = ("codegen.target", "codegen.cpp.extra_compile_args_gcc")
    before = {name: prefs[name] for name in names}
    try:
        prefs["codegen.target"] = artefact.codegen
        yield
    finally:
        for name, value in before.items():
            prefs[name] = value
