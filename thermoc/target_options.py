"""Check what ``tc.compile`` is given for a target, before anything is compiled."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from thermoc import plugins
from thermoc.support.errors import error

if TYPE_CHECKING:
    from thermoc.backends.base import Backend


def with_device(target: str, options: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the name of a target and its options; what stands behind a colon is one, its device. Errors: T303."""
    name, colon, device = target.partition(":") if isinstance(target, str) else (target, "", "")
    if colon and options.get("device", device) != device:
        notes = [f"the target is {target!r}", f"device = {options['device']!r}"]
        raise error("T303", "two devices are asked for", notes=notes, hint="leave one out")
    return name, {**options, "device": device} if colon else dict(options)


def checked_options(backend: Backend, options: Mapping[str, Any]) -> Any:
    """Return the target's ``Options``. Errors: T303, which says which target has an option that this one lacks."""
    names = [item.name for item in dataclasses.fields(backend.Options)]
    unknown = [name for name in options if name not in names]
    if unknown:
        notes, hint = [f"its options are {', '.join(names)}"], _elsewhere(unknown[0])
        raise error("T303", f"target {backend.name!r} has no option {unknown[0]!r}", notes=notes, hint=hint)
    check_samples(options)
    return backend.Options(**options)


def _elsewhere(option: str) -> str:
    """Return which of our targets have an option, as a hint."""
    # Of ours alone: announced targets would be imported merely to phrase a hint.
    fields = {name: dataclasses.fields(plugins.backend(name).Options) for name in plugins.OURS}
    targets = [name for name, options in fields.items() if option in [item.name for item in options]]
    return f"target {' and '.join(map(repr, targets))} has it: target={targets[0]!r}" if targets else ""


def check_samples(options: Mapping[str, Any]) -> None:
    """Refuse a range or samples of the inputs that are none, whatever the target. Errors: T303."""
    span, samples = options.get("input_range"), options.get("calibrate")
    if span is not None and not _is_range(span):
        notes, hint = [f"input_range = {span!r}"], "give (low, high); in the shell: -O 'input_range=[-1, 1]'"
        raise error("T303", "input_range must be two finite numbers, the lower first", notes=notes, hint=hint)
    if samples is not None and not isinstance(samples, Mapping):
        notes = [f"it is a {type(samples).__name__}"]
        raise error("T303", "calibrate must hold samples of inputs by name", notes=notes, hint='give {"x": array}')


def _is_range(span: Any) -> bool:
    try:
        ends = np.asarray(span)
    except ValueError:
        return False
    return (
        ends.shape == (2,) and ends.dtype.kind in "iuf" and bool(np.isfinite(ends).all()) and bool(ends[0] <= ends[1])
    )
