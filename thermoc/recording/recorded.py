"""What was recorded of one output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from thermoc.recording.specs import Spec
from thermoc.support.array_types import AnyArray, IntArray
from thermoc.support.errors import Finding, error
from thermoc.support.loading import reading

NEEDS = {
    "values": "all",
    "last": "last",
    "mean": "mean",
    "variance": "mean",
    "count": "mean",
    "minimum": "extremes",
    "maximum": "extremes",
    "events": "events",
    "payloads": "events",
    "counts": "counts",
}
"""What had to be recorded for each field."""


class Recorded:
    """What was recorded of one output: arrays by the names of its properties; ``array`` is what was asked for first.

    Those of a store are read where they are asked for.
    """

    def __init__(self, name: str, fields: Mapping[str, Any], specs: tuple[Spec, ...], *, begun: int = 0):
        self.name, self.specs, self.begun = name, specs, begun
        self.fields = fields
        """Arrays, or those of a store, which are sliced before they are read."""

    @property
    def k(self) -> int:
        """Every k-th tick stands in ``values``."""
        return next((spec.k for spec in self.specs if spec.kind == "every"), 1)

    @property
    def ticks(self) -> IntArray:
        """The ticks of ``values``, from 0 at the start of the session."""
        return self.begun + self.k * np.arange(1, self._field("values").shape[0] + 1) - 1

    @property
    def warnings(self) -> tuple[Finding, ...]:
        """W105 where every k-th tick was asked for, and the run is shorter than k."""
        if self.k == 1 or "values" not in self.fields or self.fields["values"].shape[0]:
            return ()
        what, hint = f"output {self.name!r}: no tick was recorded", "run longer, or take tc.last()"
        notes = (f"it is {Spec('every', self.k)}", "the run is shorter")
        return (Finding(code="W105", what=what, notes=notes, hint=hint),)

    @property
    def array(self) -> AnyArray:
        """What was asked for first."""
        return self[next(iter(self.fields))]

    @property
    def values(self) -> AnyArray:
        """Every tick or every k-th, (ticks, batch, *shape)."""
        return self["values"]

    @property
    def last(self) -> AnyArray:
        """The last tick, (batch, *shape)."""
        return self["last"]

    @property
    def mean(self) -> AnyArray:
        """Mean over the ticks, (batch, *shape)."""
        return self["mean"]

    @property
    def variance(self) -> AnyArray:
        """Mean square of the distance from the mean, (batch, *shape): np.var of all ticks."""
        return self["variance"]

    @property
    def count(self) -> int:
        """Number of ticks behind mean and variance."""
        return int(self["count"])

    @property
    def minimum(self) -> AnyArray:
        """The least value, (batch, *shape)."""
        return self["minimum"]

    @property
    def maximum(self) -> AnyArray:
        """The greatest value, (batch, *shape)."""
        return self["maximum"]

    @property
    def events(self) -> IntArray:
        """Rows (tick, sample, unit) in this order; tick counts from the start of the session."""
        return self["events"]

    @property
    def payloads(self) -> AnyArray:
        """The value of each event, where it may be others than 1."""
        return self["payloads"]

    @property
    def counts(self) -> IntArray:
        """How often each configuration was there, in the order of binary counting, unit 0 the most significant."""
        return self["counts"]

    def __getitem__(self, name: str) -> AnyArray:
        field = self._field(name)
        if isinstance(field, np.ndarray):
            return field
        with reading(f"what was recorded of {self.name!r}", "all of it there"):
            return np.asarray(field)

    def _field(self, name: str) -> Any:
        if name not in self.fields:
            need = NEEDS.get(name, name)
            notes = [f"recorded are {', '.join(map(str, self.specs)) or 'nothing'}"]
            hint = f'record={{"{self.name}": {[*map(str, self.specs), need]}}}'
            raise error("T419", f"{self.name!r}: {name} was not recorded", notes=notes, hint=hint)
        return self.fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.fields)

    def __contains__(self, name: object) -> bool:
        return name in self.fields

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name} {list(np.shape(array))}" for name, array in self.fields.items())
        return f"Recorded({self.name}: {shapes})"
