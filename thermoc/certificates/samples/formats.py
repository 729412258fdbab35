"""Samples of any machine: arrays, .npz, CSV and dimod's sample sets, brought to one form."""

from __future__ import annotations

import csv
import hashlib
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from thermoc.certificates.samples.sample_sets import sample_set
from thermoc.support.arrays import parse_npz
from thermoc.support.errors import ThermocError, error
from thermoc.support.extras import need
from thermoc.support.json_text import parse_json
from thermoc.support.limits import MIB
from thermoc.support.loading import cut, read_bytes, reading, shown

MOST_BYTES = 1024 * MIB
MOST_VALUES = 2**26
"""Values of all units over all samples, occurrences counted."""
FORMATS = ("npz", "csv", "dimod")
_ENERGY, _COUNTS, _CHAIN = "energy", "num_occurrences", "chain"
_PASSED_OVER = ("chain_break_fraction", "")


@dataclass(frozen=True, kw_only=True)
class MachineSamples:
    """Values (steps, chains, units) in the order they were drawn, or of independent draws (samples, 1, units).

    energies: what the machine says of each, (steps, chains) or None. labels: what the file calls each unit. levels:
    spin, binary or real. source: where they come from. notes: what was taken for granted.
    """

    values: NDArray
    independent: bool
    ordered: bool
    levels: str
    source: str
    sha256: str
    energies: NDArray | None = None
    labels: tuple[Any, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def flat(self) -> NDArray:
        """The samples as (steps * chains, units), steps slowest."""
        return self.values.reshape(-1, self.values.shape[2])


def samples_of(
    source: Any, *, name: str | None = None, format: str | None = None, independent: bool | None = None
) -> MachineSamples:
    """Return the samples of a path, an array, arrays by name, or a dimod sample set.

    Arrays are (steps, chains, units), or (steps, units) of one chain; independent: the draws stand alone, default for
    sample sets. Errors: T404, T426, T501, T502, T504, T506, T523.
    """
    if format not in (None, *FORMATS):
        raise error("T404", f"there is no format of samples {format!r}", notes=[f"formats: {', '.join(FORMATS)}"])
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        data = read_bytes(path, most=MOST_BYTES)
        digest = hashlib.sha256(data).hexdigest()
        with reading(path, "a file of samples"):
            parts = _parse(path, data, format or _format(path, data))
        return _made(parts, name, independent, str(path.name), digest)
    if hasattr(source, "to_serializable") and hasattr(source, "vartype"):
        document = source.to_serializable(use_bytes=False)
        return _made(sample_set(document, "the sample set"), name, independent, "a dimod sample set", "")
    if isinstance(source, Mapping):
        return _made({str(key): np.asarray(value) for key, value in source.items()}, name, independent, "arrays", "")
    return _made({"samples": np.asarray(source)}, "samples", independent, "an array", "")


def _format(path: Path, data: bytes) -> str:
    suffix = path.suffix.lower()
    if suffix in (".npz", ".csv"):
        return suffix[1:]
    if suffix in (".json", ".bson"):
        return "dimod"
    hint = f"--format {'|'.join(FORMATS)}"
    raise error(
        "T506", f"{shown(path)}: which format of samples is it?", notes=[f"its suffix is {suffix!r}"], hint=hint
    )


def _parse(path: Path, data: bytes, format: str) -> dict[str, Any]:
    if format == "npz":
        return dict(parse_npz(data, path))
    if format == "csv":
        return _csv(path, data)
    # a BSON document begins with its own length
    if len(data) > 4 and int.from_bytes(data[:4], "little") == len(data):
        return sample_set(need("bson", "dimod", "BSON files").decode(data), path)
    return sample_set(parse_json(data, path, "a sample set", most=MOST_BYTES), path)


def _csv(path: Path, data: bytes) -> dict[str, Any]:
    """Return the columns of a CSV: a unit each; ``energy``, ``num_occurrences`` and ``chain`` say more of a row."""
    try:
        rows = [row for row in csv.reader(io.StringIO(data.decode("utf-8-sig"))) if row]
    except (UnicodeDecodeError, csv.Error) as reason:
        raise wrong(path, f"it is no CSV: {reason}") from None
    if not rows:
        raise wrong(path, "it is empty")
    head = [word.strip() for word in rows[0]]
    named = not all(_is_number(word) for word in head)
    # dimod's to_csv calls its units 0, 1, 2 and the first column nothing
    body = rows[1:] if named else rows
    for line, row in enumerate(body, start=2 if named else 1):
        if len(row) != len(head):
            raise wrong(path, f"line {line} has {len(row)} values", f"the first line has {len(head)}")
    columns = np.empty((len(body), len(head)))
    for line, row in enumerate(body):
        for column, word in enumerate(row):
            if not _is_number(word):
                raise wrong(path, f"line {line + 1 + named}, column {column + 1} is {cut(word, 40)!r}", "not a number")
            columns[line, column] = float(word)
    if not named:
        return {"samples": columns}
    about = {name: columns[:, head.index(name)] for name in (_ENERGY, _COUNTS, _CHAIN) if name in head}
    units = [column for column, name in enumerate(head) if name not in (*about, *_PASSED_OVER)]
    labels = tuple(_label(head[column]) for column in units)
    if len(set(labels)) != len(labels):
        raise wrong(path, "two columns have one name")
    return {"samples": columns[:, units], "labels": labels, **about}


def _made(
    parts: Mapping[str, Any], name: str | None, independent: bool | None, source: str, digest: str
) -> MachineSamples:
    about = {key: parts[key] for key in (_ENERGY, _COUNTS, _CHAIN) if key in parts}
    extra = {"labels", "levels", "independent"}
    arrays = {key: array for key, array in parts.items() if key not in about and key not in extra}
    values, name = _chosen(arrays, name, source)
    values = np.asarray(values)
    if values.dtype == object or not (np.issubdtype(values.dtype, np.number) or values.dtype == bool):
        notes = [f"{name!r} is of dtype {values.dtype}"]
        raise error(
            "T426", "samples are numbers, as many of each", notes=notes, hint="samples of mixed length fit no array"
        )
    values = values.astype(float)
    if values.ndim not in (2, 3) or not values.size:
        notes = [f"{name!r} has shape {list(values.shape)}"]
        raise error("T426", "samples are (steps, units) or (steps, chains, units)", notes=notes)
    _finite(values, name)
    if _CHAIN in about:
        values, about = _by_chain(values, about, source)
    values = values if values.ndim == 3 else values[:, np.newaxis]
    alone = bool(parts.get("independent", False)) if independent is None else independent
    ordered, notes = True, ()
    energies = about.get(_ENERGY)
    if energies is not None:
        energies = _like(np.asarray(energies, float), values, _ENERGY)
    if _COUNTS in about:
        values, energies, ordered, notes = _repeated(values, energies, about[_COUNTS])
        alone = alone or not ordered
    if alone:
        values = values.reshape(-1, 1, values.shape[2])
        energies = None if energies is None else energies.reshape(-1, 1)
        # sorted by energy, as dimod prints and many samplers return them: neighbours are alike by that alone
        if energies is not None and len(energies) > 2 and (np.diff(energies[:, 0]) >= 0).all():
            ordered = False
        notes = (*notes, "the samples were taken for independent draws")
    samples = MachineSamples(
        values=values,
        independent=alone,
        ordered=ordered,
        levels=parts.get("levels") or levels_of(values),
        source=source,
        sha256=digest or hashlib.sha256(np.ascontiguousarray(values, "<f8").tobytes()).hexdigest(),
        energies=energies,
        labels=tuple(parts.get("labels", ())),
        notes=notes,
    )
    return replace(samples, labels=()) if len(samples.labels) != values.shape[2] else samples


def levels_of(values: NDArray) -> str:
    """Return ``spin`` for -1 and 1, ``binary`` for 0 and 1, else ``real``."""
    if (np.abs(values) == 1).all():
        return "spin"
    return "binary" if ((values == 0) | (values == 1)).all() else "real"


def wrong(path: object, *notes: str) -> ThermocError:
    """Return the error of a file of samples that cannot be read."""
    return error("T523", f"{shown(path)} holds no samples that can be read", notes=notes)


def _chosen(arrays: Mapping[str, Any], name: str | None, source: str) -> tuple[Any, str]:
    if name is not None and name in arrays:
        return arrays[name], name
    if "samples" in arrays:
        return arrays["samples"], "samples"
    if len(arrays) == 1:
        return next(iter(arrays.values())), next(iter(arrays))
    notes = [f"it has {', '.join(map(str, arrays)) or 'nothing'}"]
    raise error("T404", f"{source}: which array are the samples?", notes=notes, hint="call it samples, or --of NAME")


def _finite(values: NDArray, name: str) -> None:
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        where = bad[0].tolist()
        raise error("T426", "a sample is not finite", notes=[f"{name}{where} = {values[tuple(where)]}"])


def _by_chain(values: NDArray, about: dict[str, Any], source: str) -> tuple[NDArray, dict[str, Any]]:
    """Put rows that name their chain side by side. Errors: T426 where chains are of different lengths."""
    chain = np.asarray(about[_CHAIN])
    names, counts = np.unique(chain, return_counts=True)
    if values.ndim != 2 or len(chain) != len(values) or len(set(counts.tolist())) != 1:
        notes = [f"chain {names[k]}: {counts[k]} samples" for k in (counts.argmin(), counts.argmax())]
        raise error("T426", f"{source}: chains are of different lengths", notes=notes, hint="cut all to the shortest")
    rows = np.argsort(chain, kind="stable").reshape(len(names), -1).T
    columns = {key: np.asarray(array)[rows] for key, array in about.items() if key != _CHAIN}
    return values[rows], columns


def _like(array: NDArray, values: NDArray, name: str) -> NDArray:
    if array.size != values.shape[0] * values.shape[1]:
        notes = [f"{array.size} numbers, {values.shape[0] * values.shape[1]} samples"]
        raise error("T426", f"{name} does not fit the samples", notes=notes)
    return array.reshape(values.shape[:2])


def _repeated(values: NDArray, energies: NDArray | None, counts: Any) -> tuple[NDArray, NDArray | None, bool, tuple]:
    """Return each sample as often as it occurred; their order is lost where one occurred twice."""
    counts = np.asarray(counts).reshape(-1)
    if (counts != np.floor(counts)).any() or (counts < 1).any():
        raise error("T426", "occurrences are whole numbers of at least 1", notes=[f"one is {counts.min()}"])
    if len(counts) != values.shape[0] * values.shape[1]:
        notes = [f"{len(counts)} numbers, {values.shape[0] * values.shape[1]} samples"]
        raise error("T426", "num_occurrences does not fit the samples", notes=notes)
    if (counts == 1).all():
        return values, energies, True, ()
    if int(counts.sum()) * values.shape[2] > MOST_VALUES:
        notes = [f"{int(counts.sum())} samples of {values.shape[2]} units", f"at most {MOST_VALUES} values"]
        raise error("T504", "the samples occur too often", notes=notes)
    times = counts.astype(int)
    repeated = np.repeat(values.reshape(-1, values.shape[2]), times, axis=0)[:, np.newaxis]
    energies = None if energies is None else np.repeat(energies.reshape(-1), times)[:, np.newaxis]
    return repeated, energies, False, ("equal samples are counted together, so their order is lost",)


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _label(word: str) -> Any:
    return int(word) if word.lstrip("-").isdecimal() else word
