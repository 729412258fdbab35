"""Numbers of things, in words."""

from __future__ import annotations


def counted(number: int, what: str) -> str:
    """Return a number of things: 1 tick, 599 samples."""
    return f"{number} {what}{'s' * (number != 1)}"
