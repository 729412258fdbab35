"""A law of samples, as measured and as judged: holds, fails, or cannot tell."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from scipy import stats

from thermoc.certificates.law import json_number

HOLDS: Final = "holds"
FAILS: Final = "fails"
CANNOT_TELL: Final = "cannot tell"
FALSE_ALARMS, RESOLUTION = 1e-4, 0.05
"""Chance that right samples fail, over all laws; the relative bias of the temperature that samples must show."""
POWER = float(stats.norm.isf(0.01))
"""Standard errors beyond a bound from where a bias is shown with 99 %."""


@dataclass(frozen=True, kw_only=True)
class SampleFinding:
    """A law as measured. p: the chance of as much where it holds; None where it is exact, or says how long is enough.

    bound: what |measured - expected| may be at a level. bias: the smallest bias of ``bias_of`` that is shown with 99 %
    at a level; of those that ``decides`` it must be below the resolution, or nothing can be told. needed: how many
    times as many samples it would take, where that is known already.
    """

    law: str
    op: str
    statement: str
    measured: float
    expected: float = 0.0
    bound: Callable[[float], float]
    side: str = "both"
    samples: int
    statistic: str
    p: float | None = None
    bias: Callable[[float], float] | None = None
    bias_of: str = ""
    decides: bool = False
    needed: float | None = None
    details: Mapping[str, float] = field(default_factory=dict)

    def at(self, level: float, resolution: float) -> SampleLaw:
        """Return the law judged at a level."""
        bias = None if self.bias is None else float(self.bias(level))
        needed = self.needed
        if needed is None and self.decides and bias is not None and not bias <= resolution:
            # The error of a mean falls with the square root of the samples.
            needed = (bias / resolution) ** 2
        taken = ("law", "op", "statement", "measured", "expected", "side", "samples", "statistic", "p", "bias_of")
        shared: dict[str, Any] = {name: getattr(self, name) for name in taken}
        bound = float(self.bound(level))
        return SampleLaw(**shared, bound=bound, level=level, bias=bias, needed=needed, details=self.details)


@dataclass(frozen=True, kw_only=True)
class SampleLaw:
    """A law judged. needed: how many times as many samples it would take to tell, None where these do."""

    law: str
    op: str
    statement: str
    measured: float
    expected: float
    bound: float
    side: str
    samples: int
    statistic: str
    p: float | None
    level: float
    bias: float | None
    bias_of: str
    needed: float | None
    details: Mapping[str, float]

    @property
    def verdict(self) -> str:
        """``holds``, ``fails``, or ``cannot tell``. What fails does so on however few samples."""
        fails = not self.p >= self.level if self.p is not None else not self._within
        if fails and self.statistic != "length":
            return FAILS
        return HOLDS if self.needed is None and not fails else CANNOT_TELL

    @property
    def _within(self) -> bool:
        gap = self.measured - self.expected
        return gap >= -self.bound if self.side == "above" else abs(gap) <= self.bound

    def to_json(self) -> dict[str, Any]:
        """Return the law as JSON values, with its verdict."""
        plain = asdict(self)
        numbers = ("measured", "expected", "bound", "p", "level", "bias", "needed")
        plain |= {name: json_number(plain[name]) for name in numbers if plain[name] is not None}
        plain["details"] = {name: json_number(value) for name, value in self.details.items()}
        return {**plain, "verdict": self.verdict}


def judged(findings: Sequence[SampleFinding], rate: float, resolution: float) -> list[SampleLaw]:
    """Judge laws together, by Holm's procedure (1979): any right law fails with ``rate`` at most, over all of them."""
    ranked = sorted(finding.p for finding in findings if finding.p is not None)
    failed = 0
    while failed < len(ranked) and not ranked[failed] >= rate / (len(ranked) - failed):
        failed += 1
    level = rate / max(len(ranked) - failed, 1)
    return [finding.at(level, resolution) for finding in findings]


def overall(verdicts: Sequence[str]) -> str:
    """Return the verdict of several: one that fails counts most, then one that cannot tell. None: cannot tell."""
    return next(
        (verdict for verdict in (FAILS, CANNOT_TELL) if verdict in verdicts), HOLDS if verdicts else CANNOT_TELL
    )


def two_sided(score: float, dof: float) -> float:
    """Return how often Student's t is as far from zero; a score that is not a number is never right."""
    if math.isnan(score):
        return 0.0
    return float(2 * stats.t.sf(abs(score), dof))


def limit(level: float, dof: float) -> float:
    """Return what |t| stays below but for ``level``."""
    return float(stats.t.isf(level / 2, dof))
