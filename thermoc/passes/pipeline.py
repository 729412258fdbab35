"""Run a list of passes: each is checked, verified, timed, and dumped as text where that is asked for."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from thermoc.ir.graph import Graph
from thermoc.ir.printer import print_graph
from thermoc.ir.verify import findings
from thermoc.passes.base import Pass
from thermoc.passes.change_log import Log, Lowered, PassRecord
from thermoc.support.errors import Finding, ThermocError
from thermoc.support.files import make_folder, write_atomic


def run_passes(graph: Graph, passes: Sequence[Pass], *, dump_ir: Path | None = None) -> Lowered:
    """Run passes in order, verifying after each.

    dump_ir: a folder that gets the graph's text before the first pass (``00-source.txt``) and after each pass that
    changed something (``03-fuse.txt``), or the text of what a pass worked out. Errors: T1xx (the graph given is not
    well formed), T201 (a precondition does not hold), T202 (a pass broke the graph or its promise; names the pass and
    those already run), T505.
    """
    # A pass that infers types takes what cannot be verified yet; it is verified after it.
    if not (passes and passes[0].untyped):
        _demand(findings(graph), lambda found: found)
    if dump_ir is not None:
        make_folder(dump_ir)
        _dump(dump_ir / "00-source.txt", print_graph(graph))
    analyses: dict[type, object] = {}
    records: list[PassRecord] = []
    graphs: list[Graph] = []
    for number, step in enumerate(passes, 1):
        # A copy: the pass adds to it, and what is new is seen by comparison with the old.
        before, start, log = graph, time.perf_counter(), Log(analyses=dict(analyses))
        _check_needs(step, graph, records)
        graph = step.run(graph, log)
        changed = graph != before
        _check_result(step, graph, records, changed=changed)
        record = PassRecord(
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


def _demand(broken: Iterable[Finding], blame: Callable[[list[Finding]], list[Finding]]) -> None:
    broken = list(broken)
    if broken:
        raise ThermocError(blame(broken))


def _check_needs(step: Pass, graph: Graph, records: Sequence[PassRecord]) -> None:
    for need in step.needs:
        hint = f"run a pass that gives it before {step.name}"
        head = Finding(code="T201", what=f"pass {step.name} needs: {need.name}", notes=_history(records), hint=hint)
        _demand(need.broken(graph), lambda found, head=head: [head, *found])


def _check_result(step: Pass, graph: Graph, records: Sequence[PassRecord], *, changed: bool) -> None:
    notes = _history(records)
    head = Finding(code="T202", what=f"pass {step} left a graph that is not well formed", notes=notes)
    # A graph that did not change was verified after the pass before, and verifying is not free.
    if changed or step.untyped:
        _demand(findings(graph), lambda found: found if step.untyped or _of_numbers(step, found) else [head, *found])
    for gift in step.gives:
        head = Finding(code="T202", what=f"pass {step} promised: {gift.name}", notes=notes)
        _demand(gift.broken(graph), lambda found, head=head: [head, *found])


def _of_numbers(step: Pass, found: list[Finding]) -> bool:
    """Tell whether the network is at fault: a number that it computes, known now, is out of its bounds."""
    return step.folds and {finding.code for finding in found} <= {"T105", "T107", "T108"}


def _history(records: Sequence[PassRecord]) -> tuple[str, ...]:
    return ("passes already run: " + (", ".join(record.text for record in records) or "none"),)
