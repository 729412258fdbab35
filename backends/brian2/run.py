"""Runs the script of an artefact: in this process, or as a C++ program that is built once."""

from __future__ import annotations

import sys
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from thermoc.backends.base import NoisePosition, Outcome
from thermoc.backends.brian2.artefact import Brian2Artefact
from thermoc.backends.brian2.compiler import compiler
from thermoc.ir.feed import Feed
from thermoc.support import notices
from thermoc.support.errors import error

LONG = 10.0
"""A run that is estimated to take longer, in s, is announced."""
NAMES = {"numpy": "NumPy", "cython": "Cython"}
_MODULES: WeakKeyDictionary[Brian2Artefact, ModuleType] = WeakKeyDictionary()


def run(artefact: Brian2Artefact, feed: Feed, position: NoisePosition) -> Outcome:
    """Return outputs and states of a run from the initial state.

    Errors: T302 where Brian2 is missing, or the compiler that was asked for; T409 where the program fails.
    """
    module = loaded(artefact)
    inputs = {name: _given(array) for name, array in feed.arrays.items()}
    where = module.place_of(position.seed, position.first_sample, position.first_tick)
    if artefact.options.device == "cpp_standalone":
        from thermoc.backends.brian2.standalone import run_program

        outputs, states = run_program(artefact, module, inputs, where, feed)
    else:
        with code_generator(_codegen(artefact, module, feed)):
            outputs, states = _here(artefact, module, module.build(feed.batch, inputs, where), feed.ticks)
    return Outcome(outputs=outputs, states=states)


def _here(artefact: Brian2Artefact, module: ModuleType, sim: Any, ticks: int) -> tuple[Any, Any]:
    """Run in this process; an interrupted run gives the ticks that were completed, where that is asked for."""
    network = module.Network(sim.objects)
    shown = artefact.options.progress and sys.stderr.isatty()
    try:
        network.run(ticks * module.DT, report="stderr" if shown else None, namespace={})
    except KeyboardInterrupt:
        module.Network._globally_running = False  # Brian2 leaves it set
        done = int(np.rint(float(network.t / module.DT)))
        if not artefact.options.keep_partial or not done:
            raise
        warnings.warn(f"interrupted: {done} of {ticks} ticks are kept, and no states", stacklevel=2)
        return module.results(sim, done)[0], {}
    return module.results(sim, ticks)


def _given(array: Any) -> Any:
    """Return an input as the script takes it: (batch, units) where it is held, else (ticks, batch, units)."""
    ticks, batch = array.shape[:2]
    # A stride of 0 is a broadcast over the ticks: the script then stores one tick.
    constant = ticks == 1 or array.strides[0] == 0
    return np.asarray(array[0] if constant else array, float).reshape(*(() if constant else (ticks,)), batch, -1)


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
                # The very text that save writes, so that what runs here is what runs without thermoc.
                exec(compile(artefact.text, str(path), "exec"), module.__dict__)
            finally:
                del sys.modules[module.__name__]
        _MODULES[artefact] = module
    return _MODULES[artefact]


@contextmanager
def code_generator(name: str) -> Iterator[None]:
    """Let Brian2 run with a code generator, and put back what was there."""
    from brian2 import prefs

    before = prefs["codegen.target"]
    try:
        prefs["codegen.target"] = name
        yield
    finally:
        prefs["codegen.target"] = before


def _codegen(artefact: Brian2Artefact, module: ModuleType, feed: Feed) -> str:
    """Return the code generator of a run, and say beforehand where it will take long.

    Errors: T302 where a compiler that was asked for is missing.
    """
    options = artefact.options
    seconds = module.estimated_seconds(feed.ticks, feed.batch)
    name = min(seconds, key=seconds.__getitem__) if options.codegen == "auto" else options.codegen
    if name == "cython" and compiler() is None:
        if options.codegen == "cython":
            what = "Brian2's code generator 'cython' needs a C++ compiler, and none was found"
            raise error("T302", what, hint='install g++, or take codegen="numpy"')
        name = "numpy"
        warnings.warn("no C++ compiler was found: Brian2 runs with NumPy, which is slower here", stacklevel=2)
    if options.progress and seconds[name] > LONG:
        compiling = f", {module.WORK[0] * 2.5:.0f} s of it to compile, once" if name == "cython" else ""
        notices.notify(f"Brian2 with {NAMES[name]}: about {seconds[name]:.0f} s{compiling}")
    return name
