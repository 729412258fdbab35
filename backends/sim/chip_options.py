"""What ``tc.compile(net, "sim", chip=...)`` takes, checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from thermoc.support.errors import error

CHOICES: Mapping[str, tuple[str, ...]] = {
    "temperature": ("model", "die"),
    "placement": ("wire", "thermal"),
    "start": ("steady", "ambient"),
}


def check(options: Any) -> None:
    """Refuse options that make no sense. Errors: T303."""
    for name, known in CHOICES.items():
        if getattr(options, name) not in known:
            notes = [f"{name} = {getattr(options, name)!r}"]
            raise error("T303", f"{name} must be one of {', '.join(known)}", notes=notes)
    if not isinstance(options.slot, int | float) or not 1e-9 <= options.slot <= 1.0:
        raise error("T303", "slot must be a time from 1e-9 to 1 s", notes=[f"slot = {options.slot!r}"])
    if options.chip is None and (options.temperature != "model" or options.placement != "wire"):
        hint = 'name one: chip="thermo-1"'
        raise error("T303", "a temperature of the die and a placement need a chip", hint=hint)
