"""Cities in TSPLIB's format: coordinates in the plane (EUC_2D, CEIL_2D), or distances (EXPLICIT)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from thermoc.frontends.problems.data import Distances
from thermoc.frontends.problems.lines import Lines, integral
from thermoc.frontends.problems.source import ProblemSource
from thermoc.support.array_types import FloatArray

CITIES = 200
"""Most cities: the map has a bit for each city and place, and couplings for each two of those."""
ORDERS: dict[str, Callable[[int], Any]] = {
    "FULL_MATRIX": lambda n: np.nonzero(np.ones((n, n))),
    "UPPER_ROW": lambda n: np.triu_indices(n, 1),
    "UPPER_DIAG_ROW": lambda n: np.triu_indices(n),
    "LOWER_ROW": lambda n: np.tril_indices(n, -1),
    "LOWER_DIAG_ROW": lambda n: np.tril_indices(n),
    "UPPER_COL": lambda n: np.tril_indices(n, -1)[::-1],
    "LOWER_COL": lambda n: np.triu_indices(n, 1)[::-1],
}
"""Rows and columns of the numbers of EDGE_WEIGHT_SECTION, in their order."""


def read_tsplib(source: ProblemSource) -> Distances:
    """Return the lengths of all ways. Errors: T502, T504, T507 (other kinds of distances), T516, T517."""
    lines = Lines.of(source)
    head, sections = _parts(lines)
    n = _dimension(lines, head)
    kind = head.get("EDGE_WEIGHT_TYPE", (0, ""))[1]
    if kind == "EXPLICIT":
        lengths = _explicit(lines, head, sections, n)
    elif kind in ("EUC_2D", "CEIL_2D"):
        lengths = _plane(lines, sections, n, kind)
    else:
        at = head.get("EDGE_WEIGHT_TYPE", (0, ""))[0]
        raise lines.wrong(at, f"distances of kind {kind!r} are not read", "EXPLICIT, EUC_2D, CEIL_2D are", code="T507")
    source.check_total(lengths, integers=integral(lengths))
    return Distances(lengths=lengths)


def _parts(lines: Lines) -> tuple[dict[str, tuple[int, str]], dict[str, range]]:
    """Return what the head states by keyword, with its line, and the lines of each section."""
    head: dict[str, tuple[int, str]] = {}
    starts: list[tuple[str, int]] = []
    for at, text in enumerate(lines.texts):
        word = re.match(r"[A-Z][A-Z0-9_]*", text)
        if not word:
            if not starts:
                raise lines.wrong(at, "a line of an unknown kind", "the head has lines KEYWORD: VALUE")
        elif word[0].endswith("_SECTION") or word[0] == "EOF":
            starts.append((word[0], at))
        else:
            head[word[0]] = at, text[word.end() :].lstrip(" \t:").strip()
    ends = [at for _, at in starts[1:]] + [len(lines)]
    return head, {name: range(at + 1, end) for (name, at), end in zip(starts, ends)}


def _dimension(lines: Lines, head: dict[str, tuple[int, str]]) -> int:
    at, text = head.get("DIMENSION", (0, ""))
    if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) < 2:
        raise lines.wrong(at, "the number of cities is missing", "the head has a line DIMENSION: N, at least 2")
    if int(text) > CITIES:
        notes = (f"{text} cities", f"the limit is {CITIES}")
        raise lines.wrong(at, "a tour through too many cities", *notes, code="T504")
    return int(text)


def _section(lines: Lines, sections: dict[str, range], name: str) -> Lines:
    if name not in sections:
        notes = (f"the file has {', '.join(sections) or 'no section'}",)
        raise lines.wrong(len(lines) - 1, f"{name} is missing", *notes)
    at = sections[name]
    return Lines(source=lines.source, texts=lines.texts[at.start : at.stop], numbers=lines.numbers[at.start : at.stop])


def _explicit(lines: Lines, head: dict[str, tuple[int, str]], sections: dict[str, range], n: int) -> FloatArray:
    at, order = head.get("EDGE_WEIGHT_FORMAT", (0, ""))
    if order not in ORDERS:
        raise lines.wrong(at, f"distances in the order {order!r} are not read", f"{', '.join(ORDERS)} are", code="T507")
    body = _section(lines, sections, "EDGE_WEIGHT_SECTION")
    # a word a line, for rows may be broken anywhere
    words = [(word, number) for text, number in zip(body.texts, body.numbers) for word in text.split()]
    section = Lines(source=lines.source, texts=[word for word, _ in words], numbers=[number for _, number in words])
    rows, columns = ORDERS[order](n)
    section.check_count(len(rows), "distances", lines.numbers[at])
    values = section.table((1,), "a distance")[:, 0]
    if (values < 0).any():
        raise section.wrong(
            int(np.argmax(values < 0)), "a distance is below 0", "the map needs distances of at least 0"
        )
    lengths = np.zeros((n, n))
    lengths[rows, columns] = values
    if order != "FULL_MATRIX":
        lengths[columns, rows] = values
    np.fill_diagonal(lengths, 0.0)
    return lengths


def _plane(lines: Lines, sections: dict[str, range], n: int, kind: str) -> FloatArray:
    body = _section(lines, sections, "NODE_COORD_SECTION")
    body.check_count(n, "cities", lines.numbers[0])
    rows = body.table((3,), "a city")
    city = body.indices(rows[:, 0], 1, n, "city", "cities count from 1")
    if len(set(city.tolist())) != n:
        repeated = next(at for at, c in enumerate(city.tolist()) if c in city[:at])
        raise body.wrong(repeated, "a city stands twice", f"cities are 1 to {n}, each once")
    places = np.zeros((n, 2))
    places[city] = rows[:, 1:]
    with np.errstate(over="ignore"):
        exact = np.hypot(*(places[:, np.newaxis] - places).T)
    # TSPLIB's nint(x) is floor(x + 0.5)
    return np.ceil(exact) if kind == "CEIL_2D" else np.floor(exact + 0.5)
