"""What was found of samples, as a document, a table and an error."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from thermoc.certificates.law import CANNOT_TELL, FAILS, HOLDS, Law
from thermoc.physics import UnitTemperatures
from thermoc.support.errors import error
from thermoc.support.files import write_atomic
from thermoc.support.plurals import counted
from thermoc.support.tables import html_table, table


@dataclass(frozen=True, kw_only=True)
class SamplesCertificate:
    """What ``certify_samples`` found: ``verdict`` is "holds", "fails" or "cannot tell"; ``str`` is a table to read."""

    document: Mapping[str, Any]

    @property
    def verdict(self) -> str:
        """That of all laws and controls: fails where one fails, cannot tell where one cannot."""
        return self.document["verdict"]

    @property
    def holds(self) -> bool:
        """Whether every law holds, on samples that would have shown where one does not."""
        return self.verdict == HOLDS

    @property
    def laws(self) -> tuple[Law, ...]:
        """The laws that were looked at, each with its verdict."""
        return tuple(Law.of(entry) for entry in self.document["laws"])

    @property
    def unit_temperatures(self) -> UnitTemperatures:
        """The temperature that each unit shows, with its interval at 99 %; nan where nothing can be told."""
        temperatures = {name: np.array(values, float) for name, values in self.document["temperatures"].items()}
        stated = np.broadcast_to(np.asarray(self.document["model"]["T"], float), len(temperatures["T"]))
        return UnitTemperatures(self.title, temperatures["T"], temperatures["low"], temperatures["high"], stated)

    @property
    def title(self) -> str:
        """Which samples, held against what."""
        about, model = self.document["samples"], self.document["model"]
        size = ", ".join(counted(about[f"{what}s"], what) for what in ("step", "chain", "unit"))
        return f"{about['source']} against {model['name']} ({model['op']}): {size}"

    def rows(self) -> list[dict[str, object]]:
        """Return a row for each law: what was measured, what it must be, within what, and what would have shown."""
        return [
            {
                "law": law.law,
                "statement": law.statement,
                "measured": law.measured,
                **dict(zip(("expected", "bound"), law.asked)),
                "p": "" if law.p is None else f"{law.p:.2g}",
                "shows": "" if law.bias is None else f"{law.bias:.2g} of {law.bias_of}",
                "verdict": law.verdict,
            }
            for law in self.laws
        ]

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it as JSON, whole or not at all. Errors: T505."""
        write_atomic(path, (json.dumps(self.document, indent=1) + "\n").encode())

    def check(self) -> None:
        """Raise T406 unless the samples hold."""
        if self.holds:
            return
        notes = [
            f"{law.law} {law.statement}: {law.verdict}, measured {law.measured:.6g}, expected {law.expected:.6g}"
            for law in self.laws
            if not law.holds
        ]
        notes += [
            f"control: {item['control']} was not noticed" for item in self.document["controls"] if not item["caught"]
        ]
        if self.verdict == FAILS:
            raise error("T406", "the samples are not of this law", notes=notes)
        raise error("T406", "the samples are too few to tell", notes=notes, hint=_more(self.laws))

    def _repr_html_(self) -> str:
        return html_table(self.title, self.rows())

    def __str__(self) -> str:
        lines = [f"not checked: {item['law']}: {item['reason']}" for item in self.document["skipped"]]
        lines += [
            f"control: {item['control']}: {'noticed' if item['caught'] else 'not noticed'}"
            for item in self.document["controls"]
        ]
        rate = self.document["false_alarms"]
        words = {HOLDS: "the samples hold", FAILS: "the samples do not hold", CANNOT_TELL: "cannot tell"}
        note = f"; {_more(self.laws)}" if self.verdict == CANNOT_TELL else ""
        lines.append(f"{words[self.verdict]} (right samples fail {rate:g} of times, all laws together){note}")
        return "\n".join([table(self.title, self.rows()), *lines])


def _more(laws: Sequence[Law]) -> str:
    """Return how many more samples it takes, as far as that is known."""
    needs = [law.needed for law in laws if law.needed is not None]
    finite = [need for need in needs if np.isfinite(need)]
    if not needs or len(finite) < len(needs):
        return "many more samples are needed"
    return f"some {max(finite):.2g} times as many samples are needed"
