"""Runs in files: .zarr, .nc and .npz, by suffix."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from thermoc.recording.layout import Frame, Variable, coordinates, variable, variables
from thermoc.recording.meanings import Meaning
from thermoc.recording.recorded import NEEDS, Recorded
from thermoc.recording.specs import Spec, parsed
from thermoc.recording.store import FORMAT, RunStore, make_way
from thermoc.support.array_types import AnyArray
from thermoc.support.arrays import npz_bytes, read_npz
from thermoc.support.errors import error
from thermoc.support.extras import need
from thermoc.support.files import write_atomic
from thermoc.support.loading import check_path, shown

if TYPE_CHECKING:
    import xarray

SUFFIXES = (".zarr", ".nc", ".npz")
_HEADER = "run.json"
"""The entry of a .npz that holds the attributes, as the bytes of JSON."""


@dataclass(frozen=True, kw_only=True)
class SavedRun:
    """What a file holds: attributes, and what was recorded; arrays of a store are read where they are asked for."""

    attrs: Mapping[str, Any]
    recorded: Mapping[str, Recorded]
    store: RunStore | None = None


WRITTEN_BY = "run.save(path) writes a run, in the shell thermoc run MODEL --to run.npz"


def suffix_of(path: str | os.PathLike[str], *, verb: str = "be written as", hint: str = "") -> str:
    """Return how a run is written. Errors: T506 for another suffix."""
    check_path(path)
    suffix = Path(path).suffix
    if suffix not in SUFFIXES:
        notes = [f"there are {', '.join(SUFFIXES)}"]
        raise error("T506", f"a run cannot {verb} {Path(path).name!r}", notes=notes, hint=hint)
    return suffix


def save(
    path: str | os.PathLike[str],
    attrs: Mapping[str, Any],
    frame: Frame,
    recorded: Mapping[str, Recorded],
    *,
    overwrite: bool = False,
) -> None:
    """Write a run, whole or not at all. Errors: T302, T505, T506."""
    suffix = suffix_of(path)
    if suffix == ".zarr":
        store = RunStore.create(path, attrs, overwrite=overwrite)
        arrays, coords = variables(frame, recorded), coordinates(frame, recorded)
        store.finish(arrays, coords, int(attrs["ticks"]), bool(attrs["complete"]))
        return
    make_way(Path(path), overwrite=overwrite)
    if suffix == ".npz":
        header = np.frombuffer(json.dumps(dict(attrs)).encode(), np.uint8)
        arrays = {name: np.asarray(variable.array) for name, variable in variables(frame, recorded).items()}
        write_atomic(path, npz_bytes({**arrays, _HEADER: header}, compress=True))
        return
    need("h5netcdf", "stores", "netCDF files")
    data = dataset(attrs, frame, recorded).to_netcdf(engine="h5netcdf")
    write_atomic(path, bytes(data))


def dataset(attrs: Mapping[str, Any], frame: Frame, recorded: Mapping[str, Recorded]) -> xarray.Dataset:
    """Return what was recorded as an xarray Dataset."""
    import xarray

    def built(variable: Variable) -> tuple[Any, ...]:
        return variable.dims, np.asarray(variable.array), dict(variable.attrs)

    return xarray.Dataset(
        {name: built(variable) for name, variable in variables(frame, recorded).items()},
        coords={name: built(variable) for name, variable in coordinates(frame, recorded).items()},
        attrs=dict(attrs),
    )


def load(path: str | os.PathLike[str]) -> SavedRun:
    """Read a run; a store stays open, and its traces are read where they are asked for. Errors: T302, T501 to T506."""
    suffix = suffix_of(path, verb="be read from", hint=WRITTEN_BY)
    if suffix == ".zarr":
        store = RunStore.reopen(path)
        arrays = {name: _written(array) for name, array in store.group.arrays()}
        return replace(_saved(path, store.attrs, arrays), store=store)
    if suffix == ".npz":
        arrays = read_npz(path)
        header = arrays.pop(_HEADER, None)
        return _saved(path, {} if header is None else json.loads(header.tobytes()), arrays)
    need("h5netcdf", "stores", "netCDF files")
    import xarray

    if not Path(path).is_file():
        raise error("T501", f"{shown(path)} cannot be read", notes=["there is no such file"])
    try:
        with xarray.open_dataset(path, engine="h5netcdf") as data:
            return _saved(path, data.attrs, {str(name): data[name].to_numpy() for name in data.data_vars})
    except (OSError, ValueError) as reason:
        raise error("T502", f"{shown(path)} is no netCDF file", notes=[str(reason)]) from None


@dataclass(frozen=True)
class _Part:
    """The first rows of an array of a store, which are read where they are asked for."""

    array: Any
    rows: int

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.rows, *self.array.shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        return self.array.dtype

    def __getitem__(self, place: Any) -> AnyArray:
        return np.asarray(self)[place]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> AnyArray:
        return np.asarray(self.array[: self.rows], dtype)


def _written(array: Any) -> Any:
    """Return the part of an array that a run which was broken off has written: chunks are written in order."""
    rows = array.nchunks_initialized * array.chunks[0] if array.shape else 0
    return array if not array.shape or rows >= array.shape[0] else _Part(array, rows)


def meanings_of(attrs: Mapping[str, Any]) -> dict[str, Meaning]:
    """Return what a file says of the outputs."""
    return {name: Meaning.of(document) for name, document in json.loads(attrs["outputs"]).items()}


def _saved(path: str | os.PathLike[str], attrs: Mapping[str, Any], arrays: Mapping[str, Any]) -> SavedRun:
    if attrs.get("format") != FORMAT:
        notes = ["it was not written by run.save or to="]
        raise error("T506", f"{shown(path)} holds no run", notes=notes, hint=WRITTEN_BY)
    recorded: dict[str, Recorded] = {}
    for name, texts in json.loads(attrs["record"]).items():
        specs = tuple(map(parsed, texts))
        places = {of: variable(name, of) for spec in specs for of in _fields_of(spec)}
        fields = {of: arrays[key] for of, key in places.items() if key in arrays}
        recorded[name] = Recorded(name, fields, specs, begun=int(attrs["begun"]))
    return SavedRun(attrs=attrs, recorded=recorded)


def _fields_of(spec: Spec) -> list[str]:
    kind = "all" if spec.kind == "every" else spec.kind
    return [field for field, need in NEEDS.items() if need == kind]
