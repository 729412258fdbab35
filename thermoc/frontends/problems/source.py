"""The bytes of a problem's file, and the errors that point into it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from thermoc.support.array_types import AnyArray
from thermoc.support.errors import Location, ThermocError, error
from thermoc.support.limits import COUPLINGS, PROBLEM_BYTES, SPINS
from thermoc.support.loading import cut, damaged, read_bytes, shown
from thermoc.support.tables import plain

EXACT = 2**53
"""Integers up to this one are exact in float64."""


@dataclass(frozen=True, kw_only=True)
class ProblemSource:
    """A file of a problem: where it is, what it holds, which format it is read as."""

    path: Path
    data: bytes
    format: str = ""

    @classmethod
    def of(cls, path: str | os.PathLike[str]) -> ProblemSource:
        """Read a file. Errors: T501, T504."""
        return cls(path=Path(path), data=read_bytes(path, most=PROBLEM_BYTES))

    def text(self) -> str:
        """Return the content as text. Errors: T502 where it is none."""
        if b"\0" in self.data:
            raise damaged(self.path, f"a {self.format} file", "it holds bytes that are no text")
        try:
            return self.data.decode("utf-8-sig")
        except UnicodeDecodeError as reason:
            raise damaged(self.path, f"a {self.format} file", f"it is no UTF-8 text: {reason}") from None

    def wrong(self, what: str, *notes: str, line: int = 0, hint: str = "", code: str = "T516") -> ThermocError:
        """Return the error of a line, counted from one, or of the file as a whole."""
        # Not a line of a program: its text is among the notes, and nothing opens the file again.
        at = Location.of_line(self.path, line)
        notes = tuple(plain(cut(note)) for note in notes)
        return error(code, plain(cut(what)), where=Location(at.file, line, live=False), notes=notes, hint=hint)

    def check_size(self, spins: int, what: str, *, line: int = 0) -> None:
        """Refuse more units than are taken, before anything of that size is made. Errors: T504."""
        if spins > SPINS:
            raise self.wrong(f"{what} are too many", f"{spins} {what}", f"the limit is {SPINS}", line=line, code="T504")

    def check_total(self, values: AnyArray, *, integers: bool) -> None:
        """Refuse numbers whose sum, and so an energy, is no exact or no finite number. Errors: T517."""
        with np.errstate(over="ignore"):
            total = float(np.abs(values).sum())
        if not np.isfinite(total):
            raise self.wrong("an energy would overflow", "the magnitudes add up to infinity", code="T517")
        if integers and total > EXACT:
            notes = (f"the magnitudes of the integers add up to {total:.6g}", f"exact up to 2^53 = {EXACT}")
            raise self.wrong(
                "energies would not be exact", *notes, hint="divide all numbers by one factor", code="T517"
            )


def check_couplings(count: int, what: str) -> None:
    """Refuse a map with more couplings than are taken, before they are made. Errors: T504."""
    if count > COUPLINGS:
        notes = [f"{what} needs {count} couplings", f"the limit is {COUPLINGS}"]
        raise error("T504", "the problem is too large for its map", notes=notes)


__all__ = ["EXACT", "ProblemSource", "check_couplings", "shown"]
