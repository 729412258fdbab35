"""Samples to train, validate and test with."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from thermoc.learning.training.config import Config
from thermoc.support import philox
from thermoc.support.array_types import AnyArray, IntArray
from thermoc.support.arrays import read_npy, read_npz
from thermoc.support.errors import error
from thermoc.support.extras import need
from thermoc.support.loading import shown
from thermoc.support.suggestions import near

SPLIT_STREAM = 3
"""The Philox stream of which sample goes where."""
PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class LabelledSamples:
    """x (n, ...) and, where there are any, labels or targets y (n, ...)."""

    x: AnyArray
    y: AnyArray | None = None

    def __len__(self) -> int:
        return len(self.x)

    def take(self, rows: AnyArray) -> LabelledSamples:
        """Return some of them."""
        return LabelledSamples(self.x[rows], None if self.y is None else self.y[rows])


@dataclass(frozen=True)
class DataSet:
    """Samples, scaled by (x - offset) / scale."""

    train: LabelledSamples
    validation: LabelledSamples
    test: LabelledSamples
    offset: AnyArray
    scale: AnyArray

    @property
    def digest(self) -> str:
        """A SHA-256 of the training samples."""
        total = hashlib.sha256()
        for array in (self.train.x, self.train.y):
            if array is not None:
                total.update(f"{array.dtype.str} {array.shape}".encode())
                total.update(np.ascontiguousarray(array).tobytes())
        return total.hexdigest()


def load_data(config: Config) -> DataSet:
    """Return the samples a training file names. Errors: T302, T402, T403, T501 to T507, T519."""
    table = config.data
    labelled = config.training.rule == "gradient"
    if table.folder is not None:
        parts = _folder(config, config.path(table.folder), labelled)
    elif table.file is not None:
        parts = {"train": _npz(config, config.path(table.file), labelled)}
    else:
        parts = {"train": _sklearn(config, labelled)}
    for name, samples in parts.items():
        _check(samples, name)
    return _scaled(config, _split(config, parts))


def _npz(config: Config, path: Path, labelled: bool) -> LabelledSamples:
    arrays = read_npz(path)
    for key in ("x", "y") if labelled else ("x",):
        name = getattr(config.data, key)
        if name not in arrays:
            notes = [f"{shown(path)} has no array {name!r}", f"its arrays are {', '.join(sorted(arrays)) or 'none'}"]
            what = "labels are missing" if key == "y" else "samples are missing"
            raise config.source.wrong("data", key, what, notes=notes, hint=f'{key} = "the array\'s name"')
    return LabelledSamples(arrays[config.data.x], arrays[config.data.y] if labelled else None)


def _folder(config: Config, folder: Path, labelled: bool) -> dict[str, LabelledSamples]:
    """Return the samples of folder/train, folder/validation and folder/test: the first must be there."""
    parts: dict[str, LabelledSamples] = {}
    for split in PARTS:
        if split == "train" or (folder / split).is_dir():
            x = read_npy(folder / split / f"{config.data.x}.npy")
            parts[split] = LabelledSamples(x, read_npy(folder / split / f"{config.data.y}.npy") if labelled else None)
    return parts


def _sklearn(config: Config, labelled: bool) -> LabelledSamples:
    datasets = need("sklearn.datasets", "examples", "scikit-learn's data sets")
    names = sorted(name.removeprefix("load_") for name in dir(datasets) if name.startswith("load_"))
    # those that come with scikit-learn: others are downloaded, or take a file's name
    usable = [name for name in names if name in ("breast_cancer", "diabetes", "digits", "iris", "linnerud", "wine")]
    name = config.data.sklearn
    if name not in usable:
        notes = [f"sklearn = {name!r}", f"there are {', '.join(usable)}"]
        raise config.source.wrong(
            "data", "sklearn", "scikit-learn has no such set", notes=notes, hint=near(name, usable)
        )
    x, y = getattr(datasets, f"load_{name}")(return_X_y=True)
    return LabelledSamples(np.asarray(x), np.asarray(y) if labelled else None)


def _check(samples: LabelledSamples, part: str) -> None:
    x, y = samples.x, samples.y
    if x.ndim < 2 or not len(x):
        raise error("T402", f"{part}: x is (samples, ...)", notes=[f"it has shape {list(x.shape)}"])
    if y is not None and len(y) != len(x):
        notes = [f"x has shape {list(x.shape)}", f"y has shape {list(y.shape)}"]
        raise error("T402", f"{part}: x and y disagree on the number of samples", notes=notes)
    for name, array in (("x", x), ("y", y)):
        if array is None:
            continue
        if array.dtype.kind not in "biuf":
            raise error("T403", f"{part}: {name} is no array of numbers", notes=[f"it is {array.dtype}"])
        if not np.isfinite(array).all():
            row = [int(i) for i in np.argwhere(~np.isfinite(array))[0]]
            raise error("T403", f"{part}: {name} is not finite", notes=[f"{name}{row} = {array[tuple(row)]}"])


def _split(config: Config, parts: dict[str, LabelledSamples]) -> dict[str, LabelledSamples]:
    """Take what is held out from the training samples, in an order that the seed decides."""
    shares = {name: 0.0 if name in parts else getattr(config.data, name) for name in PARTS[1:]}
    samples = parts["train"]
    order = order_of(len(samples), config.training.seed)
    split: dict[str, LabelledSamples] = {}
    for name, fraction in shares.items():
        count = round(fraction * len(samples))
        split[name], order = parts.get(name, samples.take(order[:count])), order[count:]
    if not len(order):
        notes = [f"{len(samples)} samples", f"shares held out: {shares}"]
        raise config.source.wrong("data", "validation", "nothing is left to train with", notes=notes)
    return {"train": samples.take(np.sort(order)), **split}


def order_of(count: int, seed: int) -> IntArray:
    """Return a permutation: samples sorted by words of Philox."""
    w0, w1, _, _ = philox.words(np.arange(count), tick=0, draw=0, stream=SPLIT_STREAM, seed=seed)
    return np.argsort((w0 << np.uint64(32)) | w1, kind="stable")


def _scaled(config: Config, parts: dict[str, LabelledSamples]) -> DataSet:
    x: Any = parts["train"].x
    offset, scale = np.array(0.0), np.array(1.0)
    if config.data.scaling == "unit":
        offset, scale = np.array(float(x.min())), np.array(float(x.max()) - float(x.min()))
    elif config.data.scaling == "standard":
        offset, scale = x.mean(axis=0, dtype=float), x.std(axis=0, dtype=float)
    scale = np.where(scale == 0, 1.0, scale)  # a feature that never changes stays as it is
    scaled = {name: LabelledSamples((split.x - offset) / scale, split.y) for name, split in parts.items()}
    return DataSet(scaled["train"], scaled["validation"], scaled["test"], offset, scale)
