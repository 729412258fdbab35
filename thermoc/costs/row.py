"""A row of costs: one machine's numbers, what its joules go to, and where each number comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Part:
    """What part of a row's joules goes to a component, how sure the values behind it are, and what says so."""

    component: str
    joules: float
    mark: str
    sources: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What an inference costs on one machine; None is a number that nobody publishes, or that does not exist there.

    joules, seconds: of a sample over all ticks of the run. kelvin: the hottest place of the die. error: the largest
    rms difference of an output's mean over the ticks from the simulator's in float64. wrong: the share of samples whose
    largest output is not at the label. joules_effective, seconds_effective: of one effective sample of the worst mixed
    sampled output (P49). idle: what is said of idle power. marks: how sure, by column. reason: why there is no number
    at all. notes: what is left out, or was done otherwise. run: the report or the costs that the numbers are from.
    """

    on: str
    joules: float | None = None
    seconds: float | None = None
    kelvin: float | None = None
    error: float | None = None
    wrong: float | None = None
    joules_effective: float | None = None
    seconds_effective: float | None = None
    idle: str = ""
    marks: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    notes: tuple[str, ...] = ()
    reason: str = ""
    run: Any = field(default=None, repr=False, compare=False)

    def to_json(self) -> dict[str, Any]:
        """Return the row as JSON values."""
        names = [name for name in self.__dataclass_fields__ if name not in ("run", "marks", "parts", "notes")]
        return {
            **{name: getattr(self, name) for name in names},
            "marks": dict(self.marks),
            "parts": [{**asdict(cost), "sources": dict(cost.sources)} for cost in self.parts],
            "notes": list(self.notes),
        }
