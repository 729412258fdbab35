"""Runs a script on as a C++ program, which is built once for a number of samples and the outputs it computes."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Collection
from typing import Any
from weakref import WeakKeyDictionary, finalize

from thermoc.backends.base import NoisePosition
from thermoc.backends.brian2.artefact import Brian2Artefact
from thermoc.backends.brian2.compiler import compiler
from thermoc.backends.brian2.run import Arrays, Brian2Session, given, loaded
from thermoc.ir.feed import Feed
from thermoc.support import notices
from thermoc.support.errors import error

Key = tuple[int, frozenset[str]]
_BUILT: WeakKeyDictionary[Brian2Artefact, dict[Key, Any]] = WeakKeyDictionary()


class StandaloneSession(Brian2Session):
    """A program that is called again from where it stands; the sessions of an artefact share it."""

    def __init__(self, artefact: Brian2Artefact, *, batch: int, position: NoisePosition):
        super().__init__(artefact, batch=batch, position=position)
        self._now: Arrays = self._sim.stored()

    def advance(self, feed: Feed, names: Collection[str] | None = None) -> Arrays:
        """Run some ticks on. Errors: T302 without a compiler, T409 where the program fails."""
        requested = self._wanted(names)
        program = built(self._artefact, self.batch, requested)
        start = self._place(self.position.first_tick + self.tick)
        try:
            outputs, self._now = program.run(feed.ticks, given(feed), start, self._now, requested)
        except RuntimeError as reason:
            raise error("T409", "the C++ program of Brian2 failed", notes=[str(reason)]) from None
        self.tick += feed.ticks
        return outputs

    @property
    def _stored(self) -> Arrays:
        return self._now

    def _store(self, stored: Arrays, tick: int) -> None:
        self._now = stored


def built(artefact: Brian2Artefact, batch: int, names: frozenset[str]) -> Any:
    """Return a program that computes these outputs, built unless there is one. Errors: T302."""
    builds = _BUILT.setdefault(artefact, {})
    for (samples, computed), program in builds.items():
        if samples == batch and names <= computed:
            return program
    if compiler() is None:
        what = "Brian2's device 'cpp_standalone' needs a C++ compiler, and none was found"
        raise error("T302", what, hint='install g++, or take device="runtime"')
    if sys.stderr.isatty():
        notices.notify("building the C++ program of Brian2, once for this number of samples ...")
    folder = tempfile.mkdtemp(prefix="thermoc-brian2-")
    try:
        program = loaded(artefact).Program(folder, batch, names, artefact.data)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    # The folder goes with the artefact, or when Python ends.
    finalize(program, shutil.rmtree, folder, ignore_errors=True)
    builds[batch, names] = program
    return program


def programs(artefact: Brian2Artefact) -> tuple[Any, ...]:
    """Return the programs built of an artefact."""
    return tuple(_BUILT.get(artefact, {}).values())
