"""A sweep in a zarr store: a row a point, written when the point is done, and a status that comes after it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from thermoc.recording.store import RunStore
from thermoc.support.array_types import AnyArray
from thermoc.support.errors import error
from thermoc.support.extras import need
from thermoc.support.files import can_write
from thermoc.support.loading import reading, shown
from thermoc.support.locks import locked
from thermoc.support.suggestions import near
from thermoc.sweeps.waiting import WaitingRows

FORMAT, VERSION = "thermoc sweep", 1
KIND = "a store of a sweep"
STATUS, POINT = "status", "point"
WAITING, DONE, FAILED = 0, 1, 2
"""What the status of a point says."""
CHUNK_BYTES = 2**16
"""A chunk is written anew for each of its points: small ones cost little."""
STATUS_ROWS = 4096


class SweepStore:
    """A zarr group of a sweep, in a folder. Whoever runs the sweep alone writes it; rows in any order, each once.

    The bytes at the end depend on the points alone: a row is the same whichever worker gave it, and when.
    """

    def __init__(self, path: Path, group: Any):
        self.path, self.group = path, group
        self._zarr = RunStore(path, group)
        self._arrays: dict[str, Any] = {}
        self._waiting: dict[str, WaitingRows] = {}
        self._status: AnyArray | None = None

    @staticmethod
    def open(path: str | os.PathLike[str], mode: str = "r+") -> SweepStore:
        """Open a store. Errors: T302 without zarr, T501, T502, T503, T506."""
        zarr, folder = need("zarr", "sweep", "stores of sweeps"), Path(path)
        if not folder.is_dir():
            raise error("T501", f"{shown(folder)} cannot be read", notes=["there is no such folder"])
        try:
            group = zarr.open_group(str(folder), mode=mode)
        except Exception as reason:  # zarr raises errors of its own, of json and of the file system
            raise error("T502", f"{shown(folder)} is no zarr store", notes=[str(reason)]) from None
        if group.attrs.get("format") != FORMAT:
            raise error("T506", f"{shown(folder)} holds no sweep", notes=["it is a zarr store of something else"])
        if int(group.attrs.get("version", 0)) > VERSION:  # type: ignore[arg-type]
            notes = [f"it is version {group.attrs['version']}", f"this thermoc reads {VERSION}"]
            raise error("T503", f"{shown(folder)} is newer than this thermoc", notes=notes, hint="update thermoc")
        store = SweepStore(folder, group)
        with reading(folder, KIND):
            named = [axis["name"] for axis in json.loads(store.attrs["axes"])]
            if store.count < 0 or not all(isinstance(name, str) for name in named):
                raise ValueError("its points or axes are none")
        return store

    @staticmethod
    def there(path: str | os.PathLike[str], attrs: Mapping[str, Any], *, overwrite: bool = False) -> SweepStore | None:
        """Return the store that is there of the same sweep; None where one is to be made. Nothing is changed.

        Errors: T302 without zarr, T505 for what is no folder or cannot be written, T501 to T506 for what is no store of
        a sweep, T521 for another sweep's, unless it may be written over.
        """
        need("zarr", "sweep", "stores of sweeps")
        folder = Path(path)
        if not folder.exists():
            can_write(folder)
            return None
        if not folder.is_dir():
            raise error("T505", f"{shown(folder)} cannot be written", notes=["it is a file"], hint="name a folder")
        if _is_unborn(folder):
            return None
        store = SweepStore.open(folder)
        if overwrite:
            return None
        _check_same(store, attrs)
        return store

    @staticmethod
    def begun(path: str | os.PathLike[str], attrs: Mapping[str, Any], *, overwrite: bool = False) -> SweepStore:
        """Make a store, or go on with the one that is there. Errors: those of ``there``."""
        zarr, folder = need("zarr", "sweep", "stores of sweeps"), Path(path)
        store = SweepStore.there(folder, attrs, overwrite=overwrite)
        if store is not None:
            store.reopen()
            return store
        if folder.exists():
            RunStore(folder, None).guard(lambda: _empty(folder))
        header = {"format": FORMAT, "version": VERSION, **attrs, "complete": 0}
        group = RunStore(folder, None).guard(lambda: zarr.create_group(str(folder), attributes=header))
        return SweepStore(folder, group)

    @property
    def attrs(self) -> dict[str, Any]:
        """What the store says of the sweep."""
        return dict(self.group.attrs)

    @cached_property
    def count(self) -> int:
        """Number of points."""
        return int(self.attrs["points"])

    def reopen(self) -> None:
        """Go on: clear away what was being written, and let points that failed be run again."""
        for path in self.path.rglob("*.partial"):
            self._zarr.guard(path.unlink)
        for index in np.flatnonzero(self.status == FAILED):
            self.mark(int(index), WAITING)
        self.flush()
        self.say(complete=0, failures={})

    @property
    def status(self) -> AnyArray:
        """Status (points,) of each point: 0 not run, 1 done, 2 failed."""
        if self._status is None and self.group.read_only:
            exists = STATUS in self.group
            self._status = np.asarray(self.group[STATUS][:]) if exists else np.zeros(self.count, np.uint8)
        elif self._status is None:
            array = self.array(STATUS, (self.count,), np.dtype(np.uint8), (POINT,), rows=STATUS_ROWS, fill=WAITING)
            self._status = np.asarray(array[:])
        assert self._status is not None
        return self._status

    def mark(self, index: int, status: int) -> None:
        """Say what became of a point; it is written with its row."""
        self.status[index] = status
        self.put(STATUS, index, status)

    def array(
        self,
        name: str,
        shape: Sequence[int],
        dtype: np.dtype[Any],
        dims: Sequence[str],
        *,
        rows: int | None = None,
        fill: Any = None,
        attrs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return an array, made where it is not there; chunks are of ``rows`` rows, default some 64 KiB."""
        if name not in self._arrays:
            row = max(1, int(np.prod(shape[1:])) * dtype.itemsize)
            length = min(rows or max(1, CHUNK_BYTES // row), max(1, shape[0]))
            form = {"shape": tuple(shape), "dtype": dtype, "chunks": (length, *(max(1, n) for n in shape[1:]))}
            empty = (np.nan if dtype.kind == "f" else 0) if fill is None else fill
            settings = {"fill_value": empty, "attributes": dict(attrs or {})}
            self._arrays[name] = self._zarr.array(name=name, dims=tuple(dims), **form, **settings)
        return self._arrays[name]

    def write(self, name: str, values: Any) -> None:
        """Write the first rows of an array that is there. Errors: T505."""
        self._guard(lambda: self._arrays[name].__setitem__(slice(0, len(values)), values))

    def put(self, name: str, index: int, values: Any) -> None:
        """Let a row of an array that is there wait to be written."""
        if name not in self._waiting:
            self._waiting[name] = WaitingRows(self._arrays[name])
        self._waiting[name].put(index, values)

    def flush(self) -> None:
        """Write the rows that wait, and behind them what became of their points. Errors: T505."""
        for name in sorted(self._waiting, key=lambda name: name == STATUS):
            self._guard(self._waiting[name].write)

    def _guard(self, write: Callable[[], Any]) -> Any:
        return self._zarr.guard(write, "what is in it stays; the same command goes on")

    def row(self, name: str, index: int) -> AnyArray:
        """Return a row of a result. Errors: T520 where there is no such result."""
        if name not in self.group:
            names = sorted(names for names, array in self.group.arrays() if array.shape[:1] == (self.count,))
            notes, hint = [f"there are {', '.join(names)}"], near(name, names)
            raise error("T520", f"the sweep has no result {name!r}", notes=notes, hint=hint)
        return np.asarray(self.group[name][index])

    def say(self, **attrs: Any) -> None:
        """Change what the store says of the sweep. Errors: T505."""
        self._zarr.guard(lambda: self.group.attrs.update(attrs))


@contextmanager
def held(path: str | os.PathLike[str]) -> Generator[None, None, None]:
    """Hold a store for one sweep, until this process ends, killed or not. Errors: T505, T522 where another has it."""
    folder = Path(path)
    RunStore(folder, None).guard(lambda: folder.mkdir(exist_ok=True))
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:  # Windows opens no folders, and has no such locks
        yield
        return
    try:
        if locked(handle) is False:
            what, notes = f"another sweep runs into {shown(folder)}", ["a store takes one sweep at a time"]
            raise error("T522", what, notes=notes, hint="wait until it ends, or choose another store")
        yield
    finally:
        with suppress(OSError):  # it is not empty
            folder.rmdir()
        os.close(handle)


def _empty(folder: Path) -> None:
    """Remove what is in a folder; the folder stays, for it is what is locked."""
    for entry in folder.iterdir():
        shutil.rmtree(entry) if entry.is_dir() and not entry.is_symlink() else entry.unlink()


def _is_unborn(folder: Path) -> bool:
    """Tell whether a folder is empty, or of a sweep that was killed before its store had a header."""
    return all(entry.suffix == ".partial" for entry in folder.iterdir())


def _check_same(store: SweepStore, attrs: Mapping[str, Any]) -> None:
    if store.attrs.get("sweep_sha256") == attrs["sweep_sha256"]:
        return
    theirs, ours = store.attrs, attrs
    notes = [
        f"{name}: {theirs.get(name)!r} in it, {ours[name]!r} in this sweep"
        for name in ours
        if theirs.get(name) != ours[name] and name not in ("sweep_sha256", "axes")
    ]
    hint = "choose another store, or give overwrite=True (--overwrite)"
    notes = notes or ["its axes, inputs or parameters are others"]
    raise error("T521", f"{shown(store.path)} holds another sweep", notes=notes[:8], hint=hint)
