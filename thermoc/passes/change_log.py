"""What passes did to a graph: the numbers they replaced with bounds on the error, and the graphs in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from thermoc.ir.graph import Graph
from thermoc.support.errors import error

Analysis = TypeVar("Analysis")


@dataclass(frozen=True, kw_only=True)
class Change:
    """A number a pass replaced: of what, the old, the new, and a bound on the error it makes, in words.

    offset and noise state the bound in numbers where it exceeds rounding: each output is off by at most ``offset``,
    and by a part of mean zero and standard deviation ``noise`` that is independent from tick to tick. sampling: after n
    ticks each output is off by a part of standard deviation ``sampling`` / sqrt(n) at most.
    """

    what: str
    old: str
    new: str
    bound: str
    offset: float = 0.0
    noise: float = 0.0
    sampling: float = 0.0


@dataclass
class Log:
    """Collects the changes of one pass, and analyses: what it works out about a graph without changing it."""

    changes: list[Change] = field(default_factory=list[Change])
    counterparts: list[object] = field(default_factory=list[object])
    """Of a pass that is not exact: what stands for each unit of the graph before it (``passes.counterparts``)."""
    analyses: dict[type[object], object] = field(default_factory=dict[type[object], object])
    """By type, those of this pass and of the passes before it; each prints as text, which ``dump_ir`` shows."""

    def keep(self, analysis: object) -> None:
        """Store an analysis for later passes and for the target, in place of an earlier one of its type."""
        self.analyses[type(analysis)] = analysis

    def needed(self, kind: type[Analysis]) -> Analysis:
        """Return the analysis of a type. Errors: T201 where no earlier pass made one."""
        return needed(self.analyses, kind)

    def changed(self, what: str, *, old: object, new: object, bound: str, **numbers: float) -> None:
        """Record that ``old`` became ``new``; numbers: offset, noise and sampling of the ``Change``."""
        self.changes.append(Change(what=what, old=str(old), new=str(new), bound=bound, **numbers))


@dataclass(frozen=True, kw_only=True)
class PassRecord:
    """What one pass did."""

    text: str
    changed: bool
    seconds: float
    ops: int
    changes: tuple[Change, ...]
    counterparts: tuple[object, ...] = field(default=(), repr=False, compare=False)


LONGEST, MOST_CHANGES = 400, 300
"""Letters of a text, and changes of a pass, that an outline has."""


def outline(records: Sequence[PassRecord]) -> list[dict[str, Any]]:
    """Return what passes did as JSON values, cut to what a page shows: a run's file carries it.

    Without the seconds, which are others each time: files of equal runs are equal.
    """
    return [
        {
            "text": _cut(record.text),
            "changed": record.changed,
            "ops": record.ops,
            "changes": [_plain(change) for change in record.changes[:MOST_CHANGES]],
            "unlisted": max(0, len(record.changes) - MOST_CHANGES),
        }
        for record in records
    ]


def _plain(change: Change) -> dict[str, Any]:
    texts = {name: _cut(getattr(change, name)) for name in ("what", "old", "new", "bound")}
    return texts | {name: float(getattr(change, name)) for name in ("offset", "noise", "sampling")}


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}\u2026"


@dataclass(frozen=True, kw_only=True)
class Lowered:
    """A graph after a list of passes, and the record of each; ``graphs`` are those it was after each pass.

    analyses: by type, the last of each that passes made.
    """

    graph: Graph
    records: tuple[PassRecord, ...]
    graphs: tuple[Graph, ...] = field(default=(), repr=False)
    analyses: Mapping[type[object], object] = field(default_factory=dict[type[object], object], repr=False)

    def needed(self, kind: type[Analysis]) -> Analysis:
        """Return the analysis of a type. Errors: T201 where no pass made one."""
        return needed(self.analyses, kind)


def needed(analyses: Mapping[type, object], kind: type[Analysis]) -> Analysis:
    """Return the analysis of a type. Errors: T201 where there is none."""
    analysis = analyses.get(kind)
    if not isinstance(analysis, kind):
        notes = [f"analyses already made: {', '.join(made.__name__ for made in analyses) or 'none'}"]
        raise error("T201", f"a {kind.__name__} is needed", notes=notes, hint="run the pass that makes it before")
    return analysis
