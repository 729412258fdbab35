"""Ranges that data files state for their values, and the check of values against them.

A quantity may say ``above``, ``least``, ``most`` or ``below``: a number in the quantity's own unit, or the dotted name
of another value of the file. ``above`` and ``below`` exclude the bound, ``least`` and ``most`` include it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

KEYS: dict[str, tuple[Callable[[Any, Any], Any], str]] = {
    "above": (operator.gt, "above"),
    "least": (operator.ge, "at least"),
    "most": (operator.le, "at most"),
    "below": (operator.lt, "below"),
}


@dataclass(frozen=True, kw_only=True)
class RangeEnd:
    """One side of a range: ``key`` of ``KEYS``, and a bound in SI or the name of the value that is the bound."""

    key: str
    bound: float | str


@dataclass(frozen=True, kw_only=True)
class Violation:
    """A value out of its range: which, the first entry that is, and the bound it breaks."""

    name: str
    limit: RangeEnd
    value: float
    bound: float
    index: int

    @property
    def rule(self) -> str:
        """The range in words: ``at least least_gap``."""
        bound = self.limit.bound
        return f"{KEYS[self.limit.key][1]} {bound if isinstance(bound, str) else f'{bound:g}'}"


def violations(values: Mapping[str, NDArray], limits: Mapping[str, Sequence[RangeEnd]]) -> Iterator[Violation]:
    """Yield each range that values, rows (1 or n,) by name, break; one that is no number breaks every range."""
    for name, ends in limits.items():
        for limit in ends if name in values else ():
            bound = values.get(limit.bound) if isinstance(limit.bound, str) else np.float64(limit.bound)
            # the bound is a value that the caller did not give: there is nothing to compare with
            if bound is None:
                continue
            row, edge = np.broadcast_arrays(np.atleast_1d(values[name]), np.atleast_1d(bound))
            # denied: a comparison with no number is false, and must count as broken
            wrong = np.flatnonzero(~KEYS[limit.key][0](row, edge))
            if wrong.size:
                k = int(wrong[0])
                yield Violation(name=name, limit=limit, value=float(row[k]), bound=float(edge[k]), index=k)
