"""What passes did to a graph: the numbers they replaced with bounds on the error, and the graphs in between."""

from __future__ import annotations

from dataclasses import dataclass, field

from thermoc.ir.graph import Graph


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
    """Collects the changes of one pass."""

    changes: list[Change] = field(default_factory=list)
    counterparts: list[object] = field(default_factory=list)
    """Of a pass that is not exact: what stands for each unit of the graph before it (``passes.counterparts``)."""

    def changed(self, what: str, *, old: object, new: object, bound: str, **numbers: float) -> None:
        """PassRecord that ``old`` became ``new``; numbers: offset, noise and sampling of the ``Change``."""
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


@dataclass(frozen=True, kw_only=True)
class Lowered:
    """A graph after a list of passes, and the record of each; ``graphs`` are those it was after each pass."""

    graph: Graph
    records: tuple[PassRecord, ...]
    graphs: tuple[Graph, ...] = field(default=(), repr=False)
