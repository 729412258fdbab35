"""Runs the script of an artefact on, in this process."""

from __future__ import annotations

import sys
import tempfile
import warnings
from abc import abstractmethod
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.backends.base import BackendSession, NoisePosition
from thermoc.backends.brian2.artefact import Brian2Artefact
from thermoc.backends.brian2.compiler import compiler
from thermoc.ir.feed import Feed
from thermoc.support import notices
from thermoc.support.errors import error

Arrays = dict[str, NDArray]
LONG = 10.0
"""What is estimated to compile for longer, in s, is announced."""


class Brian2Session(BackendSession):
    """A script that runs on. Errors: T302."""

    def __init__(self, artefact: Brian2Artefact, *, batch: int, position: NoisePosition):
        super().__init__(batch=batch, position=position)
        self._artefact = artefact
        self._module = loaded(artefact)
        self._codegen = self._choose()
        self._built: Any = None

    @property
    def _sim(self) -> Any:
        if self._built is None:
            self._built = self._build(self._module.OUTPUTS)
        return self._built

    def _choose(self) -> str:
        """Return the code generator by which Brian2 runs what is asked of it in this process."""
        return "numpy"

    def _build(self, names: Collection[str]) -> Any:
        """Return a simulation that computes these outputs, in its initial state."""
        start = self._place(self.position.first_tick)
        with code_generator(self._codegen):
            sim = self._module.build(self.batch, start, names, self._artefact.data)
            sim.prepare()
        return sim

    def _place(self, first_tick: int) -> dict[str, float]:
        return self._module.place_of(self.position.seed, self.position.first_sample, first_tick)

    @property
    @abstractmethod
    def _stored(self) -> Arrays:
        """What the script keeps from tick to tick, as it is now."""

    @abstractmethod
    def _store(self, stored: Arrays, tick: int) -> None:
        """Go on from what was stored at this tick."""

    @property
    def states(self) -> Arrays:
        """States now."""
        return self._sim.values(self._stored)

    def set_states(self, states: Mapping[str, NDArray]) -> None:
        """Replace some states."""
        stored = dict(self._stored)
        for name, value in states.items():
            stored[name] = self._sim.states[name].of_value(np.asarray(value), stored[name])
        self._store(stored, self.tick)

    def snapshot(self) -> Arrays:
        """What is stored by the names of the states: variables as they are, spikes on their way."""
        return self._stored

    def restore(self, snapshot: Mapping[str, NDArray], tick: int) -> None:
        """Go on from a snapshot."""
        self._store(dict(snapshot), tick)
        self.tick = tick

    def replace(self, artefact: Brian2Artefact) -> None:
        """Go on with the arrays of another artefact of the same network."""
        stored = self._stored
        self._artefact = artefact
        self._built = self._build(self._sim.record)
        self._store(stored, self.tick)

    def _wanted(self, names: Collection[str] | None) -> frozenset[str]:
        return frozenset(self._module.OUTPUTS + self._module.PROBES if names is None else names)


class NetworkSession(Brian2Session):
    """A network of Brian2 in this process. Errors: T302 where a compiler that was asked for is missing."""

    def _choose(self) -> str:
        return code_generator_of(self._artefact, self._module, self.batch)

    def advance(self, feed: Feed, names: Collection[str] | None = None) -> Arrays:
        """Run some ticks on."""
        requested = self._wanted(names)
        if self._built is None:
            self._built = self._build(requested)
        elif not requested <= self._sim.record:
            sim = self._build(self._sim.record | requested)
            sim.restore(self._stored, self.tick)
            self._built = sim
        outputs = self._sim.run(feed.ticks, given(feed), requested)
        self.tick = self._sim.now
        return outputs

    @property
    def _stored(self) -> Arrays:
        return self._sim.stored()

    def _store(self, stored: Arrays, tick: int) -> None:
        self._sim.restore(stored, tick)


def given(feed: Feed) -> Arrays:
    """Return inputs as the script takes them: (batch, units) where they are held, else (ticks, batch, units)."""
    return {name: _given(array) for name, array in feed.arrays.items()}


def _given(array: NDArray) -> NDArray:
    ticks, batch = array.shape[:2]
    # A stride of 0 is a broadcast over the ticks: the script then takes one row.
    constant = ticks == 1 or array.strides[0] == 0
    return np.asarray(array[0] if constant else array, float).reshape(*(() if constant else (ticks,)), batch, -1)


def loaded(artefact: Brian2Artefact) -> ModuleType:
    """Return a script as a module without its arrays, which ``build`` takes. Errors: T302 where Brian2 is missing.

    Brian2 never forgets functions that it has generated code for: one module serves all arrays of a text.
    """
    return _module(artefact.text)


@lru_cache(maxsize=32)
def _module(text: str) -> ModuleType:
    try:
        import brian2  # noqa: F401
    except ImportError:
        hint = 'pip install "thermoc[brian2]"'
        raise error("T302", "running Brian2 scripts needs brian2, which is not installed", hint=hint) from None
    with tempfile.TemporaryDirectory(prefix="thermoc-brian2-") as folder:
        path = Path(folder) / "network.py"
        np.savez(path.with_suffix(".npz"))
        module = ModuleType(f"thermoc_brian2_{id(path)}")
        module.__file__ = str(path)
        sys.modules[module.__name__] = module  # dataclasses look their module up
        try:
            # The very text that save writes, so that what runs here is what runs without thermoc.
            exec(compile(text, str(path), "exec"), module.__dict__)
        finally:
            del sys.modules[module.__name__]
    return module


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


def code_generator_of(artefact: Brian2Artefact, module: ModuleType, batch: int) -> str:
    """Return the code generator of a session, and say beforehand where it will take long to compile.

    Errors: T302 where a compiler that was asked for is missing.
    """
    seconds, codegen = module.estimated_seconds(100, batch), artefact.options.codegen
    name = min(seconds, key=seconds.__getitem__) if codegen == "auto" else codegen
    if name == "cython" and compiler() is None:
        if codegen == "cython":
            what = "Brian2's code generator 'cython' needs a C++ compiler, and none was found"
            raise error("T302", what, hint='install g++, or take codegen="numpy"')
        name = "numpy"
        warnings.warn("no C++ compiler was found: Brian2 runs with NumPy, which is slower here", stacklevel=2)
    if name == "cython" and module.WORK[0] * 2.5 > LONG:
        notices.notify(f"Brian2 compiles with Cython: about {module.WORK[0] * 2.5:.0f} s, once")
    return name
