"""Data files of physical quantities: TOML in, checked, in SI, each with its unit, its source and how sure we are.

A quantity is ``name = { value = 1.28, unit = "GHz", source = "...", sure = "S" }``: S was read in the source named, R
is recalled from it, O is ours. ``note`` may say more; ``above``, ``least``, ``most`` and ``below`` give the value's
range (see ``value_ranges``). Tables nest freely, and so do arrays of tables, whose names are numbers:
``layer.0.thickness``. Plain strings are free as ``title`` and ``summary``.

What a file must hold is a mapping from dotted names to units: ``"J"``, ``"W/(m*K)"``, ``""`` for a plain number,
``"S[]"`` for a list of them, ``"text"`` for a plain string. A part ``*`` of a name stands for every name found there:
``material.*.conductivity`` is asked of every material.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.simulator.data.dimensions import UnitOfMeasure, unit_of
from thermoc.simulator.data.value_ranges import KEYS as RANGE
from thermoc.simulator.data.value_ranges import RangeEnd
from thermoc.support.errors import Finding, Location, ThermocError
from thermoc.support.limits import FINDINGS, TEXT_BYTES
from thermoc.support.loading import cut, read_text, reading
from thermoc.support.suggestions import near, nearest
from thermoc.support.toml_text import parse_toml

TEXT, LIST = "text", "[]"
FREE = ("title", "summary")
PARTS = ("value", "unit", "source", "sure", "note", *RANGE)
MOST_DIGITS = 400
"""A number whose decimal exponent is larger is refused before it is expanded."""
HEADER = re.compile(r"\s*\[\s*([\w.-]+)\s*\]\s*(?:#|$)")
KEY = re.compile(r"""\s*(?:([\w-]+)|["']([^"']*)["'])\s*=""")
SURE = {"S": "read in the source", "R": "recalled from the source", "O": "ours"}


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """One value in SI, or several, or a text; ``written`` is what the file says, ``limits`` the range it states."""

    value: float | tuple[float, ...] | str
    unit: str
    source: str
    sure: str
    written: str
    limits: tuple[RangeEnd, ...] = ()


class Quantities(Mapping[str, float]):
    """The values of a data file by dotted name, in SI; frozen. ``quantity(name)`` tells unit, source and how sure."""

    def __init__(self, entries: Mapping[str, Quantity]):
        self._entries = dict(entries)

    def __getitem__(self, name: str) -> float:
        value = self._entries[name].value
        if not isinstance(value, float):
            raise TypeError(f"{name} is no single number: use array() or text()")
        return value

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def array(self, name: str) -> NDArray[np.float64]:
        """Return a list of numbers as a read-only array (n,)."""
        array = np.atleast_1d(np.asarray(self._entries[name].value, np.float64))
        array.flags.writeable = False
        return array

    def text(self, name: str) -> str:
        """Return a plain string."""
        return str(self._entries[name].value)

    def quantity(self, name: str) -> Quantity:
        """Return a value with its unit, source and how sure it is."""
        return self._entries[name]

    def group(self, prefix: str) -> Quantities:
        """Return what lies below ``prefix``, with names that start after it."""
        start = f"{prefix}."
        return Quantities({k.removeprefix(start): v for k, v in self._entries.items() if k.startswith(start)})

    def names(self, prefix: str = "") -> tuple[str, ...]:
        """Return the names one level below ``prefix``, in the file's order."""
        below = self.group(prefix) if prefix else self
        return tuple(dict.fromkeys(name.split(".")[0] for name in below))

    def rows(self) -> list[dict[str, object]]:
        """Return a table of every value, for reports."""
        return [
            {"name": k, "value": q.value, "unit": q.unit, "written": q.written, "sure": q.sure, "source": q.source}
            for k, q in self._entries.items()
        ]


def read(source: str | os.PathLike[str], expect: Mapping[str, str]) -> Quantities:
    """Return the quantities of a data file in the units of ``expect``, which lists every name it must hold.

    source: a path, or the TOML text itself (a string of more than one line). Errors: T501 (cannot be read), and one
    T513 with every finding: unknown or missing names, a missing or wrong unit, a missing source, values not finite.
    """
    text, label = _text(source)
    with reading(label, "a data file of quantities"):
        # numbers as written: a float would be rounded once here and once more by its unit's factor
        return _Reading(text, label, _leaves(parse_toml(text, label, parse_float=Decimal))).against(expect)


def _text(source: str | os.PathLike[str]) -> tuple[str, str]:
    # no path of ours holds a line break: a string with one is the file itself
    if isinstance(source, str) and "\n" in source:
        return source, "the text"
    path = Path(source)
    return read_text(path, most=TEXT_BYTES), path.name


