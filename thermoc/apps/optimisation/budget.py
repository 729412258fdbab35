"""How long a sampler may go on, whom it tells how far it is, and how Ctrl-C ends it."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Progress:
    """Seconds since the start, updates of each spin so far, the lowest energy so far."""

    seconds: float
    sweeps: int
    best_energy: float


@dataclass(kw_only=True)
class Budget:
    """The limits of one call, and the best energy so far; ``halt[0]`` stops the kernels before their next sweep."""

    seconds: float | None = None
    target_energy: float | None = None
    on_progress: Callable[[Progress], None] | None = None
    best: float = np.inf
    sweeps: int = 0
    start: float = field(default_factory=time.perf_counter)
    halt: NDArray[np.int64] = field(default_factory=lambda: np.zeros(1, np.int64))

    def elapsed(self) -> float:
        """Return the seconds since the start."""
        return time.perf_counter() - self.start

    def remaining(self) -> float:
        """Return the seconds that are left, infinite where there is no limit."""
        return np.inf if self.seconds is None else self.seconds - self.elapsed()

    def spend(self, sweeps: int, energy: float) -> bool:
        """Count sweeps and an energy, tell of them; return whether the sampler is to stop."""
        # kernels that were stopped made fewer, nobody knows how many
        self.sweeps += 0 if self.stopped else sweeps
        self.best = min(self.best, energy)
        if self.on_progress is not None:
            self.on_progress(Progress(seconds=self.elapsed(), sweeps=self.sweeps, best_energy=self.best))
        return self.over()

    def over(self) -> bool:
        """Return whether the time is up, the energy asked for is reached, or Ctrl-C was pressed."""
        return self.stopped or self.remaining() <= 0 or self.reached(self.best)

    @property
    def stopped(self) -> bool:
        """Whether Ctrl-C was pressed."""
        return bool(self.halt[0])

    def reached(self, energy: float) -> bool:
        """Return whether an energy is as low as asked, but for rounding."""
        if self.target_energy is None:
            return False
        return energy <= self.target_energy + 1e-9 * max(1.0, abs(self.target_energy))


@contextmanager
def ended_by_interrupt(budget: Budget) -> Iterator[None]:
    """Let the first Ctrl-C end the budget: a sampler then returns what it has. A second one is passed on.

    Only in the main thread, which alone hears of signals.
    """
    before: Any = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return

    def end(number: int, frame: FrameType | None) -> None:
        if budget.stopped:
            before(number, frame)
        budget.halt[0] = 1

    signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
