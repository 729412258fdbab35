"""Parse a pipeline's text, ``fuse,discretize{dt=0.1}``, into names, options and places, before any is looked up."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NoReturn

from thermoc.support.errors import ThermocError, error

MOST_NESTED = 8
"""Braces within braces: more than any option has, and far from Python's limit of recursion."""
_LONGEST_SHOWN = 60
_TOKEN = re.compile(r'\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*")|(?P<mark>[{}(),=])|(?P<word>[^\s{}(),="]+))')


@dataclass(frozen=True, kw_only=True)
class Word:
    """A number, a name or a text; ``quoted`` tells "none" from none."""

    text: str
    quoted: bool = False


@dataclass(frozen=True, kw_only=True)
class Listed:
    """Values in parentheses."""

    items: tuple[Syntax, ...]


@dataclass(frozen=True, kw_only=True)
class Braces:
    """Options in braces."""

    options: Mapping[str, Syntax]


Syntax = Word | Listed | Braces


@dataclass(frozen=True, kw_only=True)
class PassSyntax:
    """One pass of the text: its name, its options, and the character at which it stands, from 1."""

    name: str
    options: Mapping[str, Syntax]
    position: int


def parse_syntax(text: str) -> tuple[PassSyntax, ...]:
    """Return the passes of a text in order. Errors: T211 with the character at which it cannot go on."""
    return _Parser(text).pipeline()


@dataclass(frozen=True, kw_only=True)
class _Token:
    kind: str
    text: str
    position: int


class _Parser:
    def __init__(self, text: str):
        self.text = text
        self.tokens = list(self._scan())
        self.index = 0

    def pipeline(self) -> tuple[PassSyntax, ...]:
        passes: list[PassSyntax] = []
        while self.now.kind != "end":
            if passes:
                self.expect(",", "',' between two passes")
            token = self.word("the name of a pass")
            options: Mapping[str, Syntax] = self.group(1).options if self.now.text == "{" else {}
            passes.append(PassSyntax(name=token.text, options=options, position=token.position))
        return tuple(passes)

    def group(self, depth: int) -> Braces:
        opening = self.expect("{", "'{'")
        options: dict[str, Syntax] = {}
        while self.now.text != "}":
            if options:
                self.expect(",", "',' or '}'", opening)
            name = self.word("the name of an option", opening)
            if name.text in options:
                self.fail(f"option {name.text!r} stands twice", name)
            self.expect("=", f"'=' after {name.text}", opening)
            options[name.text] = self.value(depth + 1, opening)
        self.index += 1
        return Braces(options=options)

    def listed(self, depth: int) -> Listed:
        opening = self.expect("(", "'('")
        items: list[Syntax] = []
        while self.now.text != ")":
            if items:
                self.expect(",", "',' or ')'", opening)
            items.append(self.value(depth + 1, opening))
        self.index += 1
        return Listed(items=tuple(items))

    def value(self, depth: int, opening: _Token) -> Syntax:
        if depth > MOST_NESTED:
            self.fail(f"more than {MOST_NESTED} braces within each other", self.now)
        if self.now.text == "{":
            return self.group(depth)
        if self.now.text == "(":
            return self.listed(depth)
        token = self.word("a value", opening)
        return Word(text=token.text, quoted=token.kind == "quoted")

    @property
    def now(self) -> _Token:
        return self.tokens[self.index]

    def expect(self, mark: str, wanted: str, opening: _Token | None = None) -> _Token:
        token = self.now
        if token.kind != "mark" or token.text != mark:
            self.refuse(wanted, opening)
        self.index += 1
        return token

    def word(self, wanted: str, opening: _Token | None = None) -> _Token:
        token = self.now
        if token.kind not in ("word", "quoted"):
            self.refuse(wanted, opening)
        self.index += 1
        return token

    def refuse(self, wanted: str, opening: _Token | None) -> NoReturn:
        # At the end of the text the brace that was never closed is what the user must find.
        if self.now.kind == "end" and opening is not None:
            self.fail(f"{opening.text!r} is not closed", opening)
        self.fail(f"there should be {wanted}, not {self.now.text or 'the end'!r}", self.now)

    def fail(self, what: str, token: _Token) -> NoReturn:
        raise unreadable(self.text, what, token.position)

    def _scan(self) -> Iterator[_Token]:
        at, length = 0, len(self.text.rstrip())
        while at < length:
            match = _TOKEN.match(self.text, at)
            if match is None:
                start = at + len(self.text[at:]) - len(self.text[at:].lstrip())
                raise unreadable(self.text, "a quotation mark is not closed", start + 1)
            kind = match.lastgroup or ""
            yield _Token(kind=kind, text=self._plain(match, kind), position=match.start(kind) + 1)
            at = match.end()
        yield _Token(kind="end", text="", position=length + 1)

    def _plain(self, match: re.Match[str], kind: str) -> str:
        if kind != "quoted":
            return match[kind]
        try:
            return json.loads(match[kind])
        except ValueError:
            raise unreadable(self.text, "a quoted text is not as JSON writes one", match.start(kind) + 1) from None


def unreadable(text: str, what: str, position: int) -> ThermocError:
    """Return the error that a text cannot be parsed, with the place and what stands there (T211)."""
    shown = text[position - 1 : position - 1 + _LONGEST_SHOWN]
    notes = [f"character {position}" + (f": {shown}" if shown else ", its end")]
    hint = "a pipeline is passes with commas between: fuse,discretize{dt=0.1}"
    return error("T211", f"the pipeline's text cannot be parsed: {what}", notes=notes, hint=hint)
