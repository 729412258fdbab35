"""Rows of values as a table: for the terminal, and as HTML for notebooks."""

from __future__ import annotations

import io
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from html import escape
from typing import TYPE_CHECKING, cast

from thermoc.support.array_types import AnyArray

if TYPE_CHECKING:
    from rich.table import Table

WIDE, NARROW = 200, 40
"""Columns where nothing says how many there are, and the fewest that a table is squeezed into."""
FOLD = 16
"""Letters of a text in a line of a narrow column."""

Rows = Sequence[Mapping[str, object]]


def table(title: str, rows: Rows) -> str:
    """Return rows with equal keys as a text table; numbers stand right, to four digits.

    No text in it is markup. A table that is wider than the terminal is written as records, a line for each value, so
    that no number is cut. An empty ``rows`` is the title alone.
    """
    width = _columns()
    if _least(rows, stacked=True) > width:
        return "\n".join([plain(title), *_records(rows, width)])
    from rich.console import Console

    written = io.StringIO()
    console = Console(file=written, width=width, color_system=None)
    console.print(_table(title, rows, stacked=_least(rows, stacked=False) > width))
    return "\n".join(line.rstrip() for line in written.getvalue().splitlines()).strip("\n")


def _table(title: str, rows: Rows, *, stacked: bool) -> Table:
    """Return the table; ``stacked`` puts each word of a head on a line of its own."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    # In a plain str Rich would take [brackets] for markup.
    shown = Table(title=Text(plain(title)), title_justify="left", box=box.SIMPLE_HEAD, title_style="bold")
    for name in rows[0] if rows else ():
        numeric = _numeric(rows, name)
        head = _head(name).replace(" ", "\n") if stacked else _head(name)
        shown.add_column(Text(head), justify="right" if numeric else "left", no_wrap=numeric, overflow="fold")
    for row in rows:
        shown.add_row(*(Text(cell(value)) for value in row.values()))
    return shown


def _least(rows: Rows, *, stacked: bool) -> int:
    """Return the fewest columns in which the table stands with every number whole, and text folded at ``FOLD``."""
    total = 1
    for name in rows[0] if rows else ():
        heads = _head(name).split(" ") if stacked else [_head(name)]
        longest = max(len(cell(row[name])) for row in rows)
        total += 3 + max(longest if _numeric(rows, name) else min(longest, FOLD), *map(len, heads))
    return total


def _numeric(rows: Rows, name: str) -> bool:
    numbers = [row[name] for row in rows if row[name] is not None]
    return all(isinstance(item, int | float) and not isinstance(item, bool) for item in numbers)


def _records(rows: Rows, width: int) -> list[str]:
    """Return each row as lines ``name  value``, without empty ones; a long value goes on below itself."""
    from rich.console import Console
    from rich.text import Text

    margin = max(len(_head(name)) for name in rows[0]) + 4
    lines: list[str] = []
    for row in rows:
        lines.append("")
        for name, value in row.items():
            if not cell(value):
                continue
            text = Text(cell(value)).wrap(Console(width=width), max(width - margin, 12), overflow="fold")
            parts = [line.plain.rstrip() for line in text]
            lines.append(f"  {_head(name):<{margin - 2}}{parts[0]}".rstrip())
            lines += [" " * margin + line for line in parts[1:]]
    return lines


def _columns() -> int:
    """Return how wide a table may be: of the terminal, or as COLUMNS says, else wide."""
    # Python has no stdout where a program runs without a console.
    stated = sys.stdout is not None and (sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdecimal())
    return max(shutil.get_terminal_size().columns if stated else WIDE, NARROW)


def _head(name: object) -> str:
    return plain(str(name).replace("_", " "))


def plain(text: str) -> str:
    """Return a text with its control characters written out: a name cannot move the cursor."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else repr(letter)[1:-1] for letter in text)


def html_table(title: str, rows: Rows) -> str:
    """Return rows with equal keys as an HTML table for a notebook; everything in it is escaped."""
    head = "".join(f"<th>{escape(_head(name))}</th>" for name in (rows[0] if rows else ()))
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell(value))}</td>" for value in row.values()) + "</tr>" for row in rows
    )
    grid = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>" if rows else ""
    return f"<div><strong>{escape(plain(title))}</strong>{grid}</div>"


def array_rows(arrays: Mapping[str, AnyArray], kind: str) -> list[dict[str, object]]:
    """Return a row for each array: its name under ``kind``, shape, dtype, mean, least and largest element."""
    return [
        {
            kind: name,
            "shape": list(array.shape),
            "dtype": str(array.dtype),
            **{key: float(getattr(array, key)()) if array.size else None for key in ("mean", "min", "max")},
        }
        for name, array in arrays.items()
    ]


def cell(value: object) -> str:
    """Return a value as short text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list | tuple):
        items = cast("Sequence[object]", value)
        text = "x".join(map(str, items)) if all(isinstance(item, int) for item in items) else ", ".join(map(str, items))
        return plain(text)
    return plain(str(value))
