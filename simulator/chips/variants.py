"""A chip whose numbers are others: its file with other numbers, written where this process can read it."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from thermoc.simulator.chips.chip import load_chip
from thermoc.support.limits import TEXT_BYTES
from thermoc.support.loading import read_text


def text_of(chip: str) -> str:
    """Return the text of a chip's file, by name or path. Errors: T305, T501, T513, T515."""
    load_chip(chip)
    if chip.endswith(".toml"):
        return read_text(chip, most=TEXT_BYTES)
    return files("thermoc.simulator.chips").joinpath(f"{chip}.toml").read_text()


def with_numbers(text: str, numbers: Mapping[str, float]) -> str:
    """Return the text of a chip's file with other numbers, each in the unit that the file gives it.

    All must be in it (``place_of``).
    """
    for key, number in numbers.items():
        location = place_of(text, key)
        assert location is not None, key
        text = f"{text[: location[0]]}{number!r}{text[location[1] :]}"
    return text


def place_of(text: str, key: str) -> tuple[int, int] | None:
    """Return where the number of ``table.key`` stands; None where there is none that stands in one line."""
    table, _, name = key.rpartition(".")
    header = re.search(rf"^\[{re.escape(table)}\]\s*$", text, re.M)
    if header is None:
        return None
    end = re.search(r"^\[", text[header.end() :], re.M)
    section = text[header.end() : header.end() + end.start() if end else len(text)]
    match = re.search(rf"^{re.escape(name)}\s*=\s*\{{\s*value\s*=\s*([^,\s}}]+)", section, re.M)
    return None if match is None else (header.end() + match.start(1), header.end() + match.end(1))


@cache
def _folder() -> Any:
    return tempfile.TemporaryDirectory(prefix="thermoc-chips-")


@cache
def path_of(text: str) -> str:
    """Return a file that holds this text for as long as the process lives."""
    path = Path(_folder().name) / f"chip-{len(list(Path(_folder().name).iterdir()))}.toml"
    path.write_text(text)
    return str(path)
