"""The passes that are not exact: their units judged by themselves, and what their errors do in the long run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from thermoc.api import Executable
from thermoc.passes.counterparts import Coded, Counterpart, Product
from thermoc.verification import codings, populations, products
from thermoc.verification.disturbance import Disturbed
from thermoc.verification.run_settings import RunSettings
from thermoc.verification.unit_gaps import UnitGaps

JUDGES: Mapping[type, Any] = {Counterpart: populations.judged, Product: products.judged, Coded: codings.judged}


@dataclass(frozen=True, kw_only=True)
class InexactPass:
    """A pass that is not exact: its place among the records, its units, and what their errors do in the long run.

    disturbed: None where that is not known: a mean over ticks of spikes is not compared by its law.
    """

    number: int
    units: UnitGaps
    disturbed: Disturbed | None


def inexact_passes(exe: Executable, setting: RunSettings) -> tuple[InexactPass, ...]:
    """Judge the units of each pass that tells its counterparts."""
    graphs, judged = (exe.source, *exe.lowered.graphs), []
    for number, record in enumerate(exe.records):
        judge = next((JUDGES[type(counterpart)] for counterpart in record.counterparts), None)
        if judge is not None:
            gaps, disturbance = judge(setting, graphs[number], graphs[number + 1], record.counterparts)
            # What an error of a mean of spikes does later depends on all ticks so far: no law is known for it.
            disturbed = None if judge is codings.judged else Disturbed(setting, disturbance)
            judged.append(InexactPass(number=number, units=UnitGaps(number=number, gaps=gaps), disturbed=disturbed))
    return tuple(judged)
