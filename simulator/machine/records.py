"""What records of long sessions have in common: parts that follow each other, and how many of them are kept."""

from __future__ import annotations

from typing import TypeVar

T = TypeVar("T")
Chain = tuple["Chain[T]", T] | None
"""Parts that follow each other: those before, and the last one. None changes what another holds."""


def chained(chain: Chain[T]) -> list[T]:
    """Return the parts of a chain, the first one first."""
    parts: list[T] = []
    while chain is not None:
        chain, part = chain
        parts.append(part)
    return parts[::-1]


def stride(count: int, size: int, most: int) -> int:
    """Return the least power of two, such that every so manieth of ``count`` with ``size`` numbers each are ``most``.

    It is enough that one is left.
    """
    interval = 1
    while interval < count and -(-count // interval) * size > most:
        interval *= 2
    return interval
