"""The verbs of a backend: target, lower, emit, start; a session runs on from there."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from thermoc.ir.feed import Feed
from thermoc.ir.memory import DeviceMemory
from thermoc.ir.recording import Recorder
from thermoc.ir.target import TargetDescription
from thermoc.passes.base import Pass, Property
from thermoc.passes.change_log import Lowered
from thermoc.passes.legalize import held_by
from thermoc.support.errors import ThermocError, error
from thermoc.support.files import write_atomic


@dataclass(frozen=True, kw_only=True)
class NoisePosition:
    """Where a run stands in the noise: seed, number of its first sample and of its first tick."""

    seed: int = 0
    first_sample: int = 0
    first_tick: int = 0


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run gives: outputs (ticks, batch, *shape) by name; states (batch, *shape) after the last tick."""

    outputs: dict[str, NDArray]
    states: dict[str, NDArray] = field(default_factory=dict)
    chip: Any = None
    """What a simulated chip did, where the target is one."""


class Artefact(ABC):
    """What emit makes: something that can be run and written to one file."""

    suffix: ClassVar[str]

    @abstractmethod
    def to_bytes(self) -> bytes:
        """Return the file's content."""

    @property
    def size(self) -> int:
        """Number of bytes of all that ``save`` writes."""
        return len(self.to_bytes())

    def save(self, path: str | os.PathLike[str]) -> int:
        """Write the file, whole or not at all; return its size in bytes. Errors: T505."""
        data = self.to_bytes()
        write_atomic(path, data)
        return len(data)


class BackendSession(ABC):
    """A run of ``batch`` samples that goes on for as long as it is asked.

    Ticks run at once or in pieces give the same bits. ``tick`` is the number of ticks behind it. ``advance``,
    ``record`` and ``restore`` act whole or not at all: where one raises (``KeyboardInterrupt`` too), states and
    ``tick`` are what they were. A session whose runtime has gone says so with T417 from then on.
    """

    def __init__(self, *, batch: int, position: NoisePosition):
        self.batch, self.position, self.tick = batch, position, 0

    @abstractmethod
    def advance(self, feed: Feed, names: Collection[str] | None = None) -> dict[str, NDArray]:
        """Run ``feed.ticks`` ticks on; return the named outputs (ticks, batch, *shape), None for all. Errors: T4xx.

        Outputs that are not named need not be computed: a probe costs nothing unless it is recorded.
        """

    def step(self, inputs: Mapping[str, NDArray], names: frozenset[str]) -> dict[str, NDArray]:
        """Run one tick on, for closed loops: inputs, which have been checked, and outputs are (batch, *shape)."""
        feed = Feed(arrays={name: array[np.newaxis] for name, array in inputs.items()}, ticks=1, batch=self.batch)
        return {name: array[0] for name, array in self.advance(feed, names).items()}

    def record(self, feed: Feed, recorders: Mapping[str, Sequence[Recorder]]) -> None:
        """Run on and hand each output's values to its recorders; a target may reduce them while it runs."""
        for name, array in self.advance(feed, recorders).items():
            for recorder in recorders[name]:
                recorder.take(array)

    @property
    @abstractmethod
    def states(self) -> dict[str, NDArray]:
        """States (batch, *shape) as they are now, by the names and shapes of ``Graph.states`` of the lowered graph."""

    @abstractmethod
    def set_states(self, states: Mapping[str, NDArray]) -> None:
        """Replace some states; names, shapes and dtypes have been checked."""

    def snapshot(self) -> dict[str, NDArray]:
        """Return all that another session of the artefact needs to go on from here; more than states, on a chip."""
        return self.states

    def restore(self, snapshot: Mapping[str, NDArray], tick: int) -> None:
        """Go on from a snapshot that was taken at this tick, by this session or by another of the same artefact."""
        self.set_states(snapshot)
        self.tick = tick

    def replace(self, artefact: Any) -> None:
        """Go on with the same artefact for other parameters (``Backend.with_parameters``). Errors: T418."""
        raise holds_constants()

    @property
    def chip(self) -> Any:
        """What a simulated chip has done since the start, where the target is one."""
        return None

    def close(self) -> None:  # noqa: B027  most have nothing to give back
        """Give back what the session holds: processes, files. Closing twice is no fault."""


