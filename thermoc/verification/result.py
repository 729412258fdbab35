"""What ``verify`` found: a row for each value of each target, the breaches, and where each begins."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from html import escape
from typing import Any

from numpy.typing import NDArray

from thermoc.support.tables import html_table, table
from thermoc.verification.divergence import FALSE_ALARM

LOWERING, EMISSION = "lowering", "emission"
STATES = "(final states)"
"""The value of the row that compares what is left after the last tick, in the samples that did not part."""
UNITS = "(units)"
"""The value of the row that compares each unit with the network's, both given what the target's other units said."""
BREACH, UNJUDGED = "breach", "not judged"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One value of one target, in one of the two errors.

    largest, mean: of the absolute difference over ticks, samples and units. differ: units that differ, of ``count``
    unit-ticks (spikes, whole numbers, truth values). first: the first tick at which the runs part: a unit differs, or
    half the digits of a float do. bound: the room where most of it is used (the least, where nothing differs).
    verdict: equal, rounding, declared (within a bound that a pass declares, narrower than the value), parted (within
    what one unit's numbers may be off of a threshold, or of chaos; means and correlations agree or are too few to
    tell), breach, not judged (what passes declare is as wide as the value, and no unit can be judged by itself).
    mean_, correlation_: the largest differences of means and of products of neighbours and of ticks, and their room.
    beyond, cut: of the row of all units, how many unit-ticks no error of their numbers explains, and how many states
    stood at the end of the chip's bits. course: the largest difference and the room at each tick.
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
    mean_room: float | None = None
    correlation_difference: float | None = None
    correlation_room: float | None = None
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
            "parts_at": "" if self.first is None else f"tick {self.first}",
            "means": _of(self.mean_difference, self.mean_room),
            "correlations": _of(self.correlation_difference, self.correlation_room),
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
    found: float
    room: float
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
            f"  expected {self.expected!r}, found {self.found!r}, room {self.room:.3g}",
        ]
        lines += [f"  {self.note}"] if self.note else []
        lines += [f"  the smallest graph that shows it: {self.reduced}"] if self.reduced else []
        return "\n".join(lines)


@dataclass(frozen=True, kw_only=True)
class Verification:
    """The rows and breaches of a network on its targets; ``ok`` where every target holds every bound; it prints."""

    network: str
    targets: tuple[str, ...]
    options: Mapping[str, Mapping[str, Any]]
    seed: int
    ticks: int
    batch: int
    rows: tuple[Row, ...]
    breaches: tuple[Breach, ...]

    @property
    def ok(self) -> bool:
        """Whether every target holds its bounds."""
        return all(row.ok for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        head = {name: getattr(self, name) for name in ("network", "targets", "seed", "ticks", "batch", "ok")}
        return head | {
            "targets": list(self.targets),
            "options": {name: dict(chosen) for name, chosen in self.options.items()},
            "false_alarm": FALSE_ALARM,
            "rows": [row.to_json() for row in self.rows],
            "breaches": [breach.to_json() for breach in self.breaches],
        }

    def plot(self, path: str | os.PathLike[str]) -> None:
        """Draw error and bound against tick, as .png or .svg. Errors: T404 (no such format), T302, T505."""
        from thermoc.verification.plot import plot

        plot(self, path)

    @property
    def title(self) -> str:
        """What was compared, over how much."""
        return f"{self.network}, seed {self.seed}: {self.ticks} ticks, {self.batch} samples"

    def _repr_html_(self) -> str:
        breaches = "".join(f"<pre>{escape(str(breach))}</pre>" for breach in self.breaches)
        return html_table(self.title, [row.shown() for row in self.rows]) + breaches

    def __str__(self) -> str:
        parts = [table(self.title, [row.shown() for row in self.rows]), *map(str, self.breaches)]
        held = [name for name in self.targets if all(row.ok for row in self.rows if row.target == name)]
        blind = [row for row in self.rows if row.verdict == UNJUDGED]
        parts += [_blind(row) for row in blind]
        return "\n".join([*parts, f"{len(held)} of {len(self.targets)} targets hold their bounds"])


def _blind(row: Row) -> str:
    """Say why a row is not judged."""
    why = "what its passes declare is as wide as the value itself, and no unit of it could be judged alone"
    if row.value == UNITS:
        why = "what the numbers of a population may be off is half of what it adds up, or more"
    return f"{row.target}: {row.error} error of {row.value} is not judged: {why}"


def _of(difference: float | None, room: float | None) -> str:
    return "" if room is None else f"{abs(difference or 0):.2g} of {room:.2g}"


def _plain(value: Any) -> Any:
    """JSON has no numbers for infinity and not-a-number."""
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return str(value)
    return list(value) if isinstance(value, tuple) else value
