"""What a sweep varies: an axis is a name with its values, or a span that points are taken from."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from thermoc.support.errors import ThermocError, error
from thermoc.support.suggestions import near

CODE = "T520"
SCALES = ("linear", "log")
KINDS = ("parameter", "option", "chip", "seed")


@dataclass(frozen=True, kw_only=True)
class Span:
    """Numbers from ``low`` to ``high``: ``steps`` of them in a grid, any of them where points are drawn.

    scale: "linear" or "log". whole: whole numbers only. Errors: T520.
    """

    low: float
    high: float
    steps: int | None = None
    scale: str = "linear"
    whole: bool = False

    def __post_init__(self) -> None:
        facts = [f"from {self.low!r} to {self.high!r}, scale {self.scale!r}, steps {self.steps!r}"]
        check_choice("scale", self.scale, SCALES)
        if not all(_is_number(end) for end in (self.low, self.high)) or self.low > self.high:
            raise error(CODE, "a span goes from a number to one that is no less", notes=facts)
        if self.scale == "log" and self.low <= 0:
            raise error(CODE, "a logarithmic span begins above 0", notes=facts)
        if self.steps is not None:
            check_whole(1, steps=self.steps)

    def grid(self) -> tuple[float, ...]:
        """Return ``steps`` numbers, both ends among them. Errors: T520 without steps."""
        if self.steps is None:
            raise error(CODE, "a grid needs steps", notes=[f"the span goes from {self.low} to {self.high}"])
        shares = np.linspace(0.0, 1.0, self.steps) if self.steps > 1 else np.zeros(1)
        return tuple(dict.fromkeys(self.at(float(fraction)) for fraction in shares))

    def at(self, share: float) -> float:
        """Return the number that lies at a share of the span, 0 to 1."""
        if self.whole:  # every number as wide as the others
            return int(min(self.low + math.floor(share * (self.high - self.low + 1)), self.high))
        if share in (0.0, 1.0):
            return float((self.low, self.high)[int(share)])
        if self.scale == "log":
            return float(self.low * (self.high / self.low) ** share)
        return float(self.low + share * (self.high - self.low))


@dataclass(frozen=True, kw_only=True)
class Axis:
    """One thing that a sweep varies.

    kind: "parameter", "option" (of the target), "chip" (a number of its file) or "seed". key: its name there. values:
    a span, or those that are listed. times: values multiply the parameter's own numbers.
    """

    kind: str
    key: str
    values: Span | tuple[Any, ...]
    times: bool = False

    def grid(self) -> tuple[Any, ...]:
        """Return its values in a grid. Errors: T520."""
        return self.values.grid() if isinstance(self.values, Span) else self.values

    def at(self, share: float) -> Any:
        """Return the value at a share of the axis, from 0 to below 1."""
        if isinstance(self.values, Span):
            return self.values.at(share)
        return self.values[min(int(share * len(self.values)), len(self.values) - 1)]

    @property
    def numeric(self) -> bool:
        """Whether every value is a number: others are kept as their place in the list."""
        return isinstance(self.values, Span) or all(_is_number(value) for value in self.values)

    @property
    def whole(self) -> bool:
        """Whether every value is a whole number."""
        span = self.values
        return span.whole if isinstance(span, Span) else all(isinstance(value, int) for value in span)

    @property
    def document(self) -> dict[str, Any]:
        """What it is, as JSON."""
        values = vars(self.values) if isinstance(self.values, Span) else [shown(value) for value in self.values]
        return {"kind": self.kind, "key": self.key, "values": values, "times": self.times}


@dataclass(frozen=True)
class Times:
    """Values that multiply a parameter's own numbers; made by ``tc.sweeps.times``."""

    values: Any


def span(low: float, high: float, steps: int | None = None, *, scale: str = "linear", whole: bool = False) -> Span:
    """Return numbers from low to high for an axis: ``steps`` of them in a grid. Errors: T520."""
    return Span(low=low, high=high, steps=steps, scale=scale, whole=whole)


def times(values: Any) -> Times:
    """Return values, a list or a span, that multiply the numbers a parameter has."""
    return Times(values)


def axis(kind: str, key: str, values: Any) -> Axis:
    """Return an axis of a list, a range, an array or a span. Errors: T520."""
    scaled = isinstance(values, Times)
    inner = values.values if isinstance(values, Times) else values
    if scaled and kind != "parameter":
        raise wrong(kind, key, "only the numbers of a parameter can be multiplied")
    if isinstance(inner, Span):
        return Axis(kind=kind, key=key, values=inner, times=scaled)
    if isinstance(inner, str | Mapping) or not isinstance(inner, Iterable):
        raise wrong(kind, key, "an axis is a list or a span", notes=[f"it is {inner!r}"])
    listed = tuple(plain(item, kind, key) for item in inner)
    if not listed:
        raise wrong(kind, key, "an axis has at least one value")
    if scaled and not all(_is_number(item) for item in listed):
        raise wrong(kind, key, "a parameter is multiplied by numbers")
    return Axis(kind=kind, key=key, values=listed, times=scaled)


def check_whole(least: int, **counts: Any) -> None:
    """Refuse what is no whole number, or a lower one. Errors: T520."""
    for name, count in counts.items():
        if type(count) is not int or count < least:
            raise error(CODE, f"{name} is a whole number of at least {least}", notes=[f"{name} = {count!r}"])


def check_choice(what: str, value: Any, known: Collection[str]) -> None:
    """Refuse a name that is none of those known. Errors: T520."""
    if value not in known:
        notes, hint = [f"there are {', '.join(known)}"], near(str(value), list(known))
        raise error(CODE, f"there is no {what} {value!r}", notes=notes, hint=hint)


def wrong(kind: str, key: str, what: str, *, notes: Iterable[str] = (), hint: str = "") -> ThermocError:
    """Return the error of an axis."""
    name = kind if kind == "seed" else f"{kind} {key!r}"
    return error(CODE, f"the sweep's {name}: {what}", notes=tuple(notes), hint=hint)


def shown(value: Any) -> Any:
    """Return a value as JSON has it."""
    return value.tolist() if isinstance(value, np.ndarray | np.generic) else value


def plain(item: Any, kind: str, key: str) -> Any:
    """Return numbers as Python's, lists as arrays. Errors: T520 for lists that make none."""
    if isinstance(item, np.generic):
        return item.item()
    try:
        return np.asarray(item) if isinstance(item, list | tuple) else item
    except ValueError:
        raise wrong(kind, key, "a value is no regular array", notes=[f"it is {item!r}"]) from None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
