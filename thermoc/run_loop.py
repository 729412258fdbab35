"""A run's loop: some ticks at a time, so that it can be watched, saved and stopped. Results never depend on the cut."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any

from thermoc.ir.feed import Feed
from thermoc.ir.recording import Recorder

if TYPE_CHECKING:
    from thermoc.backends.base import BackendSession

FIRST = 64
"""Ticks of the first chunk; a run of no more is not cut."""
SECONDS = 0.2
"""What a chunk should take."""
PATIENCE = 1.0
"""A chunk that should be over by now is not waited for after Ctrl-C, in seconds."""

Observer = Callable[[int], None]
"""Is told after each chunk how many ticks of the run are behind."""


@dataclass(frozen=True, kw_only=True)
class Loop:
    """Runs a feed on a session, chunk by chunk.

    longest: ticks of a chunk at most. stops: at multiples of so many ticks a chunk ends. observers are called after
    each chunk, in order.
    """

    session: BackendSession
    fed: Feed
    recorders: Mapping[str, Sequence[Recorder]]
    longest: int
    stops: int | None = None
    observers: Sequence[Observer] = ()

    def go_on(self, done: int = 0) -> None:
        """Run what is left after ``done`` ticks.

        Ctrl-C raises KeyboardInterrupt after the chunk that runs, where that is over within about a second; a second
        Ctrl-C is not waited for. Errors: those of the target and of observers.
        """
        if done == self.fed.ticks:
            return
        if self.fed.ticks - done <= min(FIRST, self.longest) and not self.observers:
            self.session.record(_piece(self.fed, done, self.fed.ticks), self.recorders)
            return
        with _Interrupts() as interrupts:
            self._chunks(done, interrupts)

    def _chunks(self, done: int, interrupts: _Interrupts) -> None:
        length = min(FIRST, self.longest)
        while done < self.fed.ticks:
            stop = min(done + length, self.fed.ticks)
            if self.stops is not None:
                stop = min(stop, (done // self.stops + 1) * self.stops)
            begun = time.perf_counter()
            self.session.record(_piece(self.fed, done, stop), self.recorders)
            seconds = time.perf_counter() - begun
            interrupts.chunk_took(seconds)
            length = min(self.longest, _next_length(length, stop - done, seconds))
            done = stop
            for observer in self.observers:
                observer(done)
            interrupts.check()


def _piece(fed: Feed, start: int, stop: int) -> Feed:
    """Return the inputs of some ticks; views, whose stride along the ticks stays 0 where nothing changes."""
    if start == 0 and stop == fed.ticks:
        return fed
    return Feed(arrays={name: a[start:stop] for name, a in fed.arrays.items()}, ticks=stop - start, batch=fed.batch)


def _next_length(length: int, ticks: int, seconds: float) -> int:
    """Return twice the length after a quick chunk, less after a slow one; ``ticks`` of it were run in ``seconds``."""
    if seconds * length <= SECONDS / 2 * ticks:
        return 2 * length
    if seconds * length <= 2 * SECONDS * ticks:
        return length
    return max(1, int(ticks * SECONDS / seconds))


class _Interrupts:
    """Holds Ctrl-C back until the chunk is over, so that the tick at which a run ends is known and its recorders agree.

    Only in the main thread. The handler that was there has the last word: Python's raises KeyboardInterrupt, and so
    does Brian2's, which stands in its place once Brian2 is imported, where no network of Brian2 runs.
    """

    def __init__(self) -> None:
        self._asked, self._soon, self._begun = False, False, 0.0
        self._before: Any = signal.getsignal(signal.SIGINT)
        self._installed = threading.current_thread() is threading.main_thread() and callable(self._before)

    def __enter__(self) -> _Interrupts:
        if self._installed:
            signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None):
        if self._installed:
            signal.signal(signal.SIGINT, self._before)
        # It came behind the last check: the run is whole, and whatever comes next is stopped.
        if self._asked and kind is None:
            self._pass_on()

    def chunk_took(self, seconds: float) -> None:
        """Tell how long the last chunk took: the next one takes about twice as long at most."""
        self._soon, self._begun = 2 * seconds < PATIENCE, time.perf_counter()

    def check(self) -> None:
        """Raise KeyboardInterrupt where it was asked for."""
        self._begun = time.perf_counter()
        if self._asked:
            self._pass_on()

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._asked or not self._soon or time.perf_counter() - self._begun > PATIENCE:
            self._pass_on(frame)
        else:
            self._asked = True

    def _pass_on(self, frame: FrameType | None = None) -> None:
        self._asked = False
        self._before(signal.SIGINT, frame)
