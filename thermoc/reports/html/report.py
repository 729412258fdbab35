"""``tc.report``: one page of a run, of two, of a verification or of a compiled network."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

import thermoc
from thermoc.certificates import Certificate
from thermoc.compiled import Compiled
from thermoc.physics import UnitTemperatures
from thermoc.recording.layout import TRACE
from thermoc.recording.recorded import Recorded
from thermoc.recording.specs import Spec
from thermoc.reports.html.comparison import check_comparable, comparison
from thermoc.reports.html.laws import laws
from thermoc.reports.html.page import needed, page
from thermoc.reports.html.subjects import compiled_subject, producers_of, run_subject
from thermoc.reports.html.targets import targets
from thermoc.reports.html.temperatures import temperatures as shown_temperatures
from thermoc.reports.html.verdict import verdict
from thermoc.run import Call, Run
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import error
from thermoc.support.files import write_atomic
from thermoc.support.plurals import counted
from thermoc.support.tables import table
from thermoc.verification import Verification

FORMAT, VERSION = "thermoc report", 1


@dataclass(frozen=True, kw_only=True)
class HtmlReport:
    """A report: ``html(path)`` writes its page, ``print`` shows its verdict, ``document`` is all that is in it."""

    document: Mapping[str, Any]

    def html(self, path: str | os.PathLike[str]) -> int:
        """Write the page, whole or not at all; return its size in bytes. Errors: T302, T404 (no .html), T505.

        It is one file that needs no network: Plotly's JavaScript, 4.8 MB, is in it.
        """
        check_page(path)
        return write_atomic(path, page(self.document).encode())

    def to_json(self) -> Mapping[str, Any]:
        """Return the document as JSON values."""
        return self.document

    def __str__(self) -> str:
        rows = [{"": card["title"], "says": card["text"]} for card in self.document["verdict"]]
        return table(self.document["title"], rows)


def check_page(path: str | os.PathLike[str]) -> None:
    """Refuse, before work is done, a page that could not be made. Errors: T302, T404 (a name that is no page's)."""
    if Path(path).suffix not in (".html", ".htm"):
        hint = f"{Path(path).with_suffix('.html').name}"
        raise error("T404", f"a report is an .html, not {Path(path).name!r}", hint=hint)
    needed()


def report(
    subject: Run | Verification | Compiled,
    other: Run | None = None,
    *,
    certificate: Certificate | None = None,
    temperatures: UnitTemperatures | None = None,
    labels: Mapping[str, ArrayLike] | None = None,
) -> HtmlReport:
    """Return the report of a run, or of two of one network; of a verification; of what compiling did.

    certificate: of the run, whose laws it then shows. temperatures: of ``tc.effective_temperatures(run)``. labels: the
    right class of each sample, (batch,), by output, for the accuracy of a verification's targets. Errors: T401, T402
    (labels), T404, T419 (nothing recorded), T425 (runs of different models).
    """
    document: dict[str, Any] = {"format": FORMAT, "version": VERSION, "thermoc": thermoc.__version__}
    document |= {"targets": None, "comparison": None, "laws": None if certificate is None else laws(certificate)}
    document["temperatures"] = None if temperatures is None else shown_temperatures(temperatures)
    if labels is not None and not isinstance(subject, Verification):
        raise error("T404", "labels are for a verification, which says how accurate each target is")
    if other is not None and not (isinstance(subject, Run) and isinstance(other, Run)):
        raise error("T404", "only runs can be compared", notes=[f"they are {subject!r} and {other!r}"])
    if isinstance(subject, Verification):
        document |= _verified(subject, labels or {})
    elif isinstance(subject, Run):
        document |= _ran(subject) if other is None else _compared(subject, other)
    elif isinstance(subject, Compiled):
        document |= {"title": f"{subject.source.name} for {subject.backend.name}", "kind": "compiled"}
        document["subjects"] = [compiled_subject(subject)]
    else:
        raise error("T404", "a report is of a run, a verification or an executable", notes=[f"it is {subject!r}"])
    return HtmlReport(document={**document, "verdict": verdict(document)})


def _ran(run: Run) -> dict[str, Any]:
    return {"title": run.title, "kind": "run", "subjects": [run_subject(run)]}


def _compared(first: Run, second: Run) -> dict[str, Any]:
    check_comparable(first, second)
    a, b = (run_subject(run, runs=2) for run in (first, second))
    return {
        "title": f"{first.network}: two runs",
        "kind": "comparison",
        "subjects": [a, b],
        "comparison": comparison(first, second, a, b),
    }


def _verified(verified: Verification, labels: Mapping[str, ArrayLike]) -> dict[str, Any]:
    right = {name: _checked_labels(verified, name, array) for name, array in labels.items()}
    runs = len(verified.targets)
    subjects = [run_subject(_run_of(verified, target), runs=runs) for target in verified.targets]
    return {
        "title": verified.title,
        "kind": "verification",
        "subjects": subjects,
        "targets": targets(verified, right, producers_of(subjects[0])),
    }


def _checked_labels(verified: Verification, name: str, labels: ArrayLike) -> AnyArray:
    if name not in verified.reference:
        notes = [f"its outputs are {', '.join(verified.reference)}"]
        raise error("T401", f"labels are given for {name!r}, which is no output", notes=notes)
    array = np.asarray(labels)
    if array.shape != (verified.batch,) or not np.issubdtype(array.dtype, np.integer):
        notes = [f"they are {array.dtype} {list(array.shape)}", f"the inputs hold {counted(verified.batch, 'sample')}"]
        raise error("T402", "labels are a whole number for each sample", notes=notes)
    return array


def _run_of(verified: Verification, target: str) -> Run:
    """Return what a target gave as a run."""
    exe, outcome = verified.outcomes[target]
    position = {"seed": verified.seed, "first_sample": 0, "first_tick": 0}
    size: dict[str, Any] = {"ticks": verified.ticks, "batch": verified.batch, "begun": 0}
    plan = {name: (Spec("all"),) for name in outcome.outputs}
    recorded = {name: Recorded(name, {TRACE: array}, plan[name]) for name, array in outcome.outputs.items()}
    call = Call(executable=exe, inputs={}, position=position, timed=frozenset(), plan=plan, **size)
    about = {"network": verified.network, "target": target, "seed": verified.seed, "dt": exe.source.dt}
    return Run(recorded=recorded, call=call, chip=outcome.chip, **about)
