"""Every error a user can cause is a ThermocError: what, where, both facts, the cure.

Codes: T1xx graph, T2xx pass, T3xx target, T4xx run, T5xx file; W are warnings. The table ``CODES`` holds each one.
"""

from __future__ import annotations

import linecache
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from thermoc.support.limits import FINDINGS

CODES: dict[str, str] = {
    "T101": "the graph is not well formed",
    "T102": "a name is used twice or not at all",
    "T103": "shapes disagree",
    "T104": "dtypes or roles disagree",
    "T105": "an attribute is out of range",
    "T106": "a cycle crosses no state",
    "T107": "a constant is not finite",
    "T108": "a temperature is not positive",
    "T109": "a parameter varies over the batch",
    "T110": "the text of a graph cannot be parsed",
    "T111": "a call is used outside a network, or with the wrong arguments",
    "T112": "a schedule updates coupled units together",
    "T113": "an equation is wrong",
    "T201": "a pass's precondition does not hold",
    "T202": "a pass broke its promise",
    "T203": "a type cannot be inferred",
    "T204": "a time is no whole number of ticks",
    "T205": "an op has no form on the chip",
    "T206": "a number is out of the chip's range",
    "T207": "a population does not fit a core",
    "T208": "a network cannot be put on crossbars",
    "T209": "a cycle has fewer delays than synapses",
    "T210": "there is no such pass",
    "T211": "the text of a pipeline cannot be parsed",
    "T212": "an option of a pass is wrong",
    "T213": "a pipeline leaves a graph that its target cannot take",
    "T214": "an equation is stiff beyond the step",
    "T220": "an op is new to a pass that must know something of it",
    "T221": "an op has no gradient",
    "T301": "the target cannot hold an op",
    "T302": "no such target, or it is not installed",
    "T303": "a target's option is wrong",
    "T304": "a target's limit is exceeded",
    "T305": "no such chip, or it lacks a part that is needed",
    "T306": "a network or program does not fit a chip",
    "T401": "an input's name is wrong",
    "T402": "an input's shape is wrong",
    "T403": "an input's dtype or value is wrong",
    "T404": "a run's option is wrong",
    "T405": "a physical quantity is out of range",
    "T406": "a law of physics does not hold",
    "T407": "a certificate does not match",
    "T408": "a run does not fit in memory",
    "T409": "a target's runtime failed",
    "T410": "a device runs away",
    "T411": "a device's equations cannot be solved",
    "T412": "a crossbar has no steady state",
    "T413": "heat has no way out",
    "T414": "a chip's program cannot go on",
    "T415": "a chip grows too hot",
    "T416": "the command line is wrong",
    "T417": "a session has ended",
    "T418": "a parameter is wrong",
    "T419": "a recording is wrong",
    "T420": "a checkpoint does not fit",
    "T421": "a GPU cannot be used",
    "T422": "training diverges",
    "T423": "points of a sweep failed",
    "T424": "a sweep's cluster cannot be used",
    "T425": "two runs cannot be compared",
    "T426": "samples do not fit their model",
    "T427": "a model has no energy that is known",
    "T501": "the file cannot be read",
    "T502": "the file is damaged",
    "T503": "the file's version is newer than this thermoc",
    "T504": "the file asks for more than the limits allow",
    "T505": "the file cannot be written",
    "T506": "the file holds no such model",
    "T507": "the file uses a feature that is refused",
    "T508": "a node of the file cannot be read",
    "T509": "the format has no node for an op",
    "T510": "a package that the format needs is missing",
    "T513": "a data file is wrong",
    "T514": "a floorplan or a thermal file is wrong",
    "T515": "a chip's numbers contradict each other",
    "T516": "a problem's file is wrong",
    "T517": "a problem's numbers cannot be added exactly",
    "T518": "an answer does not fit its problem",
    "T519": "a training file is wrong",
    "T520": "a sweep is described wrongly",
    "T521": "a store holds another sweep",
    "T522": "another sweep runs into the store",
    "T523": "a file of samples is wrong",
    "T524": "a script fails, or Brian2 refuses its network",
    "T525": "a Brian2 network has run already",
    "W101": "Gibbs sampling at a temperature at which it is frozen",
    "W102": "couplings are not symmetric",
    "W103": "a step beyond stability",
    "W104": "a chain too short to have equilibrated",
    "W105": "nothing was recorded",
    "W501": "the file was repaired, or read under an assumption",
}