def _leaves(table: Any, prefix: str = "") -> dict[str, Any]:
    """Return dotted names and what stands there: tables of a quantity, or what is no table at all."""
    items = table.items() if isinstance(table, dict) else enumerate(table)
    leaves: dict[str, Any] = {}
    for key, value in items:
        name = f"{prefix}{key}"
        tables = isinstance(value, list) and value and all(isinstance(item, dict) for item in value)
        if tables or (isinstance(value, dict) and not _is_quantity(value)):
            leaves |= _leaves(value, f"{name}.")
        elif not (key in FREE and isinstance(value, str)):
            leaves[name] = value
    return leaves


def _is_quantity(table: dict[str, Any]) -> bool:
    """A table is meant as a quantity where it has a value, or a unit or source that is no table."""
    return any(key in table and not isinstance(table[key], dict) for key in PARTS[:4])


def expand(expect: Mapping[str, str], names: list[str]) -> dict[str, str]:
    """Return ``expect`` with each ``*`` replaced by every name found in its place."""
    units: dict[str, str] = {}
    for pattern, unit in expect.items():
        parts, heads = pattern.split("."), [""]
        for fragment in parts:
            if fragment == "*":
                below = {h: [n[len(h) :].split(".")[0] for n in names if n.startswith(h)] for h in heads}
                heads = [f"{h}{n}." for h in heads for n in dict.fromkeys(below[h])]
            else:
                heads = [f"{h}{fragment}." for h in heads]
        units |= {head[:-1]: unit for head in heads}
    return units


