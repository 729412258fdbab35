"""What ``verify`` found: a row for each value of each target, the breaches, and where each begins."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from numpy.typing import ArrayLike, NDArray

from thermoc.support.plurals import counted
from thermoc.support.tables import html_table, table
from thermoc.verification.comparison import UNITS, UNJUDGED, Breach, Comparison
from thermoc.verification.divergence import FALSE_ALARM
from thermoc.verification.plot import plot

if TYPE_CHECKING:
    from thermoc import HtmlReport
    from thermoc.api import Executable
    from thermoc.backends.base import Outcome


@dataclass(frozen=True, kw_only=True)
class Verification:
    """The rows and breaches of a network on its targets; ``ok`` where every target holds every bound; it prints."""

    network: str
    targets: tuple[str, ...]
    options: Mapping[str, Mapping[str, Any]]
    seed: int
    ticks: int
    batch: int
    rows: tuple[Comparison, ...]
    breaches: tuple[Breach, ...]
    reference: Mapping[str, NDArray] = field(default_factory=dict, repr=False, compare=False)
    """What the network itself gave, (ticks, batch, *shape) by output."""
    outcomes: Mapping[str, tuple[Executable, Outcome]] = field(default_factory=dict, repr=False, compare=False)
    """Of each target, what was compiled and what that gave: for reports."""

    @property
    def ok(self) -> bool:
        """Whether every target holds its bounds."""
        return all(row.ok for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        head = {name: getattr(self, name) for name in ("network", "targets", "seed", "ticks", "batch", "ok")}
        return head | {
            "targets": list(self.targets),
            "options": {name: dict(chosen) for name, chosen in self.options.items()},
            "false_alarm": FALSE_ALARM,
            "rows": [row.to_json() for row in self.rows],
            "breaches": [breach.to_json() for breach in self.breaches],
        }

    def plot(self, path: str | os.PathLike[str]) -> None:
        """Draw error and bound against tick, as .png or .svg. Errors: T404 (no such format), T302, T505."""
        plot(self.rows, self.targets, path, title=f"{self.network}, seed {self.seed}")

    def report(self, labels: Mapping[str, ArrayLike] | None = None) -> HtmlReport:
        """Return a page of it: ``.html(path)``. labels: the right class of each sample, by output (docs/report.md)."""
        from thermoc import report

        return report(self, labels=labels)

    @property
    def title(self) -> str:
        """What was compared, over how much."""
        size = f"{counted(self.ticks, 'tick')}, {counted(self.batch, 'sample')}"
        return f"{self.network}, seed {self.seed}: {size}"

    def _repr_html_(self) -> str:
        breaches = "".join(f"<pre>{escape(str(breach))}</pre>" for breach in self.breaches)
        return html_table(self.title, [row.shown() for row in self.rows]) + breaches

    def __str__(self) -> str:
        parts = [table(self.title, [row.shown() for row in self.rows]), *map(str, self.breaches)]
        passing = [name for name in self.targets if all(row.ok for row in self.rows if row.target == name)]
        blind = [row for row in self.rows if row.verdict == UNJUDGED]
        parts += [_blind(row) for row in blind]
        return "\n".join([*parts, f"{len(passing)} of {len(self.targets)} targets hold their bounds"])


def unjudged_because(row: Comparison) -> str:
    """Say why a row is not judged."""
    why = "what its passes declare is as wide as the value itself, and no unit of it could be judged alone"
    if row.value == UNITS:
        why = "what the numbers of a population may be off is half of what it adds up, or more"
    return why


def _blind(row: Comparison) -> str:
    return f"{row.target}: {row.error} error of {row.value} is not judged: {unjudged_because(row)}"
