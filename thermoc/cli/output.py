"""What the commands print: on full disks, closed pipes and terminals without Unicode too."""

from __future__ import annotations

import codecs
import io
import json
import math
import os
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np
import typer

from thermoc.support.errors import ThermocError, error
from thermoc.support.tables import plain

PLAINER = {"─": "-", "…": "...", "→": "->", "×": "x", "≤": "<=", "≥": ">=", "±": "+-", "µ": "u", "·": ".", "²": "^2"}
"""What is written for a letter that a terminal's encoding lacks; others come as their number."""


class Guarded(io.TextIOWrapper):
    """A standard stream whose failing is no fault of thermoc.

    A reader that has gone (``| head``) is passed over, and the command goes on to its end and its own exit code. Other
    failures (a full disk) raise T505, or are passed over where ``quiet``.
    """

    quiet = False

    def write(self, text: str, /) -> int:
        try:
            return super().write(text)
        except OSError as reason:
            self._lost(reason)
            return len(text)

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as reason:
            self._lost(reason)

    def _lost(self, reason: OSError) -> None:
        """Send what is still to come nowhere, and say why once."""
        # Python flushes the stream again at exit, and a second failure there would change the exit code.
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.fileno())
        os.close(nowhere)
        if not self.quiet and not isinstance(reason, BrokenPipeError):
            notes = [str(reason.strerror or reason)]
            raise error("T505", "the standard output cannot be written", notes=notes) from None


def guard_streams() -> None:
    """Replace the standard streams by guarded ones, in their own encoding."""
    # In an encoding without these letters a print would end the command with UnicodeEncodeError.
    codecs.register_error("thermoc.plain", _plainer)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if isinstance(stream, io.TextIOWrapper):
            encoding, lines = stream.encoding, stream.line_buffering
            stream.flush()
            guarded = Guarded(stream.detach(), encoding, "thermoc.plain", line_buffering=lines)
            guarded.quiet = name == "stderr"
            setattr(sys, name, guarded)


def _plainer(problem: UnicodeError) -> tuple[str, int]:
    if not isinstance(problem, UnicodeEncodeError):
        raise problem
    letters = problem.object[problem.start : problem.end]
    text = "".join(PLAINER.get(letter) or letter.encode("ascii", "backslashreplace").decode() for letter in letters)
    return text, problem.end


def say(text: object, *, err: bool = False, end: str = "\n") -> None:
    """Print a line on the standard output, or on the standard error; nothing in it moves the cursor."""
    stream = sys.stderr if err else sys.stdout
    if stream is not None:
        print(plain(str(text)), file=stream, end=end, flush=True)


def print_json(document: Any) -> None:
    """Print a document as indented JSON; a number that is not finite is a text, for JSON has none: "nan", "inf"."""
    say(json.dumps(_valid(document), indent=2, allow_nan=False, default=str))


def _valid(item: Any) -> Any:
    if isinstance(item, np.ndarray | np.generic):
        item = item.tolist()
    if isinstance(item, Mapping):
        return {str(name): _valid(value) for name, value in item.items()}
    if isinstance(item, list | tuple | set | frozenset):
        return [_valid(value) for value in item]
    return str(item) if isinstance(item, float) and not math.isfinite(item) else item


def tell(problem: ThermocError, *, as_json: bool) -> None:
    """Print the findings: on stderr for people, with --json also on stdout as a document."""
    say(problem, err=True)
    if as_json:
        rows = [
            {
                "code": finding.code,
                "what": finding.what,
                "where": str(finding.where) if finding.where else None,
                "notes": finding.notes,
                "hint": finding.hint,
            }
            for finding in problem.findings
        ]
        print_json({"errors": rows})


def check(certificate: Any, *, as_json: bool) -> None:
    """End with code 1 where a law does not hold. With --json the document is printed already: it has the verdicts."""
    try:
        certificate.check()
    except ThermocError as problem:
        tell(problem, as_json=False)
        raise typer.Exit(1) from None
