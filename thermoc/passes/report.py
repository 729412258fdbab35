"""What compiling did to a network."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from html import escape
from typing import Any

from thermoc.ir.graph import Graph
from thermoc.passes.change_log import Change, Lowered, PassRecord
from thermoc.support.errors import Finding
from thermoc.support.plurals import counted
from thermoc.support.tables import html_table, table

LONGEST = 40


@dataclass(frozen=True, kw_only=True)
class Report:
    """Passes and changed parameters of one compilation; ``str`` is a summary to read."""

    network: str
    target: str
    source_hash: str
    lowered_hash: str
    source_ops: int
    lowered_ops: int
    records: tuple[PassRecord, ...]
    warnings: tuple[Finding, ...] = ()
    compiled: object = field(default=None, repr=False, compare=False)
    """What it is of, for ``html``."""

    @property
    def changes(self) -> tuple[Change, ...]:
        """Every parameter a pass replaced, with a bound on the error."""
        return tuple(change for record in self.records for change in record.changes)

    def to_json(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        document = asdict(replace(self, compiled=None))
        del document["compiled"]
        return document

    def html(self, path: str | os.PathLike[str]) -> int:
        """Write it as a page: the graph, and what each pass changed; return its bytes. Errors: T302, T404, T505."""
        from thermoc import report

        return report(self.compiled).html(path)  # type: ignore[arg-type]

    def __str__(self) -> str:
        parts = [table(title, rows) for title, rows in self._tables()]
        return "\n\n".join([*parts, *map(str, self.warnings)])

    def _repr_html_(self) -> str:
        tables = [html_table(title, rows) for title, rows in self._tables()]
        return "".join([*tables, *(f"<pre>{escape(str(warning))}</pre>" for warning in self.warnings)])

    def _tables(self) -> Iterator[tuple[str, list[dict[str, object]]]]:
        title = f"{self.network} for {self.target}: {counted(self.source_ops, 'op')} become {self.lowered_ops}"
        yield (
            title,
            [{"pass": _short(r.text), "changed": r.changed, "ops": r.ops, "ms": 1e3 * r.seconds} for r in self.records],
        )
        if self.changes:
            shown = ("what", "old", "new", "bound")
            yield "changed parameters", [{name: getattr(change, name) for name in shown} for change in self.changes]


def _short(text: str) -> str:
    """Return a pass's text with options cut where they are long; ``records`` has the whole."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 2]}…}}"


def compilation_report(
    source: Graph, lowered: Lowered, target: str, warnings: tuple[Finding, ...] = (), *, compiled: object = None
) -> Report:
    """Return the report of a network brought to a target."""
    return Report(
        compiled=compiled,
        network=source.name,
        target=target,
        source_hash=source.hash,
        lowered_hash=lowered.graph.hash,
        source_ops=len(source.ops),
        lowered_ops=len(lowered.graph.ops),
        records=lowered.records,
        warnings=warnings,
    )
