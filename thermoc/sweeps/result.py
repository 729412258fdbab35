"""What a sweep gave: its store, read where it is asked for."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thermoc.support.array_types import AnyArray
from thermoc.support.errors import error
from thermoc.support.loading import check_path, reading, shown
from thermoc.support.plurals import counted
from thermoc.support.suggestions import near
from thermoc.support.tables import table
from thermoc.sweeps.axes import CODE
from thermoc.sweeps.objective import Objective, objective_in
from thermoc.sweeps.store import DONE, FAILED, KIND, POINT, SweepStore

if TYPE_CHECKING:
    import xarray

ROWS = 12
"""Points that are printed."""


class SweepResult:
    """A sweep's store: ``result["E.mean"]`` is an array (points, batch, ...); ``print(result)`` is a summary."""

    def __init__(self, store: SweepStore):
        self.store = store

    @property
    def path(self) -> Path:
        """The folder of the store."""
        return self.store.path

    @property
    def attrs(self) -> Mapping[str, Any]:
        """What the store says of the sweep."""
        return self.store.attrs

    @cached_property
    def status(self) -> AnyArray:
        """Status (points,): 0 not run, 1 done, 2 failed."""
        return self.store.status

    @property
    def complete(self) -> bool:
        """Whether every point is done."""
        return bool((self.status == DONE).all())

    @property
    def failures(self) -> dict[int, str]:
        """Why points failed, by number."""
        return {int(index): why for index, why in self.attrs.get("failures", {}).items()}

    @cached_property
    def axes(self) -> dict[str, AnyArray]:
        """The value of each axis at each point, by name; of values that are no numbers, their place in the list."""
        documents = json.loads(self.attrs["axes"])
        with reading(self.path, KIND):
            return {item["name"]: np.asarray(self.store.group[item["name"]][:]) for item in documents}

    @property
    def names(self) -> list[str]:
        """Names of the results."""
        count = self.store.count
        mine = {*self.axes, "status"}
        return sorted(
            name
            for name, array in self.store.group.arrays()
            if name not in mine and array.metadata.dimension_names[:1] == (POINT,) and array.shape[0] == count
        )

    @property
    def objective(self) -> Objective | None:
        """What was searched for, if anything."""
        return objective_in(dict(self.attrs))

    @property
    def best(self) -> dict[str, Any]:
        """The best point of a search: its number, the values of its axes, its value. Errors: T520 where none is."""
        goal = self.objective
        if goal is None or not (self.status == DONE).any():
            raise error(CODE, "there is no best point", notes=["nothing was searched for, or no point is done"])
        values = {int(i): goal.value(self.store.row(goal.result, int(i))) for i in np.flatnonzero(self.status == DONE)}
        choose = min if goal.direction == "minimize" else max
        index = choose(values, key=lambda i: values[i])
        return {POINT: index, **self.labels(index), goal.result: values[index]}

    def labels(self, index: int) -> dict[str, Any]:
        """Return the values of the axes at a point."""
        return {name: self._label(name, column[index]) for name, column in self.axes.items()}

    def _label(self, name: str, number: Any) -> Any:
        listed = self.store.group[name].attrs.get("values")
        return number.item() if listed is None else listed[int(number)] if number >= 0 else None

    def __getitem__(self, name: str) -> AnyArray:
        if name not in self.names:
            notes = [f"there are {', '.join(self.names) or 'none yet'}"]
            raise error(CODE, f"the sweep has no result {name!r}", notes=notes, hint=near(name, self.names))
        with reading(self.path, KIND):
            return np.asarray(self.store.group[name][:])

    def to_xarray(self, *, grid: bool = False) -> xarray.Dataset:
        """Return an xarray Dataset, read where it is asked for: a row a point, the axes its coordinates.

        grid: a dimension for each axis in the place of ``point``, for sweeps of a grid, read as a whole.
        """
        import xarray

        data = xarray.open_zarr(self.path, chunks=None, consolidated=False)
        named = {name: (POINT, self._column(name), data[name].attrs) for name in self.axes}
        data = data.assign_coords(named)
        if not grid:
            return data
        if self.attrs["method"] != "grid" or self.objective is not None:
            raise error(CODE, "points that were drawn make no grid", hint="to_xarray() has a row a point")
        scalar = [name for name in self.axes if data[name].dtype != object]
        if not scalar:
            return data
        return data.load().set_index({POINT: scalar}).unstack(POINT).transpose(*scalar, ...)

    def _column(self, name: str) -> AnyArray:
        listed, column = self.store.group[name].attrs.get("values"), self.axes[name]
        texts = listed is not None and all(isinstance(value, str | bool) for value in listed)
        # arrays stay their place in the list, which the attribute ``values`` has
        return np.array(listed)[column] if texts and (column >= 0).all() else column

    def rows(self, most: int | None = None) -> list[dict[str, Any]]:
        """Return a row for each point, or for the first of them: axes, status, and means of the results."""
        count = self.store.count if most is None else min(most, self.store.count)
        words = {0: "not run", DONE: "done", FAILED: "failed"}
        columns = {name: self.store.group[name][:count] for name in self.names}
        means = {name: [_mean(row) for row in column] for name, column in columns.items()}
        return [
            {POINT: i, **self.labels(i), "status": words[int(self.status[i])], **{n: m[i] for n, m in means.items()}}
            for i in range(count)
        ]

    @property
    def title(self) -> str:
        """What was run, and how much of it is done."""
        done, attrs = int((self.status == DONE).sum()), self.attrs
        points = counted(self.store.count, "point")
        return f"{attrs['network']} on {attrs['target']}, {attrs['method']}: {done} of {points}"

    def __str__(self) -> str:
        omitted = self.store.count - ROWS
        return table(self.title, self.rows(ROWS)) + (f"\n... and {omitted} more points" if omitted > 0 else "")

    def __repr__(self) -> str:
        return f"SweepResult({shown(self.path)}: {self.title})"


def _mean(row: Any) -> float | None:
    array = np.asarray(row, float)
    return float(array.mean()) if array.size and not np.isnan(array).all() else None


def open_sweep(path: str | os.PathLike[str]) -> SweepResult:
    """Open a sweep's store. Errors: T302 without zarr, T501, T502, T503, T506."""
    check_path(path)
    return SweepResult(SweepStore.open(path, "r"))
