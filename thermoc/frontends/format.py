"""What a reader's folder says of itself: the entry of ``thermoc formats``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Reader = Callable[..., Any]


@dataclass(frozen=True, kw_only=True)
class Format:
    """A format of networks: by which name and suffixes it goes, who reads and writes it, and what becomes of a file.

    reader, writer: ``"module:function"``, imported when they are used, or the function itself. A reader takes a path
    and keyword-only options and returns (graph, findings); a writer takes a graph and a path.
    """

    name: str
    title: str
    suffixes: tuple[str, ...] = ()
    reader: str | Reader = ""
    writer: str | Reader = ""
    options_from: str = ""
    """The function whose options are shown, where none reads a file."""
    reads: str = ""
    writes: str = ""
    repairs: str = ""
    refuses: str = ""
    needs: str = ""
    """The extra that it needs, and for what."""
    package: str = "thermoc"
    """Who brings it."""
