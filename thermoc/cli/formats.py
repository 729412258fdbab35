"""``thermoc formats``."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from thermoc.cli.output import print_json, say
from thermoc.cli.parameters import Json
from thermoc.reports.format_list import format_rows, format_text
from thermoc.support.errors import error
from thermoc.support.suggestions import near


def formats(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="One format, with what its options do.")] = "",
    as_json: Json = False,
) -> None:
    """List the formats that are read and written: what of each, what is repaired, what is refused, and its options."""
    rows = format_rows()
    if name:
        chosen = name.lower().removeprefix(".")
        rows = [row for row in rows if chosen == row["format"] or f".{chosen}" in row["suffixes"]] or _unknown(name)
    if as_json:
        print_json(rows)
        return
    say(format_text(rows))
    if name:
        for option, text in rows[0]["options"].items():
            say(f"  {option}: {text}")


def _unknown(name: str) -> list[dict[str, Any]]:
    names = [row["format"] for row in format_rows()]
    hint = near(name, names, "thermoc formats")
    raise error("T506", f"there is no format {name!r}", notes=[f"there are {', '.join(names)}"], hint=hint)
