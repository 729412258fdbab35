"""Which passes there are, for ``thermoc passes`` and the table of docs/passes.md: names, options, what each does."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

from thermoc.passes.base import Pass
from thermoc.passes.option_text import described, option_types, printed
from thermoc.passes.registry import names, pass_class
from thermoc.support.tables import table


def pass_rows() -> list[dict[str, Any]]:
    """Return a row for each pass: its name, its options with type and default, and what it does."""
    return [_row(pass_class(name)) for name in names()]


def pass_table() -> str:
    """Return the passes as text."""
    rows = [{**row, "options": "; ".join(map(_option_text, row["options"]))} for row in pass_rows()]
    return table("passes, to be named in --passes", rows)


def pass_markdown() -> str:
    """Return the passes as a table of Markdown, which docs/passes.md shows."""
    lines = ["| pass | options | what it does |", "|---|---|---|"]
    for row in pass_rows():
        options = "<br>".join(map(_option_text, row["options"]))
        lines.append(f"| `{row['pass']}` | {options} | {row['does']} |".replace("|  |", "| |"))
    return "\n".join(lines) + "\n"


def _row(cls: type[Pass]) -> dict[str, Any]:
    kinds = option_types(cls)
    options = [
        {"name": field.name, "takes": described(kinds[field.name]), "default": _default(field)}
        for field in dataclasses.fields(cls)
    ]
    return {"pass": cls.name, "options": options, "does": _first_sentence(cls)}


def _default(field: dataclasses.Field[Any]) -> str | None:
    return None if field.default is dataclasses.MISSING else printed(field.default)


def _option_text(option: dict[str, Any]) -> str:
    if not option["takes"]:
        return f"{option['name']}: in Python alone"
    default = "" if option["default"] is None else f" ({option['default']})"
    return f"{option['name']}: {option['takes']}{default}"


def _first_sentence(cls: type[Pass]) -> str:
    paragraph = " ".join((inspect.getdoc(cls) or "").partition("\n\n")[0].split())
    return paragraph.partition(". ")[0].rstrip(".").replace("``", "`") + "."
