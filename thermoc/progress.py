"""What a terminal shows of a run that takes more than a second: how far it is, how fast, and what it records."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from thermoc.support.tables import plain

if TYPE_CHECKING:
    from rich.progress import Progress, Task

PATIENCE = 1.0
"""Seconds that pass before anything is shown."""
MOST_FACTS = 4


def on_terminal(asked: bool | None) -> bool:
    """Tell whether to show it: as asked, else where somebody looks."""
    return asked if asked is not None else sys.stderr is not None and sys.stderr.isatty()


class Display:
    """A line on the terminal of a run of so many ticks (or others, by ``unit``); ``facts`` gives the numbers to show,
    by name."""

    def __init__(
        self, name: str, ticks: int, done: int, facts: Callable[[], Mapping[str, float]], *, unit: str = "ticks"
    ):
        self._unit = unit
        self._name, self._ticks, self._first, self._facts = plain(name), ticks, done, facts
        self._begun = time.monotonic()
        self._shown: Progress | None = None

    def __call__(self, done: int) -> None:
        """Show that so many ticks are behind."""
        seconds = time.monotonic() - self._begun
        if self._shown is None:
            if seconds < PATIENCE or done == self._ticks:
                return
            self._shown = _bar(self._name, self._ticks, self._unit)
            self._shown.start()
        rate = (done - self._first) / seconds
        numbers = list(self._facts().items())[:MOST_FACTS]
        fields: dict[str, Any] = {
            "rate": f"{rate:,.4g} {self._unit}/s",
            "left": _clock((self._ticks - done) / rate),
            "facts": "  ".join(f"{plain(name)} {value:.4g}" for name, value in numbers),
        }
        self._shown.update(self._shown.task_ids[0], completed=done, refresh=True, **fields)

    def close(self) -> None:
        """Take the line away."""
        if self._shown is not None:
            self._shown.stop()
            self._shown = None


def _bar(name: str, ticks: int, unit: str) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn
    from rich.table import Column
    from rich.text import Text

    class Words(ProgressColumn):
        """Fields of the task with two blanks between them; nothing in them is markup."""

        def render(self, task: Task) -> Text:
            done = f"{task.completed:,.0f} of {task.total:,.0f} {unit}"
            parts = (done, task.fields["rate"], task.fields["left"], task.fields["facts"])
            return Text("  ".join(text for text in parts if text), no_wrap=True, overflow="ellipsis")

    columns = BarColumn(bar_width=20), Words(table_column=Column(no_wrap=True))
    # Refreshed by each chunk: a thread of its own would have nothing to show between them.
    progress = Progress(*columns, console=Console(stderr=True), auto_refresh=False, transient=True)
    progress.add_task(name, total=ticks, rate="", left="", facts="")
    return progress


def _clock(seconds: float) -> str:
    minutes, remainder = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{remainder:02} left" if hours else f"{minutes}:{remainder:02} left"
