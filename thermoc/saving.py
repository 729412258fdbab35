"""How often a run is saved while it goes on: every some ticks, or every some seconds."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from thermoc.support.errors import error

DEFAULT = "60s"
SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}


@dataclass(frozen=True, kw_only=True)
class Saving:
    """Where a run is saved, and how often: ``every`` is ticks of the run, or a time like "30s". Errors: T404.

    note: a JSON object that stands in the file, for whoever makes the run go on.
    """

    path: str | os.PathLike[str]
    every: int | str = DEFAULT
    note: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.ticks is None and self.seconds is None:
            notes = [f"every = {self.every!r}"]
            raise error("T404", "a run is saved every N ticks, or every so long", notes=notes, hint='1000, or "30s"')

    @cached_property
    def ticks(self) -> int | None:
        """Ticks of the run between two checkpoints; None where they are seconds apart."""
        text = str(self.every)
        number = int(text) if not isinstance(self.every, bool) and re.fullmatch(r"[0-9]{1,15}", text) else 0
        return number or None

    @cached_property
    def seconds(self) -> float | None:
        """Seconds between two checkpoints; None where they are ticks apart."""
        match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,9})?) ?(s|min|h)", str(self.every))
        return None if match is None else float(match[1]) * SECONDS[match[2]]


class Saver:
    """Calls ``write`` at the start of a run, when it is due, and at the end; ``done`` are the ticks behind."""

    def __init__(self, saving: Saving, ticks: int, write: Callable[[], object]):
        self._saving, self._ticks, self._write = saving, ticks, write
        self._saved = -1

    def __call__(self, done: int) -> None:
        """Write where it is due."""
        if done == self._ticks or self._saved < 0 or self._due(done):
            self.write(done)

    def write(self, done: int) -> None:
        """Write, unless this tick is saved."""
        if done != self._saved:
            self._write()
            self._saved, self._when = done, time.monotonic()

    def _due(self, done: int) -> bool:
        if self._saving.ticks is not None:
            return done % self._saving.ticks == 0
        assert self._saving.seconds is not None
        return time.monotonic() - self._when >= self._saving.seconds


def saving(path: str | os.PathLike[str] | Saving | None, every: int | str | None) -> Saving | None:
    """Return how a run is saved; None where it is not. Errors: T404."""
    if path is None:
        if every is not None:
            raise error("T404", "every says how often a run is saved, and checkpoint not where", hint="name a file")
        return None
    return path if isinstance(path, Saving) else Saving(path=path, every=DEFAULT if every is None else every)