_LONGEST_LINE = 400


@dataclass(frozen=True)
class Location:
    """A line of the user's program, or (line 0) a node of a model's file, which ``file`` then names too.

    ``live``: of the program that runs; a place that a file names is never opened.
    """

    file: str
    line: int
    live: bool = field(default=True, compare=False)

    @classmethod
    def of_line(cls, path: str | os.PathLike[str], line: int) -> Location:
        """Return a line of a file, which is named as from the working folder."""
        return cls(_short(os.fspath(path)), line)

    @classmethod
    def of_node(cls, path: str | os.PathLike[str], node: str) -> Location:
        """Return the place of a node in a file: ``a.nir: node 'u'``."""
        return cls(f"{_short(os.fspath(path))}: {node}", 0)

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file

    @property
    def source(self) -> str:
        """The text of the line, no more than a screen bears; '' where it cannot be read or no program runs it."""
        shown = self.live and self.line
        return linecache.getline(self.file, self.line).strip()[:_LONGEST_LINE] if shown else ""


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing wrong: its code, what, where, the facts that disagree, the cure."""

    code: str
    what: str
    where: Location | None = None
    notes: tuple[str, ...] = ()
    hint: str = ""

    def __str__(self) -> str:
        lines = [f"{self.code}: {self.what}"]
        if self.where is not None:
            lines.append(f"  at {self.where}")
            if self.where.source:
                lines.append(f"     | {self.where.source}")
        lines += [f"  note: {note}" for note in self.notes]
        if self.hint:
            lines.append(f"  hint: {self.hint}")
        return "\n".join(lines)


class ThermocError(Exception):
    """One or more findings. ``code`` is the first one's; ``str`` shows them, of very many the first."""

    def __init__(self, findings: Sequence[Finding]):
        self.findings = tuple(findings)
        unlisted = len(self.findings) - FINDINGS
        shown = [str(finding) for finding in self.findings[:FINDINGS]]
        super().__init__("\n".join([*shown, f"... and {unlisted} more"] if unlisted > 0 else shown))

    @property
    def code(self) -> str:
        """The code of the first finding."""
        return self.findings[0].code

    # An exception pickles by its args, the text: between processes the findings would be lost.
    def __reduce__(self):
        return (type(self), (self.findings,))


def error(
    code: str, what: str, *, where: Location | None = None, notes: Sequence[str] = (), hint: str = ""
) -> ThermocError:
    """Return the error of a single finding, to be raised by the caller."""
    return ThermocError([Finding(code=code, what=what, where=where, notes=tuple(notes), hint=hint)])


BETWEEN = frozenset({"thermoc", "dataclasses", "contextlib", "functools", "numpy", "scipy", "typer", "click"})
"""Packages whose lines are never the user's: ours, and those that call us for the user."""


def caller() -> Location | None:
    """Return the innermost frame outside thermoc, the user's line; None where the command line called."""
    # inspect.stack() would read source files for each frame, and every op that is written asks for its line.
    frame = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
    while frame is not None:
        module = frame.f_globals.get("__name__", "")
        if module == "thermoc.cli" or module.startswith("thermoc.cli."):
            return None
        if module.split(".")[0] not in BETWEEN:
            return Location(_short(frame.f_code.co_filename), frame.f_lineno)
        frame = frame.f_back
    return None


def _short(path: str) -> str:
    """Show a path below the working folder as relative, so that messages and files name no machine."""
    relative = os.path.relpath(path) if os.path.isabs(path) else path
    return path if relative.startswith("..") else relative
