"""One law: as it was measured, and as it is judged. Holds, fails, or cannot tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Final

import numpy as np

HOLDS: Final = "holds"
FAILS: Final = "fails"
CANNOT_TELL: Final = "cannot tell"
LENGTH: Final = "length"
AGREEMENT: Final = "F of half chains"
MIXING = (LENGTH, AGREEMENT)
"""The statistics that say whether a run is long enough: one that is not breaks no law of physics."""


@dataclass(frozen=True, kw_only=True)
class Law:
    """A law of physics.md (P5 to P49) at one op, judged. It holds where |measured - expected| <= bound.

    side "above" lets measured be larger by any amount, "below" smaller. samples: numbers it was measured on.
    statistic: by what it was tested. p: the chance of a deviation as large where the law holds, None for laws that hold
    to rounding. level: the p below which it fails, of ``judge``. bias: the smallest bias of ``bias_of`` that this run
    would have shown with 99 %, None where that has no number. needed: the ticks it would take to tell (of samples: how
    many times as many), None where this run does.
    """

    law: str
    op: str
    statement: str
    measured: float
    expected: float
    bound: float
    side: str = "both"
    samples: int
    statistic: str = "exact"
    p: float | None = None
    level: float | None = None
    bias: float | None = None
    bias_of: str = ""
    needed: float | None = None
    details: Mapping[str, float] = field(default_factory=dict)

    @property
    def within(self) -> bool:
        """Whether the measured value is within its bound; a value that is not a number is not."""
        gap = self.measured - self.expected
        if self.side == "above":
            return gap >= -self.bound
        return gap <= self.bound if self.side == "below" else abs(gap) <= self.bound

    @property
    def verdict(self) -> str:
        """``holds``, ``fails``, or ``cannot tell`` where the run is too short to show what the law forbids."""
        if not self.within:
            return CANNOT_TELL if self.statistic in MIXING else FAILS
        return HOLDS if self.needed is None else CANNOT_TELL

    @property
    def holds(self) -> bool:
        """Whether the verdict is ``holds``."""
        return self.verdict == HOLDS

    @property
    def asked(self) -> tuple[str, float | str]:
        """What is asked of the measured value, to be read: a number and how far off it may be, or one limit and ""."""
        if self.side == "both":
            return f"{self.expected:.4g}", self.bound
        above = self.side == "above"
        limit = self.expected - self.bound if above else self.expected + self.bound
        return f"{'>=' if above else '<='} {limit:.4g}", ""

    def to_json(self) -> dict[str, Any]:
        """Return the law as JSON values, with its verdict."""
        plain = asdict(self)
        plain |= {name: _number_or_none(plain[name]) for name in _NUMBERS}
        plain["details"] = {name: json_number(value) for name, value in self.details.items()}
        return {**plain, "verdict": self.verdict, "holds": self.holds}

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Law:
        """Return the law in a JSON entry; its verdict is computed anew. Raises TypeError or ValueError."""
        values: dict[str, Any] = {name: value for name, value in entry.items() if name not in ("holds", "verdict")}
        values |= {name: float(values[name]) for name in _NUMBERS if values.get(name) is not None}
        law = cls(**values)
        texts = (law.law, law.op, law.statement, law.side, law.statistic, law.bias_of)
        if not all(isinstance(text, str) for text in texts) or not isinstance(law.details, Mapping):
            raise TypeError("its texts are texts, its details a table")
        return law


_NUMBERS = ("measured", "expected", "bound", "p", "level", "bias", "needed")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """A law as measured. What it may deviate by depends on how many laws are judged together, so that comes later.

    bound and bias: functions of the level, the p below which the law fails; see ``Law``. side: as of ``Law``.
    ticks: those it was measured over, with whose power ``falls`` the bias falls (1/2 for a mean). needed: the ticks it
    would take, where that is known before it is judged. decides: whether a bias above the resolution leaves all open.
    Of samples that nobody ran there are no ticks: they are 1, and what is needed is so many times as many samples.
    """

    law: str
    op: str
    statement: str
    statistic: str
    measured: float
    expected: float = 0.0
    bound: Callable[[float], float]
    side: str = "both"
    samples: int
    p: float | None = None
    bias: Callable[[float], float] | None = None
    bias_of: str = ""
    falls: float = 0.5
    decides: bool = True
    ticks: int = 0
    needed: float | None = None
    details: Mapping[str, float] = field(default_factory=dict)

    def at(self, level: float, resolution: float) -> Law:
        """Return the law judged at a level; a run that would not have shown a bias of ``resolution`` cannot tell."""
        bias = None if self.bias is None else float(self.bias(level))
        needed = self.needed
        if needed is None and self.decides and bias is not None and not bias <= resolution:
            needed = self.ticks * (bias / resolution) ** (1 / self.falls)
        shared = {item.name: getattr(self, item.name) for item in fields(self) if item.name in _SHARED}
        # Without an error bar to judge by, a deviation is nobody's fault.
        bound = np.inf if self.needed is not None and self.statistic != LENGTH else float(self.bound(level))
        level_ = None if self.p is None else level
        law = Law(**shared, bound=bound, level=level_, bias=bias, needed=needed)
        if self.statistic == AGREEMENT and not law.within:
            # The variance of a half chain's mean, which R-hat^2 - 1 is, falls as the chain grows.
            return replace(law, needed=self.ticks * (self.measured**2 - 1) / (bound**2 - 1))
        return law


_SHARED = {item.name for item in fields(Law)} - {"bound", "level", "bias", "needed"}


@dataclass(frozen=True, kw_only=True)
class Skipped:
    """A law that was not checked, and why."""

    law: str
    op: str
    reason: str


def json_number(value: float) -> float | str:
    """JSON has no infinities."""
    return float(value) if np.isfinite(value) else str(float(value))


def _number_or_none(value: float | None) -> float | str | None:
    return None if value is None else json_number(value)
