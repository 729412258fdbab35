"""Tables of a TOML file as dataclasses: an unknown key or a wrong type is an error that names its line."""

from __future__ import annotations

import dataclasses
import re
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from thermoc.support.errors import Location, ThermocError, error
from thermoc.support.limits import TEXT_BYTES
from thermoc.support.loading import cut, read_text
from thermoc.support.suggestions import near
from thermoc.support.toml_text import parse_toml

Table = TypeVar("Table")


@dataclass(frozen=True)
class TomlFile:
    """A TOML file, its text and its tables. code: of the errors of what is wrong in it."""

    path: Path
    text: str
    tables: Mapping[str, Any]
    code: str

    @classmethod
    def read(cls, path: Path, code: str) -> TomlFile:
        """Read a file. Errors: T501, T504, ``code`` (no TOML)."""
        text = read_text(path, most=TEXT_BYTES)
        return cls(path, text, parse_toml(text, path, code=code), code)

    def wrong(self, table: str, key: str, what: str, *, notes: Sequence[str] = (), hint: str = "") -> ThermocError:
        """Return the error of a key, at its line."""
        where = Location.of_line(self.path, self.line(table, key))
        return error(self.code, f"[{table}] {what}" if table else what, where=where, notes=notes, hint=hint)

    def line(self, table: str, key: str) -> int:
        """Return the line of a key, else that of its table, else 0."""
        current, of_table = "", 0
        for number, text in enumerate(self.text.splitlines(), 1):
            if header := re.match(r"\s*\[\s*([\w.-]+)\s*\]", text):
                current = header[1]
                of_table = number if current == table else of_table
                if current in (key, f"{table}.{key}"):
                    return number
            elif current == table and re.match(rf"""\s*["']?{re.escape(key)}["']?\s*[.=]""", text):
                return number
        return of_table

    def check_tables(self, known: Sequence[str]) -> None:
        """Refuse tables that nothing reads. Errors: ``code``."""
        for name, value in self.tables.items():
            if name not in known:
                notes = [f"there are {', '.join(f'[{table}]' for table in known)}"]
                raise self.wrong("", name, f"there is no table [{cut(name, 60)}]", notes=notes, hint=near(name, known))
            if not isinstance(value, dict):
                raise self.wrong("", name, f"{name} is a table", notes=[f"it is {cut(repr(value), 60)}"])

    def table(self, name: str, kind: type[Table]) -> Table:
        """Return a table as a dataclass. Errors: ``code`` for an unknown key, a wrong type, a key that is missing."""
        entries = self.tables.get(name, {})
        hints = typing.get_type_hints(kind)
        fields = {field.name: field for field in dataclasses.fields(typing.cast(Any, kind))}
        for key, value in entries.items():
            if key not in fields:
                notes = [f"its keys are {', '.join(fields)}"]
                raise self.wrong(name, key, f"there is no key {cut(key, 60)!r}", notes=notes, hint=near(key, fields))
            if not _fits(value, hints[key]):
                notes = [f"{key} = {cut(repr(value), 60)}", f"it is to be {_described(hints[key])}"]
                raise self.wrong(name, key, f"{key} is of a wrong type", notes=notes)
        missing = [key for key, field in fields.items() if key not in entries and _is_needed(field)]
        if missing:
            raise self.wrong(name, "", f"{missing[0]} is missing", hint=f"give it in [{name}]")
        return kind(
            **{key: tuple(typing.cast(list[Any], v)) if isinstance(v, list) else v for key, v in entries.items()}
        )


def _is_needed(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _fits(value: Any, hint: Any) -> bool:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return any(_fits(value, choice) for choice in arguments)
    if origin is tuple:
        return isinstance(value, list) and all(_fits(item, arguments[0]) for item in typing.cast(list[Any], value))
    if origin is not None:  # a table of numbers or options
        return isinstance(value, dict) and all(
            _fits(item, arguments[1]) for item in typing.cast(dict[str, Any], value).values()
        )
    if hint is Any:
        return True
    if hint is float:  # TOML's 1 is a whole number, and its nan is a float
        return type(value) in (int, float) and abs(value) < float("inf")
    return type(value) is hint


def _described(hint: Any) -> str:
    names = {int: "a whole number", float: "a finite number", str: "a text", bool: "true or false"}
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return " or ".join(_described(choice) for choice in arguments if choice is not type(None))
    if origin is tuple:
        return f"a list, each item {_described(arguments[0])}"
    return names.get(hint, "a table")
