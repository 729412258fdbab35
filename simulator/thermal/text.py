"""Lines of foreign text files, with where they stand; what is wrong with them is one coded error."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from thermoc.support.errors import Location, ThermocError, error
from thermoc.support.loading import read_text

MOST_BYTES = 1 << 26


def read_lines(path: str | os.PathLike[str]) -> Iterator[tuple[Location, str]]:
    """Yield each line of a text file and its place. Errors: T501, T504."""
    target = Path(path)
    for number, line in enumerate(read_text(target, most=MOST_BYTES).splitlines(), 1):
        yield Location(str(target), number), line


def wrong(what: str, where: Location | None, hint: str = "") -> ThermocError:
    """Return the error of a line, to be raised."""
    return error("T514", what, where=where, hint=hint)


def undone(what: str, where: Location | None, hint: str = "") -> ThermocError:
    """Return the error of a line that is right and asks for what is not modelled here, to be raised."""
    return error("T507", f"{what}: not done here", where=where, hint=hint)


def beneath(root: Path, name: str, where: Location | None) -> Path:
    """Return the path of a file that another one names, which must lie below ``root``. Errors: T514."""
    try:
        # resolved first: a link or .. would otherwise lead out of the folder
        path, folder = (root / name).resolve(), root.resolve()
        fits = path.is_relative_to(folder)
    except (OSError, ValueError, RuntimeError) as reason:
        raise wrong(f"{name[:80]!r} is no path", where, str(reason)) from None
    if not fits:
        raise wrong(f"{name[:80]!r} leaves the folder {root}", where, "name files below it, or give another root")
    return path


def numbers(words: Sequence[str], where: Location) -> list[float]:
    """Return finite numbers. Errors: T514."""
    values = []
    for word in words:
        try:
            value = float(word)
        except ValueError:
            raise wrong(f"{word!r} is no number", where) from None
        # float reads nan and inf, which no file of these means
        if not math.isfinite(value):
            raise wrong(f"{word!r} is not finite", where)
        values.append(value)
    return values