class EndedSession(BackendSession):
    """What is left of a session that was closed: where it stood. Whatever else is asked of it is T417."""

    def __init__(self, session: BackendSession):
        super().__init__(batch=session.batch, position=session.position)
        self.tick = session.tick

    def advance(self, feed: Feed, names: Collection[str] | None = None) -> dict[str, NDArray]:
        """Raise T417."""
        raise self._ended

    @property
    def states(self) -> dict[str, NDArray]:
        """Raise T417."""
        raise self._ended

    def set_states(self, states: Mapping[str, NDArray]) -> None:
        """Raise T417."""
        raise self._ended

    def replace(self, artefact: Any) -> None:
        """Raise T417."""
        raise self._ended

    @property
    def _ended(self) -> ThermocError:
        hint = "start another; one that was saved goes on from there"
        return error("T417", "the session has ended: it was closed", hint=hint)


class Backend(ABC):
    """One target. ``Options`` is a frozen dataclass of what ``tc.compile`` takes for it."""

    name: ClassVar[str]
    Options: ClassVar[type[Any]]
    pass_options: ClassVar[tuple[str, ...]] = ()
    """Options that ``lower`` alone reads, and which have no say where a pipeline of the user's own stands for it."""
    run_options: ClassVar[tuple[str, ...]] = ()
    """Options that say where a run takes place, and change no bit of it: a checkpoint may go on with others."""
    own_passes: ClassVar[str] = ""
    """Why no pipeline of the user's own can stand for ``lower``; '' where one can."""

    @abstractmethod
    def target(self) -> TargetDescription:
        """Return what the target can hold."""

    @abstractmethod
    def lower(self, options: Any, *, dt: float) -> Sequence[Pass]:
        """Return the passes that bring a graph to the target; the last one legalises. Errors: T303."""

    def takes(self, options: Any) -> tuple[Property, ...]:
        """Return what a graph must be for ``emit``: what a pipeline of the user's own is held to."""
        return (held_by(self.target()),)

    @abstractmethod
    def emit(self, lowered: Lowered, options: Any) -> Artefact:
        """Return the artefact of a lowered graph, ``lowered.graph``, and of what passes worked out. Errors: T3xx."""

    def with_parameters(self, artefact: Any, parameters: Mapping[str, NDArray]) -> Any:
        """Return the artefact with other values of some parameters, which have been checked; nothing is compiled.

        Errors: T418 where the artefact holds constants, as here.
        """
        raise holds_constants()

    def device_memory(self, artefact: Any, *, batch: int, ticks: int, timed: bool) -> DeviceMemory | None:
        """Return what a run of so many ticks at a time takes of a GPU's memory; None where it uses none.

        timed: whether inputs change over the ticks.
        """
        return None

    @abstractmethod
    def start(self, artefact: Any, *, batch: int, position: NoisePosition) -> BackendSession:
        """Start a session at the initial state. Errors: T302 where the runtime is missing, T4xx."""

    def run(self, artefact: Any, feed: Feed, position: NoisePosition) -> Outcome:
        """Run from the initial state: a session that is started, run and closed. Errors: those of both."""
        session = self.start(artefact, batch=feed.batch, position=position)
        try:
            return Outcome(outputs=session.advance(feed), states=session.states, chip=session.chip)
        finally:
            session.close()


def holds_constants() -> ThermocError:
    """Return the error of parameters that were asked of an artefact which holds constants."""
    notes = ["the target holds constants in their place"]
    hint = "compile net.with_parameters({...}) again"
    return error("T418", "its parameters cannot be replaced", notes=notes, hint=hint)
