"""What a run is asked to keep of an output: ``record={"probs": "all", "E": tc.every(100), "s": tc.mean()}``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from thermoc.ir.recording import Counts, EventList, Every, Extremes, Last, Recorder, Signal, moments
from thermoc.support.errors import caller, error
from thermoc.support.suggestions import nearest

KINDS: dict[str, Callable[[Signal, int], Recorder]] = {
    "all": lambda signal, k: Every(signal),
    "every": lambda signal, k: Every(signal, k),
    "last": lambda signal, k: Last(signal),
    "mean": lambda signal, k: moments(signal),
    "extremes": lambda signal, k: Extremes(signal),
    "events": lambda signal, k: EventList(signal),
    "counts": lambda signal, k: Counts(signal),
}
"""The recorder of each kind."""


@dataclass(frozen=True)
class Spec:
    """One thing to keep of an output; ``str`` is how the command line and files write it: ``every:100``."""

    kind: str
    k: int = 1

    def recorder(self, signal: Signal) -> Recorder:
        """Return what keeps it."""
        return KINDS[self.kind](signal, self.k)

    def __str__(self) -> str:
        return f"{self.kind}:{self.k}" if self.kind == "every" else self.kind


def every(k: int) -> Spec:
    """Keep the k-th, 2k-th, ... tick of the run: an array (ticks // k, batch, *shape). Errors: T419 for k < 1."""
    number: Any = k  # users pass anything
    if not isinstance(number, int | np.integer) or isinstance(number, bool) or number < 1:
        raise error("T419", "every k-th tick is kept, k a whole number >= 1", where=caller(), notes=[f"k = {k!r}"])
    return Spec("every", int(k))


def last() -> Spec:
    """Keep the last tick: an array (batch, *shape)."""
    return Spec("last")


def mean() -> Spec:
    """Keep mean and variance over the ticks of each element: arrays (batch, *shape)."""
    return Spec("mean")


def extremes() -> Spec:
    """Keep the least and the greatest value over the ticks of each element: arrays (batch, *shape)."""
    return Spec("extremes")


def events() -> Spec:
    """Keep where a unit spikes: rows (tick, sample, unit). It is for spikes, whole numbers and truth values."""
    return Spec("events")


def counts() -> Spec:
    """Count the configurations of at most 20 units of two levels, over ticks and samples: an array (2^units,)."""
    return Spec("counts")


def parsed_plan(text: str) -> dict[str, list[str]]:
    """Return what a text like ``s=mean,s=events,E=every:100`` records, for ``record=``. Errors: T419."""
    plan: dict[str, list[str]] = {}
    for pair in text.split(","):
        name, equals, spec = pair.rpartition("=")
        if not name or not equals:
            hint = '--record "s=mean,E=every:100"'
            raise error("T419", f"{pair!r} is not NAME=WHAT", notes=[f"it is part of {text!r}"], hint=hint)
        plan.setdefault(name.strip(), []).append(spec.strip())
    return plan


def parsed(text: str) -> Spec:
    """Return the spec that a text names: ``all``, ``mean``, ``every:100``. Errors: T419."""
    kind, _, number = text.partition(":")
    if kind not in KINDS or (kind == "every") != bool(number):
        names = ", ".join("every:K" if name == "every" else name for name in KINDS)
        raise error(
            "T419", f"{text!r} is nothing that can be recorded", notes=[f"there are {names}"], hint=_meant(kind, number)
        )
    if kind != "every":
        return Spec(kind)
    return every(int(number) if number.isdecimal() and len(number) < 20 else number)  # type: ignore[arg-type]


def _meant(kind: str, number: str) -> str:
    if kind == "every":
        return "say which ticks: every:10"
    meant = nearest(kind, KINDS)
    whole = f"every:{number or 10}" if meant == "every" else meant
    return f"did you mean {whole!r}?" if meant else ""
