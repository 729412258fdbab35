"""What ``verify`` says of one value of one target, and of one breach: where it begins and what both runs held."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

from numpy.typing import NDArray

LOWERING, EMISSION = "lowering", "emission"
STATES = "(final states)"
"""The value of the row that compares what is left after the last tick, in the samples that did not diverge."""
UNITS = "(units)"
"""The value of the row that compares each unit with the network's, both given what the target's other units said."""
BREACH, UNJUDGED = "breach", "not judged"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One value of one target, in one of the two errors.

    largest, mean: of the absolute difference over ticks, samples and units. differ: units that differ, of ``count``
    unit-ticks (spikes, whole numbers, truth values). first: the tick at which the runs diverge: a unit differs, or
    half the digits of a float do. bound: the tolerance where most of it is used (the least, where nothing differs).
    verdict: equal, rounding, declared (within a bound that a pass declares, narrower than the value), diverged (within
    what one unit's numbers may be off of a threshold, or of chaos; means and correlations agree or are too few to
    tell), breach, not judged (what passes declare is as wide as the value, and no unit can be judged by itself).
    mean_, correlation_: the largest differences of means and of products of neighbours and of ticks; their tolerance.
    beyond, cut: of the row of all units, how many unit-ticks no error of their numbers explains, and how many states
    stood at the end of the chip's bits. course: the largest difference and the tolerance at each tick.
    """

    target: str
    error: str
    value: str
    verdict: str
    largest: float
    mean: float
    differ: int | None
    count: int
    first: int | None
    bound: float
    mean_difference: float | None = None
    mean_tolerance: float | None = None
    correlation_difference: float | None = None
    correlation_tolerance: float | None = None
    beyond: int | None = None
    cut: int | None = None
    law: bool = False
    """Whether what passes declare is as wide as the value, so that ticks are not compared; ``bound`` is infinite."""
    course: tuple[NDArray, NDArray] = field(repr=False, compare=False)

    @property
    def ok(self) -> bool:
        """Whether the value holds its bound."""
        return self.verdict not in (BREACH, UNJUDGED)

    def shown(self) -> dict[str, object]:
        """Return the row for a table."""
        return {
            "target": self.target,
            "error": self.error,
            "value": self.value,
            "largest": f"{self.largest:.2g}",
            "mean": f"{self.mean:.2g}",
            "bound": "by law" if self.law else f"{self.bound:.2g}",
            "differ": "" if self.differ is None else f"{self.differ} of {self.count}",
            "diverge_at": "" if self.first is None else f"tick {self.first}",
            "means": _of(self.mean_difference, self.mean_tolerance),
            "correlations": _of(self.correlation_difference, self.correlation_tolerance),
            "verdict": self.verdict,
        }

    def to_json(self) -> dict[str, Any]:
        """Return the row as JSON values; a number that is not finite as text."""
        numbers = {name: value for name, value in asdict(self).items() if name != "course"}
        return {name: _plain(value) for name, value in numbers.items()} | {"ok": self.ok}


@dataclass(frozen=True, kw_only=True)
class Breach:
    """Where an error begins: pass (of lowering errors), op, unit, tick and sample, and what both runs held there."""

    target: str
    error: str
    value: str
    op: str
    unit: tuple[int, ...]
    tick: int
    sample: int
    expected: float
    actual: float
    tolerance: float
    step: str | None = None
    """The first pass after which the graph means something else."""
    note: str = ""
    reduced: str | None = None
    """The .thermo file of the smallest graph found that still shows it; its inputs are the .npz beside it."""

    def to_json(self) -> dict[str, Any]:
        """Return the breach as JSON values."""
        return {name: _plain(value) for name, value in asdict(self).items()}

    def __str__(self) -> str:
        unit = f"[{', '.join(map(str, self.unit))}]" if self.unit else ""
        lines = [
            f"{self.target}: {self.error} error of {self.value} begins "
            + (f"in pass {self.step}, " if self.step else "")
            + f"at {self.op}{unit}, tick {self.tick}, sample {self.sample}",
            f"  expected {self.expected!r}, got {self.actual!r}, tolerance {self.tolerance:.3g}",
        ]
        lines += [f"  {self.note}"] if self.note else []
        lines += [f"  the smallest graph that shows it: {self.reduced}"] if self.reduced else []
        return "\n".join(lines)


def _of(difference: float | None, tolerance: float | None) -> str:
    return "" if tolerance is None else f"{abs(difference or 0):.2g} of {tolerance:.2g}"


def _plain(value: Any) -> Any:
    """JSON has no numbers for infinity and not-a-number."""
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    return list(value) if isinstance(value, tuple) else value
