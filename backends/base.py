"""The four verbs of a backend: target, lower, emit, run."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from numpy.typing import NDArray

from thermoc.ir.feed import Feed
from thermoc.ir.target import TargetDescription
from thermoc.passes.base import Pass, Property
from thermoc.passes.change_log import Lowered
from thermoc.passes.legalize import held_by
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


class Backend(ABC):
    """One target. ``Options`` is a frozen dataclass of what ``tc.compile`` takes for it."""

    name: ClassVar[str]
    Options: ClassVar[type[Any]]
    pass_options: ClassVar[tuple[str, ...]] = ()
    """Options that ``lower`` alone reads, and which have no say where a pipeline of the user's own stands for it."""
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

    @abstractmethod
    def run(self, artefact: Any, feed: Feed, position: NoisePosition) -> Outcome:
        """Run an artefact from its initial state. Errors: T302 where the runtime is missing, T4xx."""
