"""``x[0]``, ``x[1:3]``, ``x[..., None]``: NumPy's basic indices as ``core.slice`` and ``core.reshape``."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from thermoc.ir.functions import call, refused
from thermoc.ir.network_value import NetworkValue
from thermoc.support.errors import caller, error


def indexed(x: NetworkValue, key: Any) -> Any:
    """Return the elements that integers, slices, ``...`` and ``None`` name. Errors: T103 (outside), T111 (others)."""
    entries = _full(x, cast("tuple[Any, ...]", key) if isinstance(key, tuple) else (key,))
    starts: list[int] = []
    stops: list[int] = []
    steps: list[int] = []
    shape: list[int] = []
    axis = 0
    for entry in entries:
        if entry is None:
            shape.append(1)
            continue
        start, stop, step = _cut(entry, axis, x.shape[axis])
        starts.append(start)
        stops.append(stop)
        steps.append(step)
        if isinstance(entry, slice):
            # Ceiling division: how many steps fit from start to before stop.
            shape.append(-((start - stop) // step))
        axis += 1
    cut = x
    if (starts, stops, steps) != ([0] * axis, list(x.shape), [1] * axis):
        cut = call("core.slice", x, starts=tuple(starts), stops=tuple(stops), steps=tuple(steps))
    return cut if cut.shape == tuple(shape) else call("core.reshape", cut, shape=tuple(shape))


def _full(x: NetworkValue, key: tuple[Any, ...]) -> list[Any]:
    """Return one entry for each axis, and None for each new one. Errors: T103, T111."""
    for entry in key:
        _check(entry)
    count = sum(entry is not None and entry is not Ellipsis for entry in key)
    if count > x.ndim or sum(entry is Ellipsis for entry in key) > 1:
        notes = [f"it has shape {list(x.shape)}", f"there are {count} indices"]
        raise error("T103", "too many indices for a value", where=caller(), notes=notes)
    full: list[Any] = [slice(None)] * (x.ndim - count)
    ellipsis = next((i for i, entry in enumerate(key) if entry is Ellipsis), len(key))
    return [*key[:ellipsis], *full, *key[ellipsis + 1 :]]


def _check(entry: Any) -> None:
    if entry is None or entry is Ellipsis or isinstance(entry, slice):
        return
    if isinstance(entry, int | np.integer) and not isinstance(entry, bool):
        return
    kind = "a value of the network" if isinstance(entry, NetworkValue) else f"a {type(entry).__name__}"
    hint = "join parts with tc.concat([x[0:1], x[2:3]]); choose by a condition with tc.select"
    raise refused("a value is indexed by integers and slices", notes=(f"the index is {kind}",), hint=hint)


def _cut(entry: int | slice[Any, Any, Any], axis: int, length: int) -> tuple[int, int, int]:
    """Return start, stop and step of an index along an axis. Errors: T103, T111."""
    if not isinstance(entry, slice):
        if not -length <= entry < length:
            notes = [f"the index is {entry}", f"the axis has length {length}"]
            raise error("T103", f"an index lies outside axis {axis}", where=caller(), notes=notes)
        return int(entry) % length, int(entry) % length + 1, 1
    for bound in (entry.start, entry.stop, entry.step):
        if bound is not None and not isinstance(bound, int | np.integer):
            raise refused(
                "the ends of a slice are integers", notes=(f"one is a {type(bound).__name__}",), hint="x[1:3], x[::2]"
            )
    if entry.step is not None and entry.step < 1:
        hint = f"tc.affine(x, numpy.eye({length})[::-1]) reverses a last axis"
        raise refused("a slice of a value goes forwards", notes=(f"its step is {entry.step}",), hint=hint)
    start, stop, step = entry.indices(length)
    # slice.indices gives an end before the start for an empty cut.
    return start, max(start, stop), step
