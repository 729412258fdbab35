"""A run in a zarr store: traces and events go there chunk by chunk while it runs."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from thermoc.ir.recording import EventList, Recorder, Signal
from thermoc.recording.layout import Variable, stored_dtype
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import ThermocError, error
from thermoc.support.extras import need
from thermoc.support.loading import reading, shown

FORMAT, VERSION = "thermoc run", 1
CHUNK_BYTES = 2**22
"""Size of a chunk of a trace before it is compressed."""
EVENTS = 2**17
"""Events in a chunk."""


class RunStore:
    """A zarr group of a run, in a folder. Every chunk is written once, when it is full; ``complete`` comes last."""

    def __init__(self, path: Path, group: Any):
        self.path, self.group = path, group

    @staticmethod
    def create(path: str | os.PathLike[str], attrs: Mapping[str, Any], *, overwrite: bool = False) -> RunStore:
        """Make a store. Errors: T302 without zarr, T505 for one that is there already, and what cannot be written."""
        zarr, folder = need("zarr", "stores", "zarr stores"), Path(path)
        make_way(folder, overwrite=overwrite)
        header = {"format": FORMAT, "version": VERSION, **attrs, "complete": 0}
        group = _kept(folder, lambda: zarr.create_group(str(folder), attributes=header))
        return RunStore(folder, group)

    @staticmethod
    def reopen(path: str | os.PathLike[str]) -> RunStore:
        """Open a store of a run to go on with it, or to read it. Errors: T302 without zarr, T501, T502."""
        zarr, folder = need("zarr", "stores", "zarr stores"), Path(path)
        if not folder.is_dir():
            raise error("T501", f"{shown(folder)} cannot be read", notes=["there is no such folder"])
        try:
            group = zarr.open_group(str(folder), mode="r+")
        except Exception as reason:  # zarr raises errors of its own, of json and of the file system
            raise error("T502", f"{shown(folder)} is no zarr store", notes=[str(reason)]) from None
        if group.attrs.get("format") != FORMAT:
            raise error("T506", f"{shown(folder)} holds no run", notes=["it is a zarr store of something else"])
        if int(group.attrs.get("version", 0)) > VERSION:  # type: ignore[arg-type]
            notes = [f"it is version {group.attrs['version']}", f"this thermoc reads {VERSION}"]
            raise error("T503", f"{shown(folder)} is newer than this thermoc", notes=notes, hint="update thermoc")
        return RunStore(folder, group)

    @property
    def attrs(self) -> dict[str, Any]:
        """What the store says of the run."""
        return dict(self.group.attrs)

    def array(self, *, name: str, dims: tuple[str, ...], **more: Any) -> Any:
        """Return the array of this name, made where it is not there. Errors: T502, T505."""
        import zarr
        from zarr.codecs import BloscCodec

        # A chunk of zeros is written too: which chunks there are tells how far a run that was killed had come.
        empty = {"write_empty_chunks": True}
        with reading(self.path, "the store of this run"):
            if name in self.group:
                # an array does not keep this: where a run goes on, it is said anew
                with zarr.config.set({f"array.{key}": value for key, value in empty.items()}):
                    return self.group[name]
        # All bits of one place lie together: spikes then take a bit or less, and smooth traces little.
        codec = BloscCodec(cname="zstd", clevel=3, shuffle="bitshuffle")
        options: Any = {"compressors": codec, "config": empty, "dimension_names": dims} | more
        return self.guard(lambda: self.group.create_array(name, **options))

    def go_on(self, streamed: Collection[str]) -> None:
        """Drop what was written at an end that was none: all but the arrays of these names, and files cut short."""
        for name in [name for name, _ in self.group.arrays() if name not in streamed]:
            self.guard(lambda name=name: self.group.__delitem__(name))
        for path in self.path.rglob("*.partial"):
            self.guard(path.unlink)

    def finish(self, variables: Mapping[str, Variable], coords: Mapping[str, Variable], ticks: int, whole: bool):
        """Write what did not go there while it ran, then how far the run came, and last that it is complete."""
        for name, variable in {**variables, **coords}.items():
            self.guard(lambda name=name, variable=variable: self._write(name, variable))
        named = " ".join(name for name, variable in coords.items() if variable.dims != (name,))
        attributes = {"coordinates": named, "ticks": ticks, "complete": int(whole)}
        self.guard(lambda: self.group.attrs.update(attributes))

    def _write(self, name: str, variable: Variable) -> None:
        array, chunks = variable.array, _chunks(variable.array)
        form = {"shape": array.shape, "dtype": array.dtype, "chunks": chunks, "attributes": dict(variable.attrs)}
        target = self.array(name=name, dims=variable.dims, **form)
        if not array.shape:
            target[...] = array
        for first in range(0, array.shape[0] if array.shape else 0, chunks[0] if chunks else 1):
            target[first : first + chunks[0]] = array[first : first + chunks[0]]

    def guard(self, write: Callable[[], Any], note: str = "") -> Any:
        """Write, and say it where the disk will not. Errors: T505."""
        return _kept(self.path, write, note)


class StoredTrace(Recorder):
    """Every k-th tick in a zarr array; at most a chunk of them waits in memory."""

    def __init__(self, signal: Signal, k: int, store: RunStore, **place: Any):
        super().__init__(signal)
        self.k, self.store = k, store
        dtype = stored_dtype(signal)
        row_bytes = max(1, int(np.prod(signal.row)) * dtype.itemsize)
        self._rows = max(1, min(signal.ticks // k, CHUNK_BYTES // row_bytes))
        self._shape, chunks = (signal.ticks // k, *signal.row), (self._rows, *(max(1, n) for n in signal.row))
        self.array = store.array(shape=self._shape, dtype=dtype, chunks=chunks, **place)
        self._waiting = np.empty((self._rows, *signal.row), dtype)

    def _reduce(self, array: AnyArray) -> None:
        some = array[self.k - 1 - self.seen % self.k :: self.k]
        row = self.seen // self.k
        while len(some):
            first = row % self._rows
            head = some[: self._rows - first]
            self._waiting[first : first + len(head)] = head
            row, some = row + len(head), some[len(head) :]
            if row % self._rows == 0:
                self._write(row, self._rows)

    def _write(self, row: int, count: int) -> None:
        """Write the last ``count`` rows up to this one."""
        note = f"ticks before {(row - count) * self.k} of {self.signal.ticks} are in it"

        def write() -> None:
            self.array[row - count : row] = self._waiting[:count]

        self.store.guard(write, note)

    def finish(self) -> None:
        """Write what waits; the array ends where the run did."""
        row = self.seen // self.k
        if row % self._rows:
            self._write(row, row % self._rows)
        if row < self.array.shape[0]:
            self.store.guard(lambda: self.array.resize((row, *self.array.shape[1:])))

    @property
    def fields(self) -> dict[str, AnyArray]:
        return {"values": self.array}

    @property
    def nbytes(self) -> int:
        return self._waiting.nbytes

    def snapshot(self) -> dict[str, AnyArray]:
        count = self.seen // self.k % self._rows
        return {**super().snapshot(), "waiting": self._waiting[:count].copy()}

    def restore(self, snapshot: Mapping[str, AnyArray]) -> None:
        super().restore(snapshot)
        waiting = snapshot["waiting"]
        self._waiting[: len(waiting)] = waiting
        if self.array.shape != self._shape:  # it was ended before the run was
            self.store.guard(lambda: self.array.resize(self._shape))


class StoredEvents(EventList):
    """Events in zarr arrays that grow; at most a chunk of them waits in memory."""

    def __init__(self, signal: Signal, store: RunStore, places: Mapping[str, Any]):
        super().__init__(signal)
        self.store, self.written = store, 0
        rows = {"shape": (0, 3), "dtype": np.int64, "chunks": (EVENTS, 3)}
        values = {"shape": (0,), "dtype": signal.dtype, "chunks": (EVENTS,)}
        self.arrays = {"events": store.array(**rows, **places["events"])}
        if self.graded:
            self.arrays["payloads"] = store.array(**values, **places["payloads"])

    def _reduce(self, array: AnyArray) -> None:
        super()._reduce(array)
        while sum(map(len, self._rows)) >= EVENTS:
            self._write(EVENTS)

    def _write(self, count: int) -> None:
        for name, array in self.arrays.items():
            part = getattr(self, name)[:count]
            self.store.guard(lambda array=array, part=part: self._append(array, part))
        self._rows, self._payloads = [self.events[count:]], [self.payloads[count:]]
        self.written += count

    def _append(self, array: Any, part: AnyArray) -> None:
        array.resize((self.written + len(part), *array.shape[1:]))
        array[self.written :] = part

    def finish(self) -> None:
        """Write what waits."""
        if len(self.events):
            self._write(len(self.events))

    @property
    def fields(self) -> dict[str, AnyArray]:
        return self.arrays

    def snapshot(self) -> dict[str, AnyArray]:
        return {**super().snapshot(), "written": np.array(self.written)}

    def restore(self, snapshot: Mapping[str, AnyArray]) -> None:
        super().restore(snapshot)
        self.written = int(snapshot["written"])
        for array in self.arrays.values():
            self.store.guard(lambda array=array: array.resize((self.written, *array.shape[1:])))


def make_way(path: Path, *, overwrite: bool) -> None:
    """Refuse what is there already, unless an empty folder; remove a run that is to be written over. Errors: T505."""
    if not path.exists():
        return
    if path.is_dir() and all(entry.suffix == ".partial" for entry in path.iterdir()):
        # empty, or of a run that was killed before its store had a header: zarr writes that beside it first
        _kept(path, lambda: shutil.rmtree(path))
        return
    store = None
    if path.is_dir():
        with suppress(ThermocError):
            store = RunStore.reopen(path)
    if not overwrite:
        raise _in_the_way(path, store)
    if store is not None:
        _kept(path, lambda: shutil.rmtree(path))
    elif path.is_dir():
        notes = ["it is a folder that holds no run"]
        raise error("T505", f"{shown(path)} cannot be written", notes=notes, hint="choose another path")


def _in_the_way(path: Path, store: RunStore | None) -> ThermocError:
    notes, hint = ["it is there already"], "choose another path, or give overwrite=True (--overwrite)"
    if store is not None and not store.attrs.get("complete"):
        notes = ["it holds a run that was broken off"]
        hint = f"thermoc resume, with its checkpoint; where there is none, {hint}: the same bytes come again"
    return error("T505", f"{shown(path)} cannot be written", notes=notes, hint=hint)


def _kept(path: Path, write: Callable[[], Any], note: str = "") -> Any:
    try:
        return write()
    except OSError as reason:
        notes = [str(reason.strerror or reason), *([note] if note else [])]
        hint = "make room, or record less; what is in it stays"
        raise error("T505", f"{shown(path)} cannot be written", notes=notes, hint=hint) from None


def _chunks(array: Any) -> tuple[int, ...]:
    rows = max(1, CHUNK_BYTES // max(1, math.prod(array.shape[1:]) * array.dtype.itemsize))
    return tuple(max(1, n if axis else min(n, rows)) for axis, n in enumerate(array.shape))
