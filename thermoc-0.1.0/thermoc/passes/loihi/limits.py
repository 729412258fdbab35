"""The chip's limits, read from their data file and checked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from thermoc.ir.target import Limit
from thermoc.support.errors import error
from thermoc.support.toml_text import parse_toml

PARTS = {"value", "unit", "source", "sure"}
SURE = {"S": "read there", "R": "recalled", "O": "ours"}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Every limit by its dotted name; ``board`` names the boards and their chips."""

    entries: dict[str, Limit]
    boards: dict[str, int]

    def __getitem__(self, name: str) -> Limit:
        return self.entries[name]


@cache
def loihi2() -> Limits:
    """Return the limits of Loihi 2. Errors: T502 for a data file that lacks a unit or a source."""
    return read(files("thermoc.passes.loihi").joinpath("loihi2.toml").read_text(encoding="utf-8"))


def read(text: str) -> Limits:
    """Return the limits in the text of a data file. Errors: T502."""
    tables = parse_toml(text, "the file of limits", code="T502")
    entries: dict[str, Limit] = {}
    for table, names in tables.items():
        for name, entry in names.items() if isinstance(names, dict) else ():
            whole = isinstance(entry, dict) and set(entry) == PARTS and type(entry["value"]) is int
            if not whole or entry["value"] < 1 or entry["sure"] not in SURE:
                notes = [f"{table}.{name} = {entry!r}", f"it needs {', '.join(sorted(PARTS))}"]
                raise error("T502", "a limit lacks its value, unit or source", notes=notes)
            source = f"{entry['source']} ({SURE[entry['sure']]})"
            entries[f"{table}.{name}"] = Limit(value=entry["value"], unit=entry["unit"], source=source)
    boards = {name.partition(".")[2]: limit.value for name, limit in entries.items() if name.startswith("board.")}
    return Limits(entries=entries, boards=boards)
