"""What an op says of operands that may not be negative, or not zero: rates, time constants, masses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from thermoc.ir.ops import Problem
from thermoc.support.array_types import AnyArray


def above_zero(numbers: Mapping[str, AnyArray], *names: str, hint: str = "") -> Iterator[Problem]:
    """Yield the first element of each operand that is not > 0; numbers holds those that are known, by name."""
    for name in names:
        yield from _first(name, numbers, "> 0", lambda array: array > 0, hint)


def not_negative(numbers: Mapping[str, AnyArray], *names: str, hint: str = "") -> Iterator[Problem]:
    """Yield the first element of each operand that is not >= 0; numbers holds those that are known, by name."""
    for name in names:
        yield from _first(name, numbers, ">= 0", lambda array: array >= 0, hint)


def _first(
    name: str, numbers: Mapping[str, AnyArray], text: str, holds: Callable[[AnyArray], AnyArray], hint: str
) -> Iterator[Problem]:
    if name not in numbers:
        return
    wrong = np.argwhere(~holds(numbers[name]))
    if len(wrong):
        index = tuple(map(int, wrong[0]))
        fact = f"{name}{list(index) if index else ''} = {numbers[name][index]}"
        yield Problem("T105", f"{name} must be {text}", (fact,), hint)
