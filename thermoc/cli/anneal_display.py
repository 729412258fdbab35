"""What a terminal shows of annealing that takes more than a second: how long, how far, and the best so far."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from thermoc.frontends.problems.problem import Problem, number
from thermoc.progress import PATIENCE, on_terminal
from thermoc.support.tables import plain

if TYPE_CHECKING:
    from rich.live import Live

    from thermoc.apps.optimisation.minimise import Progress

INTERVAL = 0.1
"""Seconds between two looks."""


class BestSoFar:
    """A line on the terminal, written anew as a sampler tells of its progress. asked: whether, else where somebody
    looks."""

    def __init__(self, problem: Problem, asked: bool | None = None):
        self.shown = on_terminal(asked)
        self._name, self._sign = plain(problem.name), -1 if problem.sense == "max" else 1
        self._live: Live | None = None
        self._last = 0.0

    def __call__(self, progress: Progress) -> None:
        """Show where it is."""
        now = time.monotonic()
        if progress.seconds < PATIENCE or now - self._last < INTERVAL:
            return
        self._last = now
        if self._live is None:
            self._live = _live()
            self._live.start()
        self._live.update(self.line(progress), refresh=True)

    def line(self, progress: Progress) -> str:
        """Return the text: of a problem with penalties, its energy stands for the objective."""
        best = number(self._sign * progress.best_energy)
        return f"{self._name}  {progress.seconds:.0f} s  {progress.sweeps:,} sweeps  best {best}"

    def close(self) -> None:
        """Take the line away."""
        if self._live is not None:
            self._live.stop()
            self._live = None


def _live() -> Live:
    from rich.console import Console
    from rich.live import Live

    # refreshed as the sampler tells: a thread of its own would have nothing to show between
    return Live(console=Console(stderr=True, markup=False), auto_refresh=False, transient=True)
