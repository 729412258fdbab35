"""docs/nomenclature.md: every word in it is in use, and no word that it replaces is left."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "nomenclature.md"
USED, _, REPLACED = PAGE.read_text().partition("\n## Not these\n")
COPIED = (
    "backends/lava/package/",
    *(f"backends/brian2/{name}.py" for name in ("prelude", "states", "simulation", "ending")),
)
"""Copied into packages and scripts that users have: their bytes stay while what they do stays."""


def rows(text: str) -> list[str]:
    """Return the first column of every table."""
    return [row for row in re.findall(r"^\| (.+?) \| .+ \|$", text, re.M) if row not in ("word", "not")]


@cache
def written() -> dict[str, str]:
    """Return code and pages as words in small letters; identifiers are taken apart, so that ``seat_of`` has a seat."""
    folders = ("thermoc", "ir", "backends", "simulator", "docs")
    found = [path for folder in folders for kind in ("*.py", "*.md") for path in (ROOT / folder).rglob(kind)]
    texts = {path.relative_to(ROOT).as_posix(): path for path in found if path != PAGE}
    return {name: words(path.read_text()) for name, path in texts.items() if not name.startswith(COPIED)}


def words(text: str) -> str:
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


@pytest.mark.parametrize("word", [word.strip("`") for row in rows(USED) for word in row.split(", ")])
def test_every_word_is_in_use(word: str):
    pattern = re.compile(rf"\b{words(word)}(s|d|es)?\b")
    assert any(pattern.search(text) for text in written().values())


@pytest.mark.parametrize("word", rows(REPLACED))
def test_no_word_is_left_that_another_replaces(word: str):
    pattern = re.compile(rf"\b{word}s?\b")
    found = {path: len(hits) for path, text in written().items() if (hits := pattern.findall(text))}
    assert not found, f"{word} is left in {found}: docs/nomenclature.md says what to write"
