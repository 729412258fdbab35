"""Refuse options of passes that no run could mean: lengths of time that are not positive, ranges without numbers."""

from __future__ import annotations

import math

from thermoc.support.errors import error


def check_positive(name: str, option: str, value: float) -> None:
    """Refuse what is not a finite number above 0. Errors: T212."""
    if not (math.isfinite(value) and value > 0):
        raise error("T212", f"pass {name}: {option} must be above 0", notes=[f"{option} = {value!r}"])


def check_range(name: str, span: tuple[float, float] | None) -> None:
    """Refuse an input_range that is no lower and upper end. Errors: T212."""
    if span is not None and not (len(span) == 2 and all(map(math.isfinite, span)) and span[0] <= span[1]):
        notes = [f"input_range = {span!r}"]
        raise error("T212", f"pass {name}: input_range must be two finite numbers, the lower first", notes=notes)
