"""Which formats are read and written, for ``thermoc formats`` and the table of docs/formats.md."""

from __future__ import annotations

from typing import Any

from thermoc.frontends.format import Format
from thermoc.frontends.formats import FORMATS, THERMO, loaded, options_of
from thermoc.frontends.problems.formats import FORMATS as PROBLEMS
from thermoc.support.errors import ThermocError

TEXTS = ("reads", "writes", "repairs", "refuses", "needs")


def format_rows() -> list[dict[str, Any]]:
    """Return a row for each format: networks first, then problems of optimisation."""
    return [_row(THERMO, {}), *map(_network, FORMATS.values()), *map(_problem, PROBLEMS)]


def format_text(rows: list[dict[str, Any]]) -> str:
    """Return formats as text: a block each, its facts a line each, what is empty left out."""
    return "\n\n".join(_block(row) for row in rows)


def format_markdown() -> str:
    """Return the formats of networks as a table of Markdown, which docs/formats.md shows."""
    lines = ["| format | read | written | repaired | refused |", "|---|---|---|---|---|"]
    for row in format_rows():
        if row["of"] == "networks":
            named = f"{', '.join(f'`{kind}`' for kind in row['suffixes']) or row['format']}: {row['title']}"
            needs = f" (`thermoc[{row['needs'].partition(',')[0]}]`{_rest(row['needs'])})" if row["needs"] else ""
            cells = [named + needs, row["reads"], row["writes"] or "no", row["repairs"], row["refuses"]]
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(line.replace("|  |", "| |") for line in lines) + "\n"


def _rest(needs: str) -> str:
    return f",{needs.partition(',')[2]}" if "," in needs else ""


def _network(format: Format) -> dict[str, Any]:
    try:
        module = loaded(format)
        return _row(module, dict(options_of(module)))
    except ThermocError as problem:  # a package's reader that does not load
        return _row(format, {}) | {"left out": "; ".join(problem.findings[0].notes)}


def _row(format: Format, options: dict[str, str]) -> dict[str, Any]:
    texts = {name: getattr(format, name) for name in TEXTS}
    named = {"format": format.name, "title": format.title, "of": "networks", "suffixes": list(format.suffixes)}
    return {**named, **texts, "options": options, "package": format.package, "left out": ""}


def _problem(name: str) -> dict[str, Any]:
    format = PROBLEMS[name]
    entry = Format(
        name=name,
        title=format.about,
        suffixes=format.suffixes,
        reads=f"usually a {format.usual} problem, by thermoc anneal and check",
    )
    return _row(entry, {}) | {"of": "problems"}


def _block(row: dict[str, Any]) -> str:
    suffixes = f" ({', '.join(row['suffixes'])})" if row["suffixes"] else ""
    lines = [f"{row['format']}{suffixes}: {row['title']}"]
    lines += [f"  {name + ':':10}{row[name]}" for name in (*TEXTS, "left out") if row[name]]
    if row["options"]:
        lines.append(f"  {'options:':10}{', '.join(row['options'])}")
    return "\n".join(lines)
