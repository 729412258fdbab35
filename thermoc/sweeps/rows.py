"""Rows of a sweep's store: what the axes are at each point, and what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from thermoc.recording.layout import Frame, coordinates, narrow, variable
from thermoc.recording.meanings import meanings
from thermoc.recording.recorded import Recorded
from thermoc.recording.specs import parsed
from thermoc.support.array_types import AnyArray
from thermoc.sweeps.axes import Axis, shown
from thermoc.sweeps.plan import Sweep
from thermoc.sweeps.points import Point
from thermoc.sweeps.store import DONE, POINT, SweepStore
from thermoc.sweeps.worker import Done


class PointWriter:
    """Writes points into a store."""

    def __init__(self, sweep: Sweep, store: SweepStore):
        self._sweep, self._store = sweep, store
        network = sweep.setup.network
        self._frame = Frame(meanings=meanings(network), begun=0, dt=network.dt, first_sample=0, batch=sweep.setup.batch)
        self._begun = False

    def axes(self) -> None:
        """Write the values of all axes at all points, as far as they are known."""
        points = self._sweep.points
        for dim, (name, axis) in enumerate(zip(self._sweep.names, self._sweep.setup.axes)):
            self._axis(name, axis)
            if points:
                self._store.write(name, np.array([_number(axis, p[dim]) for p in points]))

    def _axis(self, name: str, axis: Axis) -> None:
        real = axis.numeric and not axis.whole
        attrs = {"kind": axis.kind, "key": axis.key, "times": axis.times}
        if isinstance(axis.values, tuple) and not axis.numeric:
            attrs["values"] = [shown(value) for value in axis.values]
        dtype, empty = (np.dtype(np.float64), np.nan) if real else (np.dtype(np.int64), -1)
        self._store.array(name, (self._store.count,), dtype, (POINT,), attrs=attrs, fill=empty)

    def point(self, index: int, point: Point) -> None:
        """Take the values of the axes at one point."""
        for name, axis, value in zip(self._sweep.names, self._sweep.setup.axes, point):
            self._store.put(name, index, _number(axis, value))

    def done(self, index: int, what: Done) -> None:
        """Take what came of a point, and that it is done."""
        if not self._begun:
            self._coordinates(what)
        for name, fields in what.fields.items():
            k = self._recorded(name, fields).k
            for of, array in fields.items():
                dims = (POINT, *self._frame.dims(name, of, k))
                self._write(index, variable(name, of), self._stored(name, of, array), dims, self._frame.attrs(name, of))
        for name, number in {**what.chip, **what.numbers}.items():
            self._write(index, name, np.float64(number), (POINT,), {})
        self._store.mark(index, DONE)

    def _write(self, index: int, name: str, array: Any, dims: tuple[str, ...], attrs: Mapping[str, Any]) -> None:
        self._store.array(name, (self._store.count, *array.shape), array.dtype, dims, attrs=attrs)
        self._store.put(name, index, array)

    def _stored(self, name: str, of: str, array: AnyArray) -> AnyArray:
        if of in ("values", "last", "minimum", "maximum"):
            array = array.astype(narrow(array.dtype, self._frame.meanings[name].levels), copy=False)
        # where options are varied, floats of one point may be wider than those of another
        wide = array.dtype.kind == "f" and any(axis.kind == "option" for axis in self._sweep.setup.axes)
        return array.astype(np.float64) if wide else array

    def _coordinates(self, what: Done) -> None:
        recorded = {name: self._recorded(name, fields) for name, fields in what.fields.items()}
        for name, line in coordinates(self._frame, recorded).items():
            array = np.asarray(line.array)
            if not array.size:
                continue
            self._store.array(name, array.shape, array.dtype, line.dims, rows=len(array), attrs=line.attrs)
            self._store.write(name, array)
        self._begun = True

    def _recorded(self, name: str, fields: Mapping[str, AnyArray]) -> Recorded:
        return Recorded(name, fields, tuple(map(parsed, self._sweep.setup.record[name])))


def _number(axis: Axis, value: Any) -> float | int:
    """Return what the store holds of a value: itself, or its place in the list."""
    if axis.numeric:
        return value
    assert isinstance(axis.values, tuple)
    return next(index for index, listed in enumerate(axis.values) if listed is value or np.array_equal(listed, value))
