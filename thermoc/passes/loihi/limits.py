"""Hardware limits of Loihi 2, read from their data file and checked: each with its unit and source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from thermoc.ir.target import Limit
from thermoc.support.errors import error
from thermoc.support.toml_text import parse_toml

FIELDS = {"value", "unit", "source", "sure"}
SURE = {"S": "read there", "R": "recalled", "O": "ours"}


@dataclass(frozen=True, kw_only=True)
class LoihiLimits:
    """Every limit by its dotted name; ``board`` names the boards and how many chips each has."""

    entries: Mapping[str, Limit]
    boards: Mapping[str, int]

    def __getitem__(self, name: str) -> Limit:
        return self.entries[name]

    @property
    def of_core(self) -> dict[str, Limit]:
        """The limits of one core by name."""
        return {name: self[f"core.{name}"] for name in ("units", "memory", "axons_in", "axons_out")}


@cache
def loihi2() -> LoihiLimits:
    """Return the limits of Loihi 2. Errors: T502 for a data file that lacks a unit or a source."""
    return read(files("thermoc.passes.loihi").joinpath("loihi2.toml").read_text(encoding="utf-8"))


def read(text: str) -> LoihiLimits:
    """Return the limits in the text of a data file. Errors: T502."""
    tables: dict[str, Any] = parse_toml(text, "the file of limits", code="T502")
    named: dict[str, dict[str, Any]] = {table: names for table, names in tables.items() if hasattr(names, "items")}
    entries = {
        f"{table}.{name}": _limit(f"{table}.{name}", entry)
        for table, names in named.items()
        for name, entry in names.items()
    }
    boards = {name.partition(".")[2]: limit.value for name, limit in entries.items() if name.startswith("board.")}
    return LoihiLimits(entries=entries, boards=boards)


def _limit(name: str, entry: Any) -> Limit:
    fields: dict[str, Any] = entry if hasattr(entry, "items") else {}
    # A limit without a source cannot be told from a guess: the file is refused.
    complete = set(fields) == FIELDS and type(entry["value"]) is int
    if not complete or entry["value"] < 1 or entry["sure"] not in SURE:
        notes = [f"{name} = {entry!r}", f"it needs {', '.join(sorted(FIELDS))}"]
        raise error("T502", "a limit lacks its value, unit or source", notes=notes)
    return Limit(value=entry["value"], unit=entry["unit"], source=f"{entry['source']} ({SURE[entry['sure']]})")