class _Reading:
    """One file being read: what it holds and what was found wrong with it."""

    def __init__(self, text: str, label: str, leaves: dict[str, Any]):
        self.lines, self.label, self.leaves = text.splitlines(), label, leaves
        self.findings: list[Finding] = []
        self.keys = _keys(self.lines)
        self.unlisted = 0

    def against(self, expect: Mapping[str, str]) -> Quantities:
        """Return the quantities, or raise everything found."""
        units = expand(expect, list(self.leaves))
        entries = {name: self.entry(name, unit) for name, unit in units.items() if name in self.leaves}
        absent, unknown = [n for n in units if n not in self.leaves], [n for n in self.leaves if n not in units]
        for name in self.listed(unknown):
            # a name that is wrong is most likely one that is missing
            self.wrong(name, "nothing of this name is known", near(name, absent or list(units), "remove it"))
        for name in self.listed(absent):
            written = nearest(name, unknown)
            unit = units[name].removesuffix(LIST) or "1"
            hint = f"{written} is there and unknown" if written else f"add it; its unit is {unit}"
            self.wrong(name, "it is missing", hint=hint)
        if self.findings:
            raise ThermocError(self.listing())
        return Quantities({name: entry for name, entry in entries.items() if entry is not None})

    def listed(self, names: Sequence[str]) -> Sequence[str]:
        """Return those of the wrong names that are listed one by one; the others are counted."""
        self.unlisted += len(names[FINDINGS:])
        return names[:FINDINGS]

    def listing(self) -> list[Finding]:
        """Return the findings, no more than anybody reads."""
        first, uncounted = self.findings[: FINDINGS - 1], self.unlisted + len(self.findings[FINDINGS - 1 :])
        if len(self.findings) + self.unlisted <= FINDINGS:
            return self.findings
        return [*first, Finding(code="T513", what=f"{self.label}: {uncounted} more mistakes are not listed")]

    def wrong(self, name: str, fact: str, hint: str = "") -> None:
        """Note a finding, with its line where that is plain."""
        if len(self.findings) >= FINDINGS:
            self.unlisted += 1
            return
        name = cut(name, 120)
        hits = self.places(name)
        # only where one line alone can be meant: a wrong line would mislead more than none
        note = [cut(self.lines[hits[0] - 1].strip())] if len(hits) == 1 else []
        where = Location(self.label, hits[0]) if len(hits) == 1 and self.label != "the text" else None
        what = f"{self.label}: {name}: {fact}"
        self.findings.append(Finding(code="T513", what=what, where=where, notes=tuple(note), hint=hint))

    def places(self, name: str) -> list[int]:
        """Return the lines that may hold a name: those of its table, else those of its last part wherever it stands."""
        table, _, last = name.rpartition(".")
        lines = self.keys.get(last, [])
        in_table = [number for number, within in lines if within == table]
        return in_table or ([number for number, _ in lines] if name in self.leaves else [])

    def entry(self, name: str, wanted: str) -> Quantity | None:
        """Return one quantity in the unit wanted; what is wrong with it is noted."""
        # everything that is wrong with an entry is listed, not the first alone
        before, entry = len(self.findings), self.leaves[name]
        if wanted == TEXT:
            if not isinstance(entry, str):
                return self.wrong(name, "it is to be a plain string")
            return Quantity(value=entry, unit="", source="", sure="", written=entry)
        if not isinstance(entry, dict):
            return self.wrong(
                name, f"it is {cut(repr(entry))}, no quantity", 'write { value = ..., unit = "...", source = "..." }'
            )
        self.parts(name, entry)
        numbers = self.numbers(name, entry.get("value"), wanted.endswith(LIST))
        unit = self.unit(name, entry, wanted.removesuffix(LIST))
        limits = [self.limit(name, key, entry[key], unit) for key in RANGE if key in entry]
        if len(self.findings) > before or unit is None:
            return None
        # one rounding, of the exact product: the same value in nm and in m is the same float
        values = tuple(_float(number * unit.factor) for number in numbers)
        if not all(map(math.isfinite, values)):
            return self.wrong(name, "its value is beyond a float's range")
        return Quantity(
            value=values if wanted.endswith(LIST) else values[0],
            unit=wanted.removesuffix(LIST),
            source=entry["source"],
            sure=entry["sure"],
            written=f"{_plain(entry['value'])} {entry['unit']}".strip(),
            limits=tuple(limit for limit in limits if limit is not None),
        )

    def limit(self, name: str, key: str, bound: Any, unit: UnitOfMeasure | None) -> RangeEnd | None:
        """Return one side of a range, in SI or by the name of another value."""
        if isinstance(bound, str):
            if bound in self.leaves:
                return RangeEnd(key=key, bound=bound)
            return self.wrong(name, f"{key} names {bound!r}, which the file does not hold")
        if not _is_number(bound):
            return self.wrong(name, f"{key} is {_plain(bound)}, neither a number nor the name of a value")
        return RangeEnd(key=key, bound=_float(Fraction(bound) * (unit.factor if unit else 1)))

    def parts(self, name: str, entry: dict[str, Any]) -> None:
        """Check the source, the mark of how sure it is, and that no other key stands there."""
        if not isinstance(entry.get("source"), str) or not entry["source"].strip():
            self.wrong(name, "it names no source", 'add source = "..."')
        if not isinstance(entry.get("sure"), str) or entry["sure"] not in SURE:
            meaning = ", ".join(f"{mark} ({text})" for mark, text in SURE.items())
            self.wrong(name, f"sure is {cut(repr(entry.get('sure')))}", f"give one of {meaning}")
        for key in entry:
            if key not in PARTS:
                self.wrong(name, f"a quantity has no {cut(key, 120)!r}", near(key, PARTS, "remove it"))

    def numbers(self, name: str, value: Any, many: bool) -> list[Fraction]:
        """Return the value's numbers, exactly as written."""
        if value is None:
            self.wrong(name, "it has no value", "add value = ...")
            return []
        if isinstance(value, list) != many or (many and not value):
            self.wrong(name, f"its value is {_plain(value)}", "give a list of numbers" if many else "give one number")
            return []
        entries = value if many else [value]
        bad = [n for n in entries if not _is_number(n)]
        if bad:
            self.wrong(name, f"its value {_plain(bad[0])} is no finite number")
            return []
        return [Fraction(number) for number in entries]

    def unit(self, name: str, entry: dict[str, Any], wanted: str) -> UnitOfMeasure | None:
        """Return the file's unit where it measures what is wanted."""
        shown = wanted or '"" (a plain number)'
        written = entry.get("unit")
        if not isinstance(written, str):
            return self.wrong(name, "it has no unit", f"add unit; it is to be a multiple of {shown}")
        stated, aim = unit_of(written), unit_of(wanted)
        if aim is None:
            raise ValueError(f"{name}: no unit {wanted!r}")
        if stated is None:
            return self.wrong(name, f"there is no unit {cut(written, 120)!r}", f"it is to be a multiple of {shown}")
        if stated.dimensions != aim.dimensions:
            return self.wrong(name, f"its unit is {cut(written, 120)!r}", f"it is to be a multiple of {shown}")
        # a file may use any multiple of the unit wanted; only what it measures must agree
        return UnitOfMeasure(stated.factor / aim.factor, aim.dimensions)


def _keys(lines: list[str]) -> dict[str, list[tuple[int, str]]]:
    """Return the lines on which each bare key is set, with the table they stand in."""
    keys: dict[str, list[tuple[int, str]]] = {}
    within = ""
    for number, line in enumerate(lines, 1):
        header = HEADER.match(line)
        within = header[1] if header else within
        key = KEY.match(line)
        if key:
            keys.setdefault(key[1] or key[2], []).append((number, within))
    return keys


def _float(number: Fraction) -> float:
    """Return the nearest float, infinite beyond the largest."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def _is_number(value: Any) -> bool:
    """A finite number of a size that a float may have."""
    # TOML's true is an int in Python, and would count as 1
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        return False
    return Decimal(value).is_finite() and abs(Decimal(value).adjusted()) < MOST_DIGITS


def _plain(value: Any) -> str:
    """Return numbers as the file writes them."""
    return cut(f"[{', '.join(map(_plain, value[:100]))}]" if isinstance(value, list) else str(value))
