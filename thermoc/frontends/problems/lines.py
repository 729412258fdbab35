"""Lines of numbers, read fast where all is well, and again line by line to say which one is not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from thermoc.frontends.problems.source import EXACT, ProblemSource
from thermoc.support.array_types import FloatArray, IntArray
from thermoc.support.errors import ThermocError

INT64 = 2**63


@dataclass(frozen=True, kw_only=True)
class Lines:
    """The lines of a file that are neither empty nor comments, stripped, with their numbers from one."""

    source: ProblemSource
    texts: Sequence[str]
    numbers: Sequence[int]

    @classmethod
    def of(cls, source: ProblemSource, comments: str = "#%") -> Lines:
        """Return the lines of a text; those that begin with one of ``comments`` are left out. Errors: T502, T516."""
        stripped = [line.strip() for line in source.text().split("\n")]
        numbers = [number for number, line in enumerate(stripped, 1) if line and line[0] not in comments]
        if not numbers:
            raise source.wrong("the file is empty", f"a {source.format} file has at least one line that is no comment")
        return cls(source=source, texts=[stripped[number - 1] for number in numbers], numbers=numbers)

    def __len__(self) -> int:
        return len(self.texts)

    def after(self, first: int) -> Lines:
        """Return the lines from the ``first``-th on, counted from 0."""
        return Lines(source=self.source, texts=self.texts[first:], numbers=self.numbers[first:])

    def wrong(self, at: int, what: str, *notes: str, hint: str = "", code: str = "T516") -> ThermocError:
        """Return the error of the ``at``-th line, with its text."""
        text = f"the line is {self.texts[at]!r}"
        return self.source.wrong(what, text, *notes, line=self.numbers[at], hint=hint, code=code)

    def integers(self, at: int, names: Sequence[str], skip: int = 0) -> list[int]:
        """Return the numbers of a head line, each at least 0; ``skip`` words stand before them. Errors: T504, T516."""
        words = self.texts[at].split()[skip:]
        if len(words) != len(names) or not all(word.isdecimal() and word.isascii() for word in words):
            raise self.wrong(at, "the head line is wrong", f"it is to state {', '.join(names)}, whole numbers")
        if any(len(word) > 18 for word in words):
            raise self.wrong(at, "the head line states too large a number", "the limit is 18 digits", code="T504")
        return [int(word) for word in words]

    def table(self, columns: Sequence[int], what: str) -> FloatArray:
        """Return all lines as numbers (lines, columns). columns: how many a line may have; what: as it is named.

        Errors: T516 (a word that is no number, lines of other lengths), T517 (not finite, or integers not exact).
        """
        if not self.texts:
            return np.zeros((0, columns[-1]))
        try:
            rows = np.loadtxt(self.texts, comments=None, ndmin=2)
        except ValueError:
            raise self._first_mistake(columns, what) from None
        if rows.shape[1] not in columns:
            raise self._first_mistake(columns, what)
        if not np.isfinite(rows).all():
            raise self._not_finite(int(np.flatnonzero(~np.isfinite(rows).all(axis=1))[0]))
        magnitude = np.abs(rows)
        if magnitude.max() >= EXACT:
            self._check_integers(np.flatnonzero((magnitude >= EXACT).any(axis=1)))
        return rows

    def _first_mistake(self, columns: Sequence[int], what: str) -> ThermocError:
        """Return the error of the first line that is not so many numbers."""
        first = len(self.texts[0].split())
        expected = first if first in columns else columns[0]
        for at, text in enumerate(self.texts):
            words = text.split()
            if len(words) not in columns or len(words) != expected:
                facts = f"{what} has {' or '.join(map(str, columns))} numbers a line"
                others = [f"the lines before have {expected}"] if at else []
                return self.wrong(at, f"a line of {len(words)} words", facts, *others)
            for word in words:
                if not _is_number(word):
                    return self.wrong(at, f"{word!r} is no number", f"{what} has numbers alone")
        return self.source.wrong("the numbers cannot be read", f"{what} has numbers alone")

    def _not_finite(self, at: int) -> ThermocError:
        return self.wrong(at, "a number is not finite", "energies are sums of finite numbers", code="T517")

    def _check_integers(self, lines: IntArray) -> None:
        """Refuse integers that int64 or float64 cannot hold: rounded ones would be another problem. Errors: T517."""
        for at in lines.tolist():
            words = str(self.texts[at]).split()
            for word in words:
                digits = word.lstrip("+-")
                if digits.isdecimal() and (len(digits) > 19 or int(digits) > EXACT):
                    overflow = len(digits) > 19 or int(digits) >= INT64
                    fact = "int64 ends at 2^63 - 1" if overflow else "float64 is exact up to 2^53"
                    raise self.wrong(at, f"the integer {word} is too large", fact, hint="scale it down", code="T517")

    def indices(self, column: FloatArray, low: int, high: int, what: str, hint: str = "") -> IntArray:
        """Return a column as indices from 0, which stand from ``low`` to ``high`` in the file. Errors: T516."""
        wrong = (column < low) | (column > high) | (column != np.floor(column))
        if wrong.any():
            at = int(np.argmax(wrong))
            number = column[at]
            shown = f"{number:.0f}" if math.isfinite(number) and number == math.floor(number) else f"{number}"
            kinds = "vertices" if what == "vertex" else f"{what}s"
            where = f"{kinds} are whole numbers from {low} to {high}" if high >= low else f"there are no {kinds}"
            raise self.wrong(at, f"{what} {shown} is not there", where, hint=hint)
        return column.astype(np.int64) - low

    def check_loops(self, i: IntArray, j: IntArray, what: str) -> None:
        """Refuse an edge from a vertex to itself. Errors: T516."""
        if (i == j).any():
            at = int(np.argmax(i == j))
            raise self.wrong(at, "an edge joins a vertex to itself", f"{what} have no loops", hint="leave the line out")

    def check_count(self, stated: int, what: str, head: int) -> None:
        """Refuse another number of lines than the head, on line ``head``, states. Errors: T516."""
        if len(self) != stated:
            notes = (f"line {head} states {stated}", f"the file has {len(self)}")
            line = self.numbers[min(stated, len(self) - 1)] if len(self) else head
            hint = "the file is cut off, or its head is of another" if len(self) < stated else "correct the head line"
            raise self.source.wrong(f"the number of {what} is wrong", *notes, line=line, hint=hint)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return "_" not in word


def integral(values: FloatArray) -> bool:
    """Tell whether all values are whole numbers."""
    return bool((values == np.floor(values)).all())
