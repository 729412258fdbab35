"""Parts of a batch put together: what the undivided run would have recorded, bit for bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from thermoc.support.array_types import AnyArray
from thermoc.sweeps.worker import Done

SAMPLES = {"values": 1, "last": 0, "mean": 0, "variance": 0, "minimum": 0, "maximum": 0}
"""The axis of the samples in each field; ``count`` is the same in all parts, ``counts`` add up."""


def merged(parts: Sequence[tuple[int, Done]]) -> Done:
    """Return what a batch gave whose parts are (first sample, what it gave), in order."""
    first = parts[0][1]
    if len(parts) == 1:
        return first
    fields = {name: _fields([(start, segment.fields[name]) for start, segment in parts]) for name in first.fields}
    states = {name: np.concatenate([segment.states[name] for _, segment in parts]) for name in first.states}
    return Done(fields=fields, states=states)


def _fields(parts: Sequence[tuple[int, Mapping[str, AnyArray]]]) -> dict[str, AnyArray]:
    order = _order(parts)
    return {of: _field(of, [(start, fields[of]) for start, fields in parts], order) for of in parts[0][1]}


def _field(of: str, parts: Sequence[tuple[int, AnyArray]], order: AnyArray) -> AnyArray:
    arrays = [array for _, array in parts]
    if of in SAMPLES:
        return np.concatenate(arrays, axis=SAMPLES[of])
    if of == "counts":
        return np.sum(arrays, axis=0)
    if of == "count":
        return arrays[0]
    if of == "events":
        return np.concatenate([array + np.array([0, start, 0]) for start, array in parts])[order]
    return np.concatenate(arrays)[order]


def _order(parts: Sequence[tuple[int, Mapping[str, AnyArray]]]) -> AnyArray:
    """Return how events of all parts stand in the order (tick, sample, unit): by tick, since parts are in order."""
    if "events" not in parts[0][1]:
        return np.empty(0, np.int64)
    return np.argsort(np.concatenate([fields["events"][:, 0] for _, fields in parts]), kind="stable")
