"""How what was recorded lies in a data set: a variable for each array, with named dimensions and coordinates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from thermoc.ir.recording import Signal
from thermoc.recording.meanings import Meaning
from thermoc.recording.recorded import Recorded
from thermoc.support.array_types import AnyArray

TICK, SAMPLE, TIME = "tick", "sample", "time"
UNITS_OF_TIME = "units of dt"
TRACE = "values"
SAID = {
    "events": {"columns": "tick, sample, unit"},
    "counts": {"order": "binary counting, unit 0 the most significant"},
    "variance": {"long_name": "mean square of the distance from the mean"},
}


@dataclass(frozen=True, kw_only=True)
class Variable:
    """An array of a data set."""

    dims: tuple[str, ...]
    array: Any
    attrs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class LazyRange:
    """Numbers first, first + step, ... times a scale: made where they are asked for, for a trace may exceed memory."""

    first: int
    step: int
    length: int
    scale: float | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """Its length."""
        return (self.length,)

    @property
    def dtype(self) -> np.dtype[Any]:
        """int64; float64 with a scale."""
        return np.dtype(np.int64 if self.scale is None else np.float64)

    def __getitem__(self, part: slice) -> AnyArray:
        numbers = self.first + self.step * np.arange(*part.indices(self.length), dtype=np.int64)
        return numbers if self.scale is None else numbers * self.scale

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> AnyArray:
        return self[:].astype(dtype or self.dtype, copy=False)


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What all variables of a run share: which outputs there are, when it began, and its first sample."""

    meanings: Mapping[str, Meaning]
    begun: int
    dt: float
    first_sample: int
    batch: int

    def own(self, name: str) -> str:
        """Return a name that no output has: xarray takes a variable with the name of a dimension for its coordinate."""
        while name in self.meanings:
            name += "_"
        return name

    def dims(self, name: str, of: str, k: int = 1) -> tuple[str, ...]:
        """Return the dimensions of a field of an output."""
        axes = tuple(self.own(axis) for axis in self.meanings[name].axes)
        if of == TRACE:
            return (self.tick(k), self.own(SAMPLE), *axes)
        if of in ("events", "payloads"):
            return (f"{name}.event", f"{name}.column")[: 2 if of == "events" else 1]
        if of == "counts":
            return (f"{name}.configuration",)
        return () if of == "count" else (self.own(SAMPLE), *axes)

    def attrs(self, name: str, of: str) -> dict[str, Any]:
        """Return what is said of a field of an output."""
        meaning = {} if of in ("count", "counts", "events") else self.meanings[name].attrs
        return {"output": name, **meaning, **SAID.get(of, {})}

    def place(self, name: str, of: str, k: int = 1) -> dict[str, Any]:
        """Return name, dimensions and attributes of the variable of a field of an output."""
        return {"name": variable(name, of), "dims": self.dims(name, of, k), "attributes": self.attrs(name, of)}

    def tick(self, k: int) -> str:
        """Return the dimension of ticks, every one or every k-th."""
        return self.own(TICK if k == 1 else f"{TICK}_{k}")

    def coords(self, ticks: int, k: int) -> dict[str, Variable]:
        """Return the coordinates along ticks: their numbers from the start of the session, and their times."""
        dim = self.tick(k)
        numbers = LazyRange(first=self.begun + k - 1, step=k, length=ticks)
        times = replace(numbers, scale=self.dt)
        attrs = {"long_name": "time", "units": UNITS_OF_TIME, "dt": self.dt}
        return {
            dim: Variable(dims=(dim,), array=numbers, attrs={"long_name": "tick of the session"}),
            self.own(TIME if k == 1 else f"{TIME}_{k}"): Variable(dims=(dim,), array=times, attrs=attrs),
        }


def variable(name: str, of: str) -> str:
    """Return the name of a field of an output: a trace has the output's own."""
    return name if of == TRACE else f"{name}.{of}"


def narrow(dtype: np.dtype[Any], levels: tuple[int, int] | None) -> np.dtype[Any]:
    """Return the dtype that traces are stored in: spikes as truth values, spins as single bytes."""
    return dtype if levels is None else np.dtype(bool if levels == (0, 1) else np.int8)


def stored_dtype(signal: Signal) -> np.dtype[Any]:
    """Return the dtype in which a trace of this signal is stored."""
    return narrow(signal.dtype, signal.levels)


def variables(frame: Frame, recorded: Mapping[str, Recorded]) -> dict[str, Variable]:
    """Return the variables of what was recorded, without coordinates."""
    arrays: dict[str, Variable] = {}
    for name, item in recorded.items():
        meaning = frame.meanings[name]
        for of in item:
            array: Any = item.fields[of]
            if isinstance(array, np.ndarray) and of in (TRACE, "last", "minimum", "maximum"):
                array = array.astype(narrow(array.dtype, meaning.levels), copy=False)
            arrays[variable(name, of)] = Variable(
                dims=frame.dims(name, of, item.k), array=array, attrs=frame.attrs(name, of)
            )
    return arrays


def coordinates(frame: Frame, recorded: Mapping[str, Recorded]) -> dict[str, Variable]:
    """Return the coordinates of what was recorded: ticks and times, samples, units."""
    coords: dict[str, Variable] = {}
    for name, item in recorded.items():
        if TRACE in item:
            coords |= frame.coords(item.fields[TRACE].shape[0], item.k)
        for of in item:
            coords |= _along(frame, frame.dims(name, of, item.k), item.fields[of].shape)
    return coords


def _along(frame: Frame, dims: tuple[str, ...], shape: tuple[int, ...]) -> dict[str, Variable]:
    """Return the coordinates of samples and of an output's own axes, which stand behind them."""
    sample = frame.own(SAMPLE)
    if sample not in dims:
        return {}
    first = dims.index(sample)
    starts = [frame.first_sample, *[0] * len(dims)]
    return {
        dim: Variable(
            dims=(dim,),
            array=LazyRange(first=start, step=1, length=length),
            attrs={"long_name": "sample" if dim == sample else "unit"},
        )
        for dim, start, length in zip(dims[first:], starts, shape[first:])
    }
