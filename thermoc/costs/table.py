"""A table of costs: it prints, is JSON, and draws itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from thermoc.costs.figure import figure
from thermoc.costs.marks import MEANINGS
from thermoc.costs.row import Cost, Part
from thermoc.plot import save
from thermoc.support.plurals import counted
from thermoc.support.tables import html_table, table

COLUMNS = {
    "joules": "J an inference",
    "seconds": "s an inference",
    "kelvin": "K at most",
    "error": "error",
    "wrong": "wrong",
    "joules_effective": "J an effective sample",
    "seconds_effective": "s an effective sample",
}


@dataclass(frozen=True, kw_only=True, repr=False)
class CostTable:
    """What a network costs on several machines; prints. Iterates over its rows, ``costs["thermo-1"]`` is one."""

    network: str
    ticks: int
    batch: int
    seed: int
    rows: tuple[Cost, ...]

    def __iter__(self) -> Iterator[Cost]:
        return iter(self.rows)

    def __getitem__(self, on: str) -> Cost:
        return next(row for row in self.rows if row.on == on)

    def to_json(self) -> dict[str, Any]:
        """Return the table as JSON values."""
        how = {"network": self.network, "ticks": self.ticks, "batch": self.batch, "seed": self.seed}
        return {**how, "marks": MEANINGS, "rows": [row.to_json() for row in self.rows]}

    @property
    def title(self) -> str:
        """What the table is of."""
        size = f"{counted(self.batch, 'sample')}, {counted(self.ticks, 'tick')}"
        return f"{self.network}: what an inference costs ({size})"

    def __str__(self) -> str:
        parts = [table(self.title, [_shown(row, self._columns) for row in self._held])] if self._held else [self.title]
        parts += [f"not on {row.on}: {row.reason}" for row in self.rows if row.reason]
        parts += [f"idle power of {row.on}: {row.idle}" for row in self._held]
        parts += [f"{row.on}: {note}" for row in self._held for note in row.notes]
        spent = [_part(row, cost) for row in self._held for cost in row.parts if cost.joules]
        if spent:
            parts.append("\n" + table("what the joules are made of", spent) + "\n")
        parts.append("marks: " + ", ".join(f"{mark} {meaning}" for mark, meaning in MEANINGS.items()))
        return "\n".join(parts)

    @property
    def sources(self) -> str:
        """Who says each number behind the joules, as a text."""
        lines: list[str] = []
        for row in self._held:
            for cost in row.parts:
                lines += [f"{row.on}, {cost.component}: {name}: {text}" for name, text in cost.sources.items()]
        return "\n".join(dict.fromkeys(lines))

    def _repr_html_(self) -> str:
        return html_table(self.title, [_shown(row, self._columns) for row in self._held])

    def plot(self, path: str | os.PathLike[str]) -> None:
        """Draw joules, seconds, kelvins and error, a panel each. Errors: T302, T404 (the suffix), T505."""
        save(figure(self.rows, self.title), path)

    @property
    def _held(self) -> list[Cost]:
        return [row for row in self.rows if not row.reason]

    @property
    def _columns(self) -> list[str]:
        """The columns that some row has a number in, and the first four always."""
        always = ("joules", "seconds", "kelvin", "error")
        return [name for name in COLUMNS if name in always or any(getattr(row, name) is not None for row in self.rows)]


def _shown(row: Cost, columns: list[str]) -> dict[str, object]:
    return {"on": row.on, **{COLUMNS[name]: _number(row, name) for name in columns}}


def _number(row: Cost, name: str) -> str:
    value = getattr(row, name)
    if value is None:
        return "-"
    mark = row.marks.get(name)
    digits = f"{value:.5g}" if name == "kelvin" else f"{value:.4g}"
    return f"{digits} {mark}" if mark else digits


def _part(row: Cost, part: Part) -> dict[str, object]:
    assert row.joules
    percent = f"{100 * part.joules / row.joules:.3g}%"
    return {"on": row.on, "part": part.component, "joules": part.joules, "share": percent, "mark": part.mark}
