"""The question after the name that is meant, where a name is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from itertools import islice

COMPARED = 300
"""Names that are looked at: only a hostile file has thousands."""


def nearest(name: object, known: Iterable[str]) -> str:
    """Return the known name most like one that is wrong, whatever its case; '' where none is alike."""
    by_lower = {item.lower(): item for item in map(str, islice(known, COMPARED))}
    matches = difflib.get_close_matches(str(name).lower(), list(by_lower), 1)
    return by_lower[matches[0]] if matches else ""


def near(name: object, known: Iterable[str], otherwise: str = "") -> str:
    """Return "did you mean 'grid'?", or what else is to be said where no known name is near."""
    meant = nearest(name, known)
    return f"did you mean {meant!r}?" if meant else otherwise
