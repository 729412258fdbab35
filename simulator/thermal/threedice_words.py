"""The words of 3D-ICE's files, one at a time, each with its place; comments are left out."""

from __future__ import annotations

import os
import re

from thermoc.simulator.thermal.text import numbers, read_lines, undone, wrong
from thermoc.support.errors import Location

_TOKEN = re.compile(r'"[^"]*"|[:;,()]|[^\s:;,()"]+')


class Words:
    """The words of a file, one at a time, each with its place."""

    def __init__(self, path: str | os.PathLike[str]):
        self._words: list[tuple[Location, str]] = []
        inside = False
        for where, line in read_lines(path):
            text, inside = _without_comments(line, inside)
            self._words += [(where, word) for word in _TOKEN.findall(text)]
        self._at = 0
        self.last: Location | None = None

    @property
    def done(self) -> bool:
        """Whether none are left."""
        return self._at >= len(self._words)

    def peek(self) -> str:
        """Return the next word, '' at the end."""
        return "" if self.done else self._words[self._at][1]

    def take(self, *wanted: str) -> str:
        """Return the next word, which must be one of those wanted, if any are named. Errors: T514."""
        if self.done:
            raise wrong(f"the file ends where {_either(wanted) or 'a word'} should stand", self.last)
        self.last, word = self._words[self._at]
        if wanted and word not in wanted:
            raise wrong(f"{word!r} stands where {_either(wanted)} should", self.last)
        self._at += 1
        return word

    def number(self) -> float:
        """Return the next word as a number. Errors: T514."""
        word = self.take()
        assert self.last is not None
        return numbers([word], self.last)[0]

    def phrase(self, text: str) -> None:
        """Take the words of a text one by one."""
        for word in text.split():
            self.take(word)

    def until(self, mark: str) -> list[str]:
        """Return the words up to a mark, which is taken too. Errors: T514 where the file ends before."""
        words = []
        while (word := self.take()) != mark:
            words.append(word)
        return words

    def refuse(self, what: str) -> None:
        """Raise that what stands here is not modelled. Errors: T507."""
        where = self.last if self.done else self._words[self._at][0]
        raise undone(what, where)


def _without_comments(line: str, inside: bool) -> tuple[str, bool]:
    """Return a line without // and /* */ comments, and whether the latter goes on."""
    text = ""
    while line:
        if inside:
            _, end, line = line.partition("*/")
            inside = not end
        else:
            match = re.search(r"//|/\*", line)
            if match is None:
                return text + line, False
            # a space in its place: words on either side of a comment must not become one
            text += line[: match.start()] + " "
            line = "" if match.group() == "//" else line[match.end() :]
            inside = match.group() == "/*"
    return text, inside


def _either(words: tuple[str, ...]) -> str:
    return " or ".join(repr(word) for word in words)
