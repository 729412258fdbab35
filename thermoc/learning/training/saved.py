"""The files of a training run: its checkpoint, its metrics, its model."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from thermoc.learning.training.config import Config
from thermoc.support.array_types import AnyArray
from thermoc.support.bundle import bundle_bytes, read_bundle
from thermoc.support.errors import error
from thermoc.support.files import write_atomic
from thermoc.support.limits import CHECKPOINT_BYTES
from thermoc.support.loading import reading, shown

KIND, VERSION = "thermoc training", 1
CHECKPOINT, METRICS, MODEL = "training.ckpt", "metrics.csv", "model.thermo"
BEST = "best."


@dataclass(kw_only=True)
class TrainingProgress:
    """Where a run stands. rows: of the metrics, an epoch each; best: the metric's best value, at best_epoch."""

    epoch: int = 0
    steps: int = 0
    columns: list[str] = field(default_factory=list[str])
    rows: list[list[float]] = field(default_factory=list[list[float]])
    best: float | None = None
    best_epoch: int = 0


def save(config: Config, digest: str, progress: TrainingProgress, state: Mapping[str, AnyArray]) -> None:
    """Write the checkpoint, whole or not at all. Errors: T505."""
    document = {"config": _plain(config.decisive), "data": digest, "progress": vars(progress)}
    content = bundle_bytes(kind=KIND, version=VERSION, document=document, arrays=state)
    write_atomic(config.folder / CHECKPOINT, content)


def load(config: Config, digest: str) -> tuple[TrainingProgress, dict[str, AnyArray]]:
    """Read the checkpoint. Errors: T420 where it is of other settings or data, T501 to T504."""
    path = config.folder / CHECKPOINT
    bundle = read_bundle(path, kind=KIND, version=VERSION, most=CHECKPOINT_BYTES)
    with reading(path, "a checkpoint of training"):
        settings, data = bundle.document["config"], bundle.document["data"]
        progress = TrainingProgress(**bundle.document["progress"])
        now = _plain(config.decisive)
        settings = {**_plain(_defaults(config)), **settings}  # of a thermoc that did not have all of them yet
        differ = [
            f"{key}: {settings.get(key)!r} in the checkpoint, {now.get(key)!r} now"
            for key in sorted({*settings, *now})
            if settings.get(key) != now.get(key)
        ]
        if data != digest:
            differ.append("the training samples are others")
        if differ:
            hint = "put them back, or train anew with --overwrite"
            raise error("T420", f"{shown(path)} is of another training", notes=differ, hint=hint)
        return progress, dict(bundle.arrays)


def write_metrics(path: Path, progress: TrainingProgress) -> None:
    """Write the metrics as CSV, a row an epoch; numbers in full. Errors: T505."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([progress.columns, *progress.rows])
    write_atomic(path, text.getvalue().encode())


class TensorBoardEvents:
    """TensorBoard's events, where tensorboardX is installed and the file wants them."""

    def __init__(self, config: Config, steps: int):
        self._writer: Any = None
        if config.output.tensorboard and find_spec("tensorboardX") is not None:
            from tensorboardX import SummaryWriter

            self._writer = SummaryWriter(str(config.folder / "tensorboard"), purge_step=steps or None)

    def add(self, metrics: Mapping[str, float], steps: int) -> None:
        """Add an epoch's metrics."""
        if self._writer is not None:
            for name, value in metrics.items():
                self._writer.add_scalar(name, value, steps)

    def close(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            self._writer.close()


def _defaults(config: Config) -> dict[str, Any]:
    """Return what settings are where a file says nothing of them."""
    tables = {name: getattr(config, name) for name in ("data", "network", "training", "loss")}
    return {
        f"{name}.{f.name}": f.default
        for name, table in tables.items()
        for f in fields(table)
        if f.default is not MISSING
    }


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as JSON gives them back. Dates of TOML are texts."""
    return json.loads(json.dumps(settings, default=str))
