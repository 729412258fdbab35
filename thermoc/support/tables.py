"""Rows of values as a table for the terminal."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.table import Table

WIDE, NARROW = 200, 60
"""Columns where no terminal says how many it has, and the fewest that a table is squeezed into."""


def table(title: str, rows: Sequence[Mapping[str, object]]) -> str:
    """Return rows with equal keys as a text table; numbers stand right, to four digits."""
    shown = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, title_style="bold")
    for name in rows[0] if rows else ():
        there = [row[name] for row in rows if row[name] is not None]
        numeric = all(isinstance(item, int | float) and not isinstance(item, bool) for item in there)
        shown.add_column(
            str(name).replace("_", " "), justify="right" if numeric else "left", no_wrap=numeric, overflow="fold"
        )
    for row in rows:
        shown.add_row(*(cell(value) for value in row.values()))
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else WIDE
    console = Console(file=io.StringIO(), width=max(width, NARROW), color_system=None)
    console.print(shown)
    text = console.file.getvalue()  # pyright: ignore[reportAttributeAccessIssue]
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")


def cell(value: object) -> str:
    """Return a value as short text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        return "x".join(map(str, value)) if all(isinstance(item, int) for item in value) else ", ".join(map(str, value))
    return str(value)
