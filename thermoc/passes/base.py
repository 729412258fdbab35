"""What a pass is, and the manager that runs, checks, times and dumps a list of them."""

from __future__ import annotations

import dataclasses
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, TypeVar

from thermoc.ir.graph import Graph
from thermoc.ir.ops import Op
from thermoc.ir.text import print_graph
from thermoc.ir.types import DType
from thermoc.ir.verify import findings
from thermoc.support.errors import Finding, ThermocError, error
from thermoc.support.files import make_folder, write_atomic

Analysis = TypeVar("Analysis")


@dataclass(frozen=True)
class Property:
    """Something that is true of a graph, or not; ``broken`` returns what breaks it."""

    name: str
    broken: Callable[[Graph], list[Finding]]


def no_trait(trait: str, *, but: Callable[[Op, Graph], bool] = lambda op, graph: False) -> Property:
    """No op has the trait, but for those that ``but`` names."""

    def broken(graph: Graph) -> list[Finding]:
        return [
            Finding(code="T201", what=f"{op.opname} is {trait}", where=op.location)
            for op in graph.ops
            if trait in op.traits and not but(op, graph)
        ]

    return Property(f"no {trait} op", broken)


def floats_are(dtype: DType) -> Property:
    """Every float of the graph has this dtype."""

    def broken(graph: Graph) -> list[Finding]:
        values = ((op, value) for op in graph.ops for value in op.results)
        return [
            Finding(code="T201", what=f"{op.opname}: {value} is {value.type}", where=op.location)
            for op, value in values
            if value.type is not None and value.type.dtype.is_float and value.type.dtype is not dtype
        ]

    return Property(f"floats are {dtype}", broken)


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

    changes: list[Change] = field(default_factory=list)
    counterparts: list[object] = field(default_factory=list)
    """Of a pass that is not exact: what stands for each unit of the graph before it (``passes.counterparts``)."""
    analyses: dict[type, object] = field(default_factory=dict)
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
class Pass(ABC):
    """A graph rewrite. Its fields are its options; it prints as ``name{option=value}``.

    ``needs`` must hold before, ``gives`` holds after; the manager checks both, and verifies the graph after.
    """

    name: ClassVar[str]
    needs: ClassVar[tuple[Property, ...]] = ()
    untyped: ClassVar[bool] = False
    """True for a pass that takes graphs whose types are not all known."""

    @property
    def gives(self) -> tuple[Property, ...]:
        """What holds after the pass."""
        return ()

    @abstractmethod
    def run(self, graph: Graph, log: Log) -> Graph:
        """Return the new graph; the old one is left as it was."""

    def __str__(self) -> str:
        options = ", ".join(f"{item.name}={getattr(self, item.name)}" for item in dataclasses.fields(self) if item.repr)
        return self.name + (f"{{{options}}}" if options else "")


@dataclass(frozen=True, kw_only=True)
class Record:
    """What one pass did."""

    text: str
    changed: bool
    seconds: float
    ops: int
    changes: tuple[Change, ...]
    counterparts: tuple[object, ...] = field(default=(), repr=False, compare=False)


@dataclass(frozen=True, kw_only=True)
class Lowered:
    """A graph after a list of passes, and the record of each; ``graphs`` are those it was after each pass.

    analyses: by type, the last of each that passes made.
    """

    graph: Graph
    records: tuple[Record, ...]
    graphs: tuple[Graph, ...] = field(default=(), repr=False)
    analyses: Mapping[type, object] = field(default_factory=dict, repr=False)

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


def run_passes(graph: Graph, passes: Sequence[Pass], *, dump_ir: Path | None = None) -> Lowered:
    """Run passes in order, verifying after each.

    dump_ir: a folder that gets the graph's text before the first pass (``00-source.txt``) and after each pass that
    changed something (``03-fuse.txt``), or the text of what a pass worked out. Errors: T1xx (the graph given is not
    well formed), T201 (a precondition does not hold), T202 (a pass broke the graph or its promise; names the pass and
    those already run), T505.
    """
    if not (passes and passes[0].untyped):
        _demand(findings(graph), lambda found: found)
    if dump_ir is not None:
        make_folder(dump_ir)
        _dump(dump_ir / "00-source.txt", print_graph(graph))
    analyses: dict[type, object] = {}
    records: list[Record] = []
    graphs: list[Graph] = []
    for number, step in enumerate(passes, 1):
        before, start, log = graph, time.perf_counter(), Log(analyses=dict(analyses))
        _check_needs(step, graph, records)
        graph = step.run(graph, log)
        changed = graph != before
        _check_result(step, graph, records, changed=changed)
        record = Record(
            text=str(step),
            changed=changed,
            seconds=time.perf_counter() - start,
            ops=len(graph.ops),
            changes=tuple(log.changes),
            counterparts=tuple(log.counterparts),
        )
        records.append(record)
        graphs.append(graph)
        fresh = [one for kind, one in log.analyses.items() if one is not analyses.get(kind)]
        analyses = log.analyses
        if dump_ir is not None and (changed or fresh):
            texts = [print_graph(graph)] * changed + [str(analysis) for analysis in fresh]
            _dump(dump_ir / f"{number:02d}-{step.name}.txt", "\n".join(texts))
    return Lowered(graph=graph, records=tuple(records), graphs=tuple(graphs), analyses=analyses)


def _dump(path: Path, text: str) -> None:
    write_atomic(path, text.encode())


def _demand(found: Iterable[Finding], blame: Callable[[list[Finding]], list[Finding]]) -> None:
    found = list(found)
    if found:
        raise ThermocError(blame(found))


def _check_needs(step: Pass, graph: Graph, records: Sequence[Record]) -> None:
    for need in step.needs:
        hint = f"run a pass that gives it before {step.name}"
        head = Finding(code="T201", what=f"pass {step.name} needs: {need.name}", notes=_history(records), hint=hint)
        _demand(need.broken(graph), lambda found, head=head: [head, *found])


def _check_result(step: Pass, graph: Graph, records: Sequence[Record], *, changed: bool) -> None:
    notes = _history(records)
    head = Finding(code="T202", what=f"pass {step} left a graph that is not well formed", notes=notes)
    if changed or step.untyped:
        _demand(findings(graph), lambda found: found if step.untyped else [head, *found])
    for gift in step.gives:
        head = Finding(code="T202", what=f"pass {step} promised: {gift.name}", notes=notes)
        _demand(gift.broken(graph), lambda found, head=head: [head, *found])


def _history(records: Sequence[Record]) -> tuple[str, ...]:
    return ("passes already run: " + (", ".join(record.text for record in records) or "none"),)
